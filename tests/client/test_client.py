"""The client against the real service, over good lines and bad ones."""

import re
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.db import Database
from client import (
    Compaan,
    Conflict,
    Forbidden,
    Infeasible,
    InvalidInput,
    NoPrecondition,
    NotFound,
    NotInTime,
    RunFailed,
    Stale,
    TooMany,
    Unauthenticated,
    Unavailable,
    Unreachable,
)
from schemas import (
    Change,
    City,
    Decision,
    OverrideWrite,
    Pair,
    ParticipationWrite,
    Policy,
    Practice,
    RoundNew,
    Rules,
)
from tests.client.proxy import proxy
from tests.fixtures.cities import INCLUCITIES, city
from tests.fixtures.process import served
from tests.fixtures.service import add_accounts

README = Path(__file__).parents[2] / "client" / "README.md"


@pytest.fixture(scope="module")
def server(_copy_sqlite):
    """Return a running service of this module, with a token for every role."""
    url = _copy_sqlite()
    database = Database(url)
    tokens = add_accounts(database)
    database.close()
    with served(url, tokens, match_per_minute="3") as running:
        yield running


@pytest.fixture
def network(server):
    with Compaan(server.address, server.tokens["organiser"]) as client:
        yield client


@pytest.fixture
def line(server):
    with proxy(server.address) as between:
        yield between


def small(slug, role="learner", /, **fields) -> City:
    return City(**city(slug, role, **fields))


def test_the_readme_works(server, network, tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    network.register(small("readme-a", "mentor"))
    network.register(small("readme-b"))
    Path("cities.xlsx").write_bytes(network.export("xlsx"))
    code = code.replace("https://compaan.example.org", server.address)

    exec(code.replace("cmp_…", server.tokens["organiser"]), {})  # noqa: S102 -- our own

    assert "readme-a → readme-b: " in capsys.readouterr().out


def test_cities_are_read_saved_changed_and_deleted(network):
    ghent = network.register(small("ghent", association="VVSG"))
    lier = network.register(small("lier", country="NL", latitude=51.1, longitude=4.5))
    since = datetime.now(UTC)

    saved = network.save(ghent.with_(name="Gand", mentor_capacity=0))
    patched = network.change(saved, {"association": None, "needs_text": "Rents"})
    with pytest.raises(Stale) as stale:
        network.save(ghent.with_(name="Gent"))

    assert [error.pointer for error in stale.value.problem.errors] == [
        "/association",
        "/name",
        "/needs_text",
    ]
    assert network.city("ghent") == patched
    assert patched.value == saved.value.model_copy(
        update={"association": None, "needs_text": "Rents"}
    )
    assert (ghent.tag, saved.tag, patched.tag) == ('"1"', '"2"', '"3"')
    assert list(network.cities(country="NL")) == [lier.value]
    assert [one.id for one in network.cities(updated_since=since)] == ["ghent"]
    with pytest.raises(ValidationError):
        ghent.with_(latitude=100)
    network.delete(patched)
    with pytest.raises(NotFound, match="ghent"):
        network.city("ghent")
    assert [entry.action for entry in network.city_log("lier")] == ["city.created"]


@pytest.mark.parametrize("how", ['W/"{}"', '"{}-gzip"'])
def test_behind_a_proxy_that_compresses_all_is_saved(server, line, how):
    line.packed = lambda tag: how.format(tag.strip('"'))
    with Compaan(line.address, server.tokens["organiser"]) as network:
        city = network.register(small(f"packed-{line.server_address[1]}"))
        saved = network.save(city.with_(name="Gand"))
        changed = network.change(saved, {"needs_text": "Rents"})
        with pytest.raises(Stale):
            network.save(saved.with_(name="Gent"))
        network.delete(changed)

    assert (city.tag, changed.tag) != (saved.tag, saved.tag)
    assert saved.tag.startswith(how.partition("{")[0])
    assert changed.value.needs_text == "Rents"


@pytest.mark.parametrize("fault", [None, "dropped"])
def test_what_somebody_has_deleted_is_not_saved_anew(server, line, network, fault):
    name = f"deleted-{line.server_address[1]}"
    city = network.register(small(name))
    network.delete(city)
    line.fault = fault
    with (
        Compaan(line.address, server.tokens["organiser"]) as behind,
        pytest.raises(Stale, match="it was deleted"),
    ):
        behind.save(city)

    with pytest.raises(NotFound):
        network.city(name)


def test_practices_and_suggestions(network):
    network.register(small("strong", "mentor"))
    network.register(small("needy"))
    practice = Practice(area="housing", title="Rent guarantee", year=2021)

    kept = network.add_practice("strong", practice)

    assert network.practice("strong", kept.value.id) == kept
    assert network.practices("strong") == (kept.value,)
    assert network.suggestions("needy", limit=200)[0].learner == "needy"
    assert {one.id for one in network.policy_areas()} >= {"housing", "gender"}
    network.delete(kept)
    assert network.practices("strong") == ()


def test_lists_are_read_page_by_page(network, line, server):
    rows = "".join(f"page-{at:03},P{at},FI,learner,2\n" for at in range(120))
    done = network.import_cities(
        f"id,name,country,roles,need_housing\n{rows}".encode(), all_or_nothing=True
    )
    assert done.counts.new == 120

    with Compaan(line.address, server.tokens["auditor"]) as reader:
        cities = reader.cities(country="FI")
        first = next(cities)
        asked = len(line.seen)
        rest = list(cities)

    assert asked == 1
    assert [first.id, *(one.id for one in rest)] == [
        f"page-{at:03}" for at in range(120)
    ]
    assert len(line.seen) == 3


def test_files_go_in_and_out(network, tmp_path):
    sheet = tmp_path / "cities.csv"
    sheet.write_text("name,country,roles,needs\nAalst,BE,learner,housing\n,BE,,\n")

    looked = network.import_cities(sheet, dry_run=True)
    done = network.import_cities(str(sheet))
    again = network.import_cities(network.export("xlsx"))

    assert (looked.dry_run, looked.counts) == (True, done.counts)
    assert (done.counts.new, done.counts.wrong) == (1, 1)
    assert (again.counts.new, again.counts.changed, again.counts.wrong) == (0, 0, 0)
    assert network.import_template("xlsx").startswith(b"PK")
    with pytest.raises(InvalidInput) as wrong:
        network.import_cities(b"x,y\n1,2\n")
    assert wrong.value.problem.code == "invalid-file"


def set_up(network: Compaan, name: str) -> str:
    """Open a round with the cities of IncluCities; return its id."""
    round_id = network.open_round(RoundNew(name=name)).value.id
    for profile in INCLUCITIES.cities:
        with suppress(Conflict):  # it is there from another round
            network.register(profile)
        network.enter(round_id, profile.id)
    policy = network.policy(round_id)
    network.set_policy(policy.with_(**INCLUCITIES.policy.to_dict()))
    network.move(round_id, "open")
    return round_id


def test_a_round_from_its_cities_to_the_answers_of_them(network, server):
    trial = set_up(network, "Whole life")
    assert (network.readiness(trial).cities, network.round(trial).value.phase) == (
        8,
        "open",
    )
    with pytest.raises(NoPrecondition):
        network.enter(trial, "capaci")
    seen = network.round(trial)
    found = network.propose(trial, label="first")
    assert network.solution(found.run.id) == found.solution
    assert [run.label for run in network.runs(trial)] == ["first"]
    assert network.run(found.run.id).state == "succeeded"
    pair = found.solution.pairings[0]
    forced = Change(ban=(Pair(mentor=pair.mentor, learner=pair.learner),))
    assert network.what_if(found.run.id, forced).difference.removed != ()
    why = network.why_not(found.run.id, mentor=pair.mentor, learner=pair.learner)
    assert why.proposed
    assert network.drill(found.run.id).items != ()
    assert network.bundle(found.run.id).startswith(b"PK")
    network.move(trial, "closed")
    with pytest.raises(Stale):
        network.stage(seen, found.run.id)
    staged = network.stage(network.round(trial), found.run.id)
    price = network.override(
        staged, OverrideWrite(ban=forced.ban, reason="They met."), dry_run=True
    )
    assert (price.run, staged.value.phase) == (None, "staged")
    assert network.release(staged).value.phase == "released"
    pairing, *_ = network.pairings(trial, state="offered")
    assert network.explanation(pairing.id, "fr").language == "fr"
    network.answer(pairing.id, "mentor", "accept")
    network.answer(pairing.id, "learner", "decline", reason_code="timing")
    assert network.pairing(pairing.id).value.state == "declined"
    (repair, *_) = network.repairs(trial).items
    assert network.apply_repair(trial, repair.id).value.phase == "released"
    assert network.decision(trial).run == found.run.id
    assert network.release_bundle(trial).startswith(b"PK")
    assert network.health(trial).declined == 1
    assert network.scenarios(trial, [found.run.id]).runs[0].label == "first"
    other = next(one for one in network.pairings(trial) if one.state == "offered")
    network.withdraw(other.id, "The project ended.")
    with Compaan(server.address, server.tokens["officer"]) as officer:
        (shown,) = (one for one in officer.rounds() if one.phase == "released")
    assert shown == network.round(trial).value
    network.move(trial, "archived")


def test_runs_that_find_nothing_say_so(network):
    trial = set_up(network, "Nothing found")
    pair = {"mentor": "mechelen", "learner": "capaci", "reason": "x"}
    clash = INCLUCITIES.policy.model_copy(
        update={"pins": (Decision(**pair),), "bans": (Decision(**pair),)}
    )

    with pytest.raises(Infeasible) as none:
        network.propose(trial, policy=clash)
    with pytest.raises(NotInTime) as late:
        network.propose(trial, within=0)
    assert none.value.problem.errors[0].pointer.startswith("/pins/")
    assert network.wait_for(late.value.run.id).run.state == "succeeded"
    for _ in range(20):  # now and then a run is faster than we are
        run = network.start(trial)
        with suppress(Conflict):
            assert network.cancel(run.id).state == "cancelled"
            break
    assert network.cancel(run.id).state == "cancelled"
    with pytest.raises(RunFailed, match="cancelled"):
        network.wait_for(run.id)


def test_anybody_may_match(server):
    with Compaan(server.address, patience=0) as anybody:
        found = anybody.match(INCLUCITIES.cities, INCLUCITIES.policy)
        again = anybody.match(INCLUCITIES.cities)
        with pytest.raises(Infeasible):
            anybody.match(
                [small("a", "mentor"), small("b")],
                Policy(
                    rules=Rules(different_country=True),
                    pins=(Decision(mentor="a", learner="b", reason="x"),),
                ),
            )
        with pytest.raises(TooMany):  # a fourth one in a minute
            anybody.match(INCLUCITIES.cities)
        with pytest.raises(Unauthenticated):
            anybody.city("mechelen")

    assert len(found.pairings) == 4
    assert found.policy_hash != again.policy_hash


def live(network: Compaan, name: str) -> list[tuple[str, int]]:
    """Do each thing that has an effect once; return what the service has noted."""
    ids = f"{name}-a", f"{name}-b"
    one = network.register(small(ids[0], "mentor"))
    other = network.register(small(ids[1]))
    one = network.save(one.with_(name="Saved"))
    one = network.change(one, {"association": "VVSG"})
    kept = network.add_practice(ids[0], Practice(area="housing", title="Rents"))
    network.delete(kept)
    network.import_cities(f"id,needs_text\n{ids[1]},Rents\n".encode())
    network.delete(network.register(small(f"{name}-gone")))
    spare = network.register(small(f"{name}-spare")).value.id
    trial = network.open_round(RoundNew(id=name, name=name)).value.id
    for city_id in ids:
        network.enter(trial, city_id, ParticipationWrite(vetoes=(spare,)))
        network.change(network.round(trial), {"description": f"With {city_id}"})
    network.delete(network.participant(trial, ids[1]))
    network.enter(trial, ids[1])
    policy = network.policy(trial)
    network.set_policy(policy.with_(objective="served"))
    network.move(trial, "open")
    found = network.propose(trial)
    network.move(trial, "closed")
    network.stage(trial, found.run.id)
    network.release(trial)
    (pairing,) = network.pairings(trial)
    until = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    network.change(network.pairing(pairing.id), {"answer_by": until})
    network.answer(pairing.id, "mentor", "accept")
    network.answer(pairing.id, "learner", "accept")
    network.check_in(pairing.id, fit="good")
    assert len(list(network.check_ins(pairing.id))) == 1
    network.withdraw(pairing.id, "It ended.")
    assert other.tag == '"1"'
    logs = [network.round_log(trial), *map(network.city_log, ids)]
    return [(entry.action, at) for at, log in enumerate(logs) for entry in log]


@pytest.fixture(scope="module")
def once(server):
    """Return what the service notes when every request comes once."""
    with Compaan(server.address, server.tokens["organiser"]) as client:
        return live(client, "once")


@pytest.mark.parametrize("fault", ["dropped", "cut", "503"])
def test_everything_has_one_effect_over_a_bad_line(server, line, once, fault):
    line.fault = fault
    with Compaan(line.address, server.tokens["organiser"]) as client:
        noted = live(client, f"line-{fault}")

    assert noted == once
    assert len(line.seen) > 60


def test_a_change_of_somebody_else_is_never_taken_for_ours(network, line, server):
    network.register(small("twice"))
    network.open_round(RoundNew(id="twice", name="Twice"))
    network.enter("twice", "twice", ParticipationWrite(learner_demand=3))
    old = network.city("twice")
    network.change(old, {"name": "Theirs"})
    line.fault = "refused"
    with Compaan(line.address, server.tokens["organiser"]) as client:
        with pytest.raises(Stale):
            client.save(old.with_(name="Ours"))
        with pytest.raises(NoPrecondition):
            client.enter("twice", "twice", ParticipationWrite(learner_demand=2))

    assert network.city("twice").value.name == "Theirs"
    assert network.participant("twice", "twice").value.learner_demand == 3


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("dropped", Unreachable), ("503", Unavailable), ("429", TooMany)],
)
def test_a_line_that_stays_bad_ends_in_time(server, line, fault, kind):
    line.fault, line.always = fault, True
    token = server.tokens["organiser"]
    began = time.monotonic()

    with (
        Compaan(line.address, token, patience=0.5) as client,
        pytest.raises(kind) as ended,
    ):
        client.city("ghent")

    assert time.monotonic() - began < 3
    assert len(line.seen) > 1
    assert token not in f"{ended.value!r} {ended.value} {client!r} {vars(client)}"


def test_refusals_are_not_asked_again(server, line):
    with Compaan(line.address, server.tokens["officer"]) as client:
        for refused, ask in (
            (NotFound, lambda: client.city("nowhere")),
            (NotFound, lambda: client.city("../cities")),
            (Forbidden, lambda: client.open_round(RoundNew(name="Mine"))),
        ):
            with pytest.raises(refused):
                ask()

    assert len(line.seen) == 3
