"""Text that no column can hold is refused at the border, on both kinds of database."""

import io
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from app.storable import UNSTORABLE, is_storable, is_storable_json
from tests.fixtures.cities import city, refusal, register
from tests.fixtures.database import ON_POSTGRES
from tests.http.routes import routes
from tests.web.visitor import HTML

REFUSED = (422, "invalid-input")
ANYTHING = st.text(st.characters() | st.characters(categories=["Cs"]) | st.just("\0"))


@given(ANYTHING, st.booleans())
@settings(max_examples=300)
def test_a_text_is_storable_in_json_if_it_is_by_itself(text, in_ascii):
    wanted = "\0" not in text and not any("\ud800" <= one <= "\udfff" for one in text)

    assert is_storable(text) is wanted
    # Two halves side by side are one letter as soon as they are written as escapes.
    if in_ascii:
        written = json.dumps({text: [text]}, ensure_ascii=True)
        (read,) = json.loads(written)
        assert is_storable_json(written) is is_storable(read)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (r'"\\u0000"', True),
        (r'"\\\u0000"', False),
        (r'"\uD83C\uDFD9"', True),
        (r'"\\uD83C\uDFD9"', False),
        (r'"\uD83C\n\uDFD9"', False),
        (r'"\uDFD9\uD83C"', False),
        (r'"\uD83C\uD83C\uDFD9"', False),
        ("\\", True),
        (r'"\u00', True),
    ],
)
def test_escapes_are_read_as_json_has_them(written, wanted):
    assert is_storable_json(written) is wanted


@pytest.mark.parametrize(
    "piece", [r"\\", r"\u0041", r"\ud83c\udfd9", r"\"", r"\\ud800", "x"]
)
def test_a_long_document_is_read_once(piece):
    text = piece * 200_000

    assert is_storable_json(text + r"\\u0000") is True
    assert is_storable_json(text + r"\u0000") is False


def test_no_page_fails_for_a_nul_in_its_address(idle_service):
    service = idle_service
    headers = service.bearer("organiser")
    wrong = {}
    count = 0
    for method, path in routes(service.client.app):
        if method != "GET":
            continue
        plain = re.sub(r"{\w+(:\w+)?}", "x", path)
        tried = {f"{plain}?{query}": 422 for query in ("q=%00", "%00=1", "to=a%00b")}
        for name in re.findall(r"{\w+(?::\w+)?}", path):
            before, _, after = path.partition(name)
            tried[re.sub(r"{\w+(:\w+)?}", "x", f"{before}%00{after}")] = 404
        for address, status in tried.items():
            accept = HTML if count % 2 else {}
            answer = service.client.get(address, headers=headers | accept)
            count += 1
            if answer.status_code != status:
                wrong[address] = answer.status_code

    assert wrong == {}
    assert count > 300


def test_no_form_fails_for_a_nul(idle_service):
    client = idle_service.client
    client.post("/sign-in", data={"token": idle_service.tokens["organiser"]})
    wrong = {}
    forms = [
        re.sub(r"{\w+(:\w+)?}", "x", path)
        for method, path in routes(client.app)
        if method == "POST" and not path.startswith("/api/")
    ]
    parts = (b'name="email"\r\n\r\na\0', b'name="\0"\r\n\r\nx')
    parts = (*parts, b'name="file"; filename="\0.csv"\r\n\r\nx')
    for at, path in enumerate(forms):
        typed = (b"email=%00", b"email=\0", b"%00=x", b"to=&key=a%00b")[at % 4]
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        part = b"--b\r\nContent-Disposition: form-data; " + parts[at % 3] + b"\r\n--b--"
        multipart = {"Content-Type": "multipart/form-data; boundary=b"}
        for answer in (
            client.post(path, content=typed, headers=kind),
            client.post(path, content=part, headers=multipart),
        ):
            # A parser of its own refuses some of it before.
            if answer.status_code not in {400, 422}:
                wrong[path] = answer.status_code

    assert wrong == {}
    assert len(forms) > 30
    answer = client.post("/sign-in", data={"email": "\0"})
    assert refusal(answer) == (*REFUSED, ["/email"])


@pytest.mark.parametrize("charset", ["utf-7", "punycode", "unicode_escape", "utf-16"])
def test_a_form_in_letters_that_no_browser_sends_is_refused(sqlite_service, charset):
    body = b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\n+2AA-\r\n--b--'
    kind = f"multipart/form-data; boundary=b; charset={charset}"
    answer = sqlite_service.client.post(
        "/sign-in/link", content=body, headers={"Content-Type": kind}
    )

    assert answer.status_code == 400


@ON_POSTGRES
def test_json_with_such_text_is_refused(idle_service):
    service = idle_service
    register(service, city("ghent"))
    calls = [
        ("POST", "/cities", r'{"name": "\u0000", "country": "BE"}'),
        ("PATCH", "/cities/ghent", r'{"needs_text": "a\u0000b"}'),
        ("PATCH", "/cities/ghent", r'{"areas": {"\ud800": null}}'),
        ("PATCH", "/cities/ghent", '{"needs_text": "\\udfd9\\ud83c"}'),
        ("PUT", "/rounds/r", r'{"name": "\uDC00"}'),
        ("POST", "/match", r'{"\u0000": 1}'),
        (
            "POST",
            "/webhooks",
            r'{"url": "https://a.example/", "description": "\u0000"}',
        ),
    ]
    for method, path, body in calls:
        for content in (body.encode(), body.encode("utf-16")):
            answer = service.call(
                method,
                path,
                content=content,
                headers={"Content-Type": "application/json", "If-Match": "*"},
            )
            assert refusal(answer)[:2] == REFUSED, (method, path, content)
            assert answer.json()["detail"] == UNSTORABLE
    kept = service.call(
        "PATCH",
        "/cities/ghent",
        content=rb'{"needs_text": "\\u0000 and \ud83c\udfd9"}',
        headers={"Content-Type": "application/json", "If-Match": "*"},
    )
    assert kept.json()["needs_text"] == "\\u0000 and \U0001f3d9"


@ON_POSTGRES
def test_a_header_that_nobody_can_look_up_is_nobody(idle_service):
    client = idle_service.client
    for cookie in ('compaan="\\000"', 'compaan-lang="\\000"', 'compaan-oidc="\\377"'):
        answer = client.get("/", headers={"Cookie": cookie})
        assert answer.status_code == 200
    for token in ("cmp_\xff", "cmp_%00", "\\u0000"):
        headers = {"Authorization": f"Bearer {token}".encode("latin-1")}
        assert client.get("/api/v1/cities", headers=headers).status_code == 401
    headers = {"User-Agent": b"a\0b"}
    assert refusal(client.get("/api/v1/cities", headers=headers)) == (
        *REFUSED,
        ["#user-agent"],
    )


@ON_POSTGRES
def test_a_cell_with_such_text_is_wrong(idle_service):
    book = Workbook()
    book.active.append(["id", "name", "country", "roles", "need_housing"])
    book.active.append(["ghent_x0000_", "Ghent", "BE", "learner", 3])
    book.active.append(["lier", "Li_x0000_er", "BE", "learner", 3])
    book.active.append(["mons", "Mons", "BE", "learner", 3])
    file = io.BytesIO()
    book.save(file)

    answer = idle_service.call(
        "POST",
        "/cities/import",
        content=file.getvalue(),
        headers={"Content-Type": "application/octet-stream"},
    )

    told = answer.json()
    assert [(one["row"], one["column"], one["code"]) for one in told["errors"]] == [
        (2, "id", "unstorable_text"),
        (3, "name", "unstorable_text"),
    ]
    assert idle_service.get("/cities/mons").status_code == 200
