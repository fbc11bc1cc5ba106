"""Sending a CSV file to the service, and reading its report."""

SMALL = "name,country,roles,need_housing\n"


def send(service, content, role="organiser", query="", kind="text/csv"):
    if isinstance(content, str):
        content = content.encode()
    return service.call(
        "POST",
        f"/cities/import{query}",
        role,
        content=content,
        headers={"Content-Type": kind} if kind else {},
    )


def report(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()


def counts(answer):
    return tuple(report(answer)["counts"].values())
