"""The facts that ship with the service."""

import json
import tomllib
from pathlib import Path

import app.data
from app import data
from matching import __version__, match
from schemas import AREA_IDS

FACTS = json.loads((Path(app.data.__file__).parent / "inclucities.json").read_text())


def test_every_city_has_its_source_and_every_tag_is_an_area():
    assert len(FACTS["cities"]) == 9
    for fact in FACTS["cities"]:
        assert fact["source"].startswith("https://inclucities.eu/pair-")
        assert {"value", "of"} <= set(fact["population"])
        assert fact["place"]["geonames"]
        for kind in ("needs", "strengths", "practices"):
            for entry in fact[kind]:
                assert entry["words"]
                assert set(entry["areas"]) <= set(AREA_IDS)


def test_the_rule_counts_entries_and_leaves_out_what_came_after():
    entries = [
        {"areas": ["housing", "health"]},
        {"areas": ["housing"]},
        {"areas": ["gender"], "after_pairing": "chosen during the mentoring"},
    ]

    assert data.levels(entries) == {"housing": 4, "health": 3}


def test_partinico_is_known_and_takes_no_part():
    assert [city.name for city in data.withdrawn()] == ["Partinico"]
    assert "partinico" not in {city.id for city in data.inclucities().cities}


def test_shares_keep_their_own_definitions():
    shares = {
        city.id: city.migrant_share.definition
        for city in data.inclucities().cities
        if city.migrant_share
    }

    assert shares == {
        "brussels": "foreign_origin",
        "saint-jean-de-la-ruelle": "foreign_origin",
        "mechelen": "migration_background",
        "fuenlabrada": "foreign_origin",
        "livadia": "other",
        "schaerbeek": "foreign_origin",
        "jelgava": "ethnic_minority",
    }


def test_the_real_pairs_are_proposed_whatever_the_cities_are_called():
    request = data.inclucities()
    # Without the names, nothing could know the pairs.
    blank = {city.id: f"x{at}" for at, city in enumerate(request.cities)}
    cities = tuple(
        city.model_copy(update={"id": blank[city.id], "name": "x"})
        for city in request.cities
    )

    found = match(
        request.problem().model_copy(update={"cities": cities}), request.policy
    )

    assert {(pair.mentor, pair.learner) for pair in found.pairings} == {
        (blank[mentor], blank[learner]) for mentor, learner in data.real_pairs()
    }


def test_the_version_stands_in_two_places_alike():
    project = tomllib.loads(Path("pyproject.toml").read_text())

    assert project["project"]["version"] == __version__
