"""A solution as a table and as a page to print, and what readiness tells before it."""

import csv
import io

import pytest

from app import data
from tests.fixtures.cities import INCLUCITIES, city, inclucities_round, open_round


def test_the_table_names_every_pairing_and_everybody_left_out(service):
    wild = city("c", name='=HYPERLINK("x")', country="FR")
    round_id = open_round(service, city("a", "mentor", country="NL"), city("b"), wild)

    run = service.post(f"/rounds/{round_id}/runs?wait=30", {}).json()
    answer = service.get(f"/runs/{run['id']}/solution.csv")

    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-type"].startswith("text/csv")
    paired, left = csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))
    solution = service.get(f"/runs/{run['id']}/solution").json()
    (pair,) = solution["pairings"]
    assert (paired["mentor_id"], paired["learner_id"]) == ("a", pair["learner"])
    assert float(paired["score"]) == pair["score"]
    points = sum(float(paired[k]) for k in paired if k.startswith("points_"))
    assert points == pytest.approx(pair["score"])
    assert left["unmatched_role"] == "learner"
    assert left["reasons"] == "all_places_taken (1)"
    assert "'=HYPERLINK" in answer.text


def test_the_page_to_print_gives_reasons_and_runs_nothing(service):
    round_id = inclucities_round(service)
    run = service.post(f"/rounds/{round_id}/runs?wait=30", {}).json()

    page = service.get(f"/runs/{run['id']}/solution.html")

    assert "Mechelen is strong in 5 of the 6 areas that Capaci needs" in page.text
    assert "<script" not in page.text
    assert "style-src 'self'" in page.headers["content-security-policy"]
    for pair in data.real_pairs():
        names = [city.name for city in INCLUCITIES.cities if city.id in pair]
        assert all(name in page.text for name in names)


def test_readiness_tells_supply_demand_and_what_bites(service):
    round_id = open_round(
        service,
        city("a", "mentor", areas={"housing": {"strength": 4}}, mentor_capacity=2),
        city("b", areas={"housing": {"need": 2}}),
        city("c", areas={"health": {"need": 3}}, country="FR", learner_demand=2),
        policy={"rules": {"different_country": True}},
    )

    readiness = service.get(f"/rounds/{round_id}/readiness").json()

    assert (readiness["mentor_places"], readiness["learner_places"]) == (2, 3)
    assert (readiness["pairs"], readiness["admissible_pairs"]) == (2, 1)
    assert readiness["areas"] == [
        {
            "area": "housing",
            "learners": 1,
            "need": 2,
            "mentors": 1,
            "strength": 4,
            "places": 2,
        },
        {
            "area": "health",
            "learners": 1,
            "need": 3,
            "mentors": 0,
            "strength": 0,
            "places": 0,
        },
    ]
    assert readiness["thin_areas"] == ["health"]
    assert readiness["rules"] == [
        {"rule": "different_country", "pairs": 1, "learners_without": ["b"]}
    ]
    assert [(f["code"], f["city"], f["area"]) for f in readiness["findings"]] == [
        ("too_few_places", None, None),
        ("thin_area", None, "health"),
        ("learner_without_mentor", "b", None),
    ]
