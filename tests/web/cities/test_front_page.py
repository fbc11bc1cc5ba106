"""The front page with its example, whose reasons everybody may read."""

import re
from html import unescape

import pytest

from app.services.runs.example import example, why
from app.texts.matching import pair
from tests.fixtures.cities import city, compute, open_round, register
from tests.web.cities.reading import buttons, levels

PAIRS = {
    ("brussels", "saint-jean-de-la-ruelle"),
    ("mechelen", "capaci"),
    ("fuenlabrada", "livadia"),
    ("schaerbeek", "jelgava"),
}


def test_the_front_page_shows_the_example_to_everybody(nobody):
    register(nobody.service, city("secret", name="A network of its own"))

    nobody.open("/")

    assert nobody.status == 200
    arcs = re.findall(
        r'class="arc-link" href="/demo/([\w-]+)/([\w-]+)"', nobody.page.text
    )
    assert set(arcs) == PAIRS
    assert len(arcs) == 4
    assert "Left before the round: <bdi>Partinico</bdi> (Italy)" in nobody.page.text
    assert (
        nobody.page.text.count("ring-gone") == 1 + 1
    )  # the city, and what a ring means
    assert "no proof of quality: only 24 sets of pairs" in nobody.page.text
    assert "network of its own" not in nobody.page.text
    for one in example().solution.pairings:
        assert f'<td class="number">{one.score:.1f}</td>' in nobody.page.text


def test_the_example_is_matched_once(nobody, monkeypatch):
    nobody.open("/")
    monkeypatch.setattr("matching.match", None)

    assert nobody.open("/").status == 200
    assert example() is example()
    assert {(p.mentor, p.learner) for p in example().solution.pairings} == PAIRS
    assert all(p.firmness is not None for p in example().solution.pairings)


@pytest.mark.parametrize(
    ("role", "doors"),
    [
        (None, ["/sign-in?to=/rounds", "/sign-in?to=/cities", "/api/docs"]),
        (
            "officer",
            [
                "/rounds",
                "/cities/mechelen/edit",
                "/cities/mechelen/like",
                "/api/docs",
            ],
        ),
        ("organiser", ["/rounds", "/cities/import", "/cities", "/api/docs"]),
        ("auditor", ["/rounds", "/cities", "/api/docs"]),
    ],
)
def test_the_doors_lead_everybody_on(nobody, role, doors):
    if role:
        nobody.sign_in(role)

    assert buttons(nobody.open("/")) == doors
    assert "waits for your answer" not in nobody.page.text


def test_an_officer_is_led_to_an_open_offer(nobody):
    needs, meets = {"health": levels(need=3)}, {"health": levels(strength=4)}
    service = nobody.service
    round_id = open_round(
        service,
        city("mechelen", "mentor", areas=meets),
        city("brno", areas=needs),
        city("cork", "mentor", areas=meets),
        city("ghent", areas=needs),
    )
    run = compute(service, round_id)
    for path, sent in (
        ("phase", {"to": "closed"}),
        ("stage", {"run": run}),
        ("release", {}),
    ):
        answer = service.post(f"/rounds/{round_id}/{path}", sent)
        assert answer.is_success, answer.text
    (own,) = (
        one["id"]
        for one in service.get(f"/rounds/{round_id}/pairings").json()["items"]
        if one["mentor"] == "mechelen"
    )
    nobody.sign_in("officer").open("/")

    assert re.findall(r'href="(/pairings/\w+)"', nobody.page.text) == [
        f"/pairings/{own}"
    ]
    assert "1 pairing waits for your answer." in nobody.page.text
    answered = {"side": "mentor", "answer": "accept"}
    service.post(f"/pairings/{own}/answer", answered, "officer")
    assert "/pairings/" not in nobody.open("/").page.text
    assert "/pairings/" not in nobody.sign_in("organiser").open("/").page.text


@pytest.mark.parametrize(
    ("mentor", "learner"), [("mechelen", "capaci"), ("fuenlabrada", "livadia")]
)
def test_the_reasons_of_the_example_are_public_and_add_up(nobody, mentor, learner):
    names = {one.id: one.name for one in example().problem.cities}
    known = {one.id: one for one in example().problem.cities}
    reasons = why(known[mentor], known[learner])

    for tongue in ("en", "fr", "nl"):
        shown = nobody.open(f"/demo/{mentor}/{learner}?lang={tongue}")
        assert shown.status == 200
        for sentence in pair.explained(reasons, names[mentor], names[learner], tongue):
            assert f"<li>{sentence}</li>" in unescape(shown.page.text), sentence
    nobody.open(f"/demo/{mentor}/{learner}?lang=en")
    widths = re.findall(
        r'class="bar-\w+" x="[\d.]+" width="([\d.]+)"', nobody.page.text
    )
    assert sum(map(float, widths)) == pytest.approx(reasons.score)
    assert (
        f"{reasons.score:.1f} of the {reasons.known_weight:.1f} points"
        in nobody.page.text
    )
    assert "The program proposes this pairing" in nobody.page.text


def test_a_pair_that_is_not_proposed_is_told_so_and_no_other_pair_is_known(nobody):
    shown = nobody.open("/demo/mechelen/jelgava")

    assert "The program does not propose this pair" in shown.page.text
    links = re.findall(r'href="/demo/([\w-]+)/([\w-]+)"', shown.page.text)
    assert len(set(links)) == 15
    assert ("mechelen", "jelgava") not in links
    for path in ("/demo/capaci/mechelen", "/demo/mechelen/partinico", "/demo/x/y"):
        assert nobody.open(path).status == 404
