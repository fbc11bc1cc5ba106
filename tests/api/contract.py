"""The contract of the API in short, beside the one that was written down last.

`python -m tests.api.contract` writes it down anew, unless something breaks callers that
`app.api_changes` does not tell of.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.api_changes import CHANGES
from app.errors import every_refusal
from app.main import create_app
from app.settings import Settings

KEPT = Path(__file__).with_suffix(".json")
Contract = dict[str, Any]


def of(document: dict[str, Any]) -> Contract:
    """Return what callers rely on of an OpenAPI document.

    Shapes say of each field whether it is there for certain; what is sent and what is
    answered is told apart, for they break in opposite ways.
    """
    operations = {}
    sent: set[str] = set()
    answered: set[str] = set()
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            body = said.get("requestBody", {}).get("content", {})
            answers = {k: v for k, v in said["responses"].items() if k < "400"}
            sent |= set(_named(body, schemas))
            answered |= set(_named(answers, schemas))
            operations[f"{method.upper()} {path}"] = {
                "parameters": {
                    f"{one['in']} {one['name']}": one["required"]
                    for one in said.get("parameters", ())
                },
                "takes": sorted(body),
                "answers": {
                    status: sorted(answer.get("content", ()))
                    for status, answer in sorted(answers.items())
                },
            }
    return {
        "operations": dict(sorted(operations.items())),
        "sent": {name: _shape(schemas[name]) for name in sorted(sent)},
        "answered": {name: _shape(schemas[name]) for name in sorted(answered)},
        "refusals": {kind.code: kind.status for kind in every_refusal()},
    }


def _named(said: Any, schemas: dict[str, Any], seen: frozenset[str] = frozenset()):
    """Yield the names of the schemas that are used in a part of the document."""
    found = list(said.values()) if isinstance(said, dict) else said
    if isinstance(found, list):
        for one in found:
            yield from _named(one, schemas, seen)
    if isinstance(said, dict) and isinstance(said.get("$ref"), str):
        name = said["$ref"].rpartition("/")[2]
        if name not in seen:
            yield name
            yield from _named(schemas[name], schemas, seen | {name})


def _shape(schema: dict[str, Any]) -> dict[str, bool]:
    required = schema.get("required", ())
    return {name: name in required for name in sorted(schema.get("properties", ()))}


def breaks(old: Contract, new: Contract) -> list[str]:
    """Return what breaks a caller who relies on the old contract, a line for each."""
    return sorted(
        [
            *_gone("refusal", old["refusals"], new["refusals"]),
            *_gone("operation", old["operations"], new["operations"]),
            *_gone("sent", old["sent"], new["sent"]),
            *_gone("answered", old["answered"], new["answered"]),
            *(
                line
                for name, now in new["operations"].items()
                if name in old["operations"]
                for line in _of_operation(name, old["operations"][name], now)
            ),
            *(
                line
                for name, now in new["sent"].items()
                if name in old["sent"]
                for line in _of_request(f"sent {name}", old["sent"][name], now)
            ),
            *(
                line
                for name, now in new["answered"].items()
                if name in old["answered"]
                for line in _of_answer(f"answered {name}", old["answered"][name], now)
            ),
        ]
    )


def _gone(where: str, old: Any, new: Any) -> Iterator[str]:
    yield from (f"{where} {name} is gone" for name in old if name not in new)


def _of_request(where: str, old: dict[str, bool], new: dict[str, bool]):
    yield from _gone(where, old, new)
    for name, required in new.items():
        if required and not old.get(name, False):
            yield f"{where} {name} must be sent now"


def _of_answer(where: str, old: dict[str, bool], new: dict[str, bool]):
    yield from _gone(where, old, new)
    for name, certain in old.items():
        if certain and new.get(name) is False:
            yield f"{where} {name} can be missing now"


def _of_operation(name: str, old: Contract, new: Contract) -> Iterator[str]:
    yield from _of_request(f"{name}:", old["parameters"], new["parameters"])
    yield from _gone(f"{name}: takes", old["takes"], new["takes"])
    yield from _gone(f"{name}: status", old["answers"], new["answers"])
    for status, kinds in old["answers"].items():
        now = new["answers"].get(status, kinds)
        yield from _gone(f"{name}: status {status} as", kinds, now)


def untold(old: Contract, new: Contract) -> list[str]:
    """Return what breaks callers and stands in no entry of the change log."""
    told = {line for change in CHANGES for line in change.breaks}
    return [line for line in breaks(old, new) if line not in told]


def now() -> Contract:
    """Return the contract of this version."""
    return of(create_app(Settings(runs_at_once=0)).openapi())


def kept() -> Contract:
    """Return the contract that was written down last."""
    contract: Contract = json.loads(KEPT.read_text("utf-8"))
    return contract


def written(contract: Contract) -> str:
    """Return the contract as it is written down: a line for each operation and shape,
    so that a change is read at a glance."""
    parts = []
    for part, named in contract.items():
        lines = ",\n".join(
            f"  {json.dumps(name)}: {json.dumps(said)}" for name, said in named.items()
        )
        parts.append(f"{json.dumps(part)}: {{\n{lines}\n}}")
    return "{" + ",\n".join(parts) + "}\n"


def renew() -> int:
    """Write the contract down; refuse while a break is not told of."""
    new = now()
    missing = untold(kept(), new) if KEPT.exists() else []
    for line in missing:
        print(f"Not told of in app/api_changes.py: {line}", file=sys.stderr)  # noqa: T201
    if not missing:
        KEPT.write_text(written(new), "utf-8")
    return bool(missing)


if __name__ == "__main__":
    sys.exit(renew())
