"""Every route of the application, and paths with their parameters filled in."""

import re

from starlette.routing import Mount


def routes(app) -> list[tuple[str, str]]:
    """Return method and path of every route, those that are not documented too."""
    found = []
    for route in app.routes:
        if isinstance(route, Mount):
            found.append(("GET", f"{route.path}/compaan.css"))
        elif hasattr(route, "effective_route_contexts"):
            for one in route.effective_route_contexts():
                found += [(method, one.path_format) for method in one.methods]
        else:
            found.append(("GET", route.path))
    return sorted(found)


def filled(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda named: ids.get(named[1], "x"), path)


def reading(app) -> list[tuple[str, dict]]:
    """Return path and description of every documented GET."""
    paths = app.openapi()["paths"]
    return [
        (path, operations["get"])
        for path, operations in paths.items()
        if "get" in operations
    ]
