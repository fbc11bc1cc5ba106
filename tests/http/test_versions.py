"""Versions: a stale ETag never writes, and none is used twice for one path."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.db.tables import LastVersion
from app.http import etags
from tests.fixtures.cities import add_officer, city, open_round, refusal, register
from tests.fixtures.database import ON_SQLITE

CITY, ROUND = "/cities/res", "/rounds/r"
TAKING_PART, POLICY = "/rounds/r/participants/res", "/rounds/r/policy"
CAN_BE_PUT = (CITY, ROUND, TAKING_PART)
MISSING = "a" * 32


def body(path: str, number: int) -> dict[str, object]:
    """Return what is sent there; each number says something else."""
    return {
        CITY: city("res", needs_text=f"Number {number}"),
        ROUND: {"name": f"Round {number}"},
        TAKING_PART: {"learner_demand": number + 1},
        POLICY: {"seed": number},
    }[path]


def make_all(service) -> None:
    for path in CAN_BE_PUT:
        assert service.put(path, body(path, 0)).status_code == 201


# One function reads tags.


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ('"2"', {'"2"'}),
        ('W/"2"', {'"2"'}),
        ('"2-gzip"', {'"2"'}),
        ('W/"2-br", "3;gzip","4--gzip" , "5-zstd"', {'"2"', '"3"', '"4"', '"5"'}),
        ('"6-deflate-gzip"', {'"6"'}),
        ('"2-other"', {'"2-other"'}),
        ('"gzip"', {'"gzip"'}),
        ('"a,b"', {'"a,b"'}),
        (" * ", {"*"}),
        ('"*"', {'"*"'}),
        ("", set()),
        ("nonsense", set()),
        ('W/"', set()),
    ],
)
def test_a_tag_is_read_as_it_was_before_it_was_packed(header, tags):
    assert etags.read(header) == tags


PACKED = ("W/{}", "{}-gzip", "{}-br", "{}-zstd", "{}-deflate", "{};gzip", "W/{}-gzip")


def packed(how: str, tag: str) -> str:
    """Return the tag as a proxy makes it: what is added stands inside the quotes."""
    before, _, after = how.partition("{}")
    return f"{before}{tag[:-1]}{after}{tag[-1]}"


@pytest.mark.parametrize("how", PACKED)
def test_behind_a_proxy_that_compresses_everything_can_be_changed(sqlite_service, how):
    service = sqlite_service
    make_all(service)
    for number, path in enumerate((*CAN_BE_PUT, POLICY), 1):
        tag = packed(how, service.get(path).headers["etag"])

        assert service.put(path, body(path, number), f'"0", {tag}').status_code == 200
        assert refusal(service.put(path, body(path, 9), tag))[0] == 412
        now = packed(how, service.get(path).headers["etag"])
        has = service.get(path, headers={"If-None-Match": f'"0", {now}'})
        assert (has.status_code, has.content) == (304, b"")
    listed = packed(how, service.get("/cities").headers["etag"])
    assert service.get("/cities", headers={"If-None-Match": listed}).status_code == 304


def test_a_header_that_is_sent_twice_is_one_list(sqlite_service):
    make_all(sqlite_service)
    headers = [
        *sqlite_service.bearer("organiser").items(),
        ("If-Match", '"7"'),
        ("If-Match", '"1"'),
    ]

    answer = sqlite_service.client.put(
        f"/api/v1{CITY}", json=body(CITY, 1), headers=headers
    )

    assert answer.status_code == 200


# What is not there.


@pytest.mark.parametrize("tag", ['"1"', "*", 'W/"1"', '"1-gzip"', '"7", "8"'])
def test_nothing_is_brought_back_by_a_tag(sqlite_service, tag):
    service = sqlite_service
    make_all(service)
    assert service.delete(TAKING_PART).status_code == 204
    assert refusal(service.put(TAKING_PART, body(TAKING_PART, 0), tag))[0] == 412
    for path in (ROUND, CITY):
        assert service.delete(path).status_code == 204
        assert refusal(service.put(path, body(path, 0), tag))[:2] == (412, "stale")
    for path in (POLICY, TAKING_PART):  # of a round that is not there
        assert refusal(service.put(path, body(path, 0), tag))[0] == 412
    for path in (CITY, ROUND, TAKING_PART, POLICY):
        assert service.get(path).status_code == 404

    make_all(service)
    for path in CAN_BE_PUT:
        answer = service.get(path)
        assert answer.headers["etag"] not in tag
        assert refusal(service.put(path, body(path, 3), '"1"'))[0] == 412
        assert service.get(path).content == answer.content


def test_every_put_to_what_is_not_there_is_refused(sqlite_service):
    service = sqlite_service
    register(service, city("ghent"))
    sent = {
        "/cities/nowhere": city("nowhere"),
        "/rounds/nowhere": {"name": "N"},
        "/rounds/nowhere/policy": {},
        "/rounds/nowhere/participants/ghent": {},
        f"/cities/ghent/practices/{MISSING}": {"area": "housing", "title": "T"},
        f"/cities/nowhere/practices/{MISSING}": {"area": "housing", "title": "T"},
        f"/cities/ghent/contacts/{MISSING}": {"name": "N. Obody"},
        f"/cities/nowhere/contacts/{MISSING}": {"name": "N. Obody"},
    }
    answers = [service.put(path, body, '"1"') for path, body in sent.items()]
    guarded = [
        path for path in service.client.app.openapi()["paths"] if puts(service, path)
    ]

    assert {refusal(answer)[:2] for answer in answers} == {(412, "stale")}
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert not any("etag" in answer.headers for answer in answers)
    # Whoever adds another adds it above.
    assert len(guarded) == len(sent) - 2


def puts(service, path: str) -> set[str]:
    """Return which preconditions a PUT there declares."""
    put = service.client.app.openapi()["paths"][path].get("put", {"parameters": []})
    names = {one["name"].lower() for one in put.get("parameters", [])}
    return names & {"if-match", "if-none-match"}


def test_other_verbs_to_what_is_not_there_stay_not_found(sqlite_service):
    service = sqlite_service
    register(service, city("ghent"))
    for path in ("/cities/res", "/rounds/r", f"/cities/ghent/contacts/{MISSING}"):
        assert service.delete(path).status_code == 404
    for path in ("/cities/res", "/rounds/r"):
        answer = service.call("PATCH", path, json={}, headers={"If-Match": "*"})
        assert answer.status_code == 404
    verb = service.post("/rounds/r/phase", {"to": "open"}, headers={"If-Match": "*"})
    assert verb.status_code == 404


def test_what_exists_is_not_made_anew(sqlite_service):
    service = sqlite_service
    only_new = {"If-None-Match": "*"}
    for path in CAN_BE_PUT:
        made = service.call("PUT", path, json=body(path, 0), headers=only_new)
        assert made.status_code == 201
        again = service.call("PUT", path, json=body(path, 1), headers=only_new)
        assert refusal(again)[:2] == (412, "stale")
        assert again.headers["etag"] == made.headers["etag"]
        both = only_new | {"If-Match": made.headers["etag"]}
        assert service.call("PUT", path, json={}, headers=both).status_code != 200
        assert service.get(path).headers["etag"] == made.headers["etag"]
    creating = [
        path
        for path in service.client.app.openapi()["paths"]
        if "if-none-match" in puts(service, path)
    ]
    assert len(creating) == len(CAN_BE_PUT)


def test_a_tag_tells_nobody_what_is_not_theirs_to_see(sqlite_service):
    service = sqlite_service
    register(service, city("ghent"))
    add_officer(service, "ghent")
    service.put("/rounds/hidden", {"name": "Hidden"})
    service.put("/rounds/gone", {"name": "Gone"})
    service.delete("/rounds/gone")
    told = defaultdict(set)
    for round_id in ("hidden", "gone", "unborn"):
        for inside in ("", "/policy", "/participants/ghent"):
            for headers in (
                {},
                {"If-Match": "*"},
                {"If-Match": '"1"'},
                {"If-None-Match": "*"},
            ):
                answer = service.call(
                    "PUT",
                    f"/rounds/{round_id}{inside}",
                    "ghent",
                    json={"name": "N"} if inside == "" else {},
                    headers=headers,
                )
                said = answer.json()["detail"].replace(round_id, "…")
                told[inside, str(headers)].add(
                    (answer.status_code, said, answer.headers.get("etag"))
                )

    assert [answers for answers in told.values() if len(answers) != 1] == []
    assert all(tag is None for answers in told.values() for _, _, tag in answers)


def test_what_is_remembered_tells_of_no_person_and_of_no_participant(sqlite_service):
    service = sqlite_service
    make_all(service)
    contact = service.post(f"{CITY}/contacts", {"name": "A. Person"}).json()["id"]
    assert service.delete(f"{CITY}/contacts/{contact}").status_code == 204
    for path in (TAKING_PART, ROUND, CITY):
        assert service.delete(path).status_code == 204

    with service.client.app.state.database.read() as session:
        rows = session.execute(select(LastVersion.path, LastVersion.version)).all()

    assert sorted(rows) == [(CITY, 1), (ROUND, 1)]


# No version twice.


def test_what_is_made_anew_begins_above_what_was_there(service):
    make_all(service)
    for number in (1, 2, 3):
        assert service.put(POLICY, body(POLICY, number), "*").status_code == 200
        for path in CAN_BE_PUT:
            assert service.put(path, body(path, number), "*").status_code == 200
    before = {path: service.get(path).headers["etag"] for path in (*CAN_BE_PUT, POLICY)}
    for path in (ROUND, CITY):
        assert service.delete(path).status_code == 204

    make_all(service)

    after = {path: service.get(path).headers["etag"] for path in before}
    assert all(int(after[path][1:-1]) > int(before[path][1:-1]) for path in before)


def test_the_copy_of_a_round_begins_above_what_was_there(sqlite_service):
    service = sqlite_service
    open_round(service, city("amiens", "mentor"), city("bruges"))
    copy = {"id": "copy", "name": "Copy", "copy_of": "trial"}
    assert service.post("/rounds", copy).status_code == 201
    path = "/rounds/copy/participants/amiens"
    assert service.put(path, {"mentor_capacity": 3}, "*").status_code == 200
    before = service.get(path).headers["etag"]
    assert service.delete("/rounds/copy").status_code == 204

    assert service.post("/rounds", copy).status_code == 201

    assert int(service.get(path).headers["etag"][1:-1]) > int(before[1:-1])


STEPS = st.tuples(
    st.sampled_from(("put", "put", "put", "delete")),
    st.sampled_from((*CAN_BE_PUT, POLICY)),
    st.integers(0, 3),
    # By -1, the newest tag that was read there.
    st.sampled_from((None, "*", *range(-3, 6), -1, -1, -1)),
    st.sampled_from(("{}", *PACKED)),
)


class Walk:
    """One caller who keeps every tag that was ever read.

    Attributes:
        meant: What each tag stood for, by path.

    """

    def __init__(self, service) -> None:
        self.service = service
        self.meant: dict[str, dict[str, bytes]] = defaultdict(dict)
        self.there = self.look()

    def look(self) -> dict[str, tuple[str, bytes]]:
        """Return tag and content of what is there; each tag means what it meant."""
        there = {}
        for path in (*CAN_BE_PUT, POLICY):
            answer = self.service.get(path)
            if answer.status_code == 200:
                tag = answer.headers["etag"]
                there[path] = tag, answer.content
                said = self.meant[path].setdefault(tag, answer.content)
                assert said == answer.content
        return there

    def tag(self, path: str, which: int | str | None, how: str) -> str | None:
        if not isinstance(which, int):
            return which
        known = list(self.meant[path]) or ['"1"']
        return packed(how, known[which % len(known)])

    def step(self, verb: str, path: str, number: int, tag: str | None) -> None:
        before = self.there
        if verb == "put":
            answer = self.service.put(path, body(path, number), tag)
        else:
            answer = self.service.delete(path, tag)
        after = self.there = self.look()
        if tag is not None and not (
            path in before and etags.fits(etags.read(tag), before[path][0])
        ):
            refused = {412} if verb == "put" else {404, 405, 412}
            assert answer.status_code in refused
        if not answer.is_success:
            assert after == before
        elif verb == "put":
            assert answer.headers["etag"] == after[path][0]
            assert answer.status_code == (200 if path in before else 201)


@ON_SQLITE
def test_no_tag_means_two_things_and_a_stale_one_never_writes(idle_service):
    walk = Walk(idle_service)

    @given(st.lists(STEPS, min_size=8, max_size=20))
    @settings(max_examples=10, derandomize=True, deadline=None, database=None)
    def go(steps):
        for path in CAN_BE_PUT:
            walk.step("put", path, 0, None)
        for verb, path, number, which, how in steps:
            walk.step(verb, path, number, walk.tag(path, which, how))

    go()

    assert min(len(walk.meant[path]) for path in CAN_BE_PUT) > 5
