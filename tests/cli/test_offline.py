"""The commands that answer from a file, without a server."""

import json

import pytest
from typer.testing import CliRunner

import matching
from app.cli import cli
from app.texts.matching.why_not import sentences
from schemas import Repairs, Solution
from tests.fixtures.cities import INCLUCITIES

PROBLEM, POLICY = INCLUCITIES.problem(), INCLUCITIES.policy
BAN = {"mentor": "nobody", "learner": "capaci"}
UNKNOWN = json.dumps(INCLUCITIES.to_dict() | {"policy": {"bans": [BAN]}}).encode()


@pytest.fixture
def body(tmp_path):
    path = tmp_path / "round.json"
    path.write_text(json.dumps(INCLUCITIES.to_dict()), "utf-8-sig")
    return path


def compaan(*arguments, **options):
    """Return exit code, stdout and stderr of the command."""
    done = CliRunner().invoke(cli, [str(one) for one in arguments], **options)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.stdout, done.stderr


def answered(*arguments, **options):
    code, out, err = compaan(*arguments, **options)
    assert (code, err) == (0, "")
    return json.loads(out)


def test_match_tells_how_firm_each_pairing_is(body, tmp_path):
    output = tmp_path / "solution.json"

    shown = answered("match", body, "--trials", 20)
    piped = answered("match", "-", "--trials", "20", input=body.read_bytes())
    compaan("match", body, "--trials", "20", "--output", output)

    assert shown == matching.match(PROBLEM, POLICY, trials=20).to_dict()
    assert shown == piped == json.loads(output.read_text())


def test_match_takes_another_objective(body):
    fair = POLICY.model_copy(update={"objective": "fair"})

    found = answered("match", body, "--objective", "fair")

    assert found == matching.match(PROBLEM, fair).to_dict()


def test_what_if_takes_pairs_again_and_again(body):
    found = answered(
        "what-if",
        body,
        *("--force", "schaerbeek", "capaci", "--force", "mechelen", "livadia"),
        *("--ban", "brussels", "jelgava"),
        *("--remove", "saint-jean-de-la-ruelle", "--objective", "served"),
    )

    expected = matching.what_if(
        PROBLEM,
        POLICY.model_copy(update={"objective": "served"}),
        force=[("schaerbeek", "capaci"), ("mechelen", "livadia")],
        ban=[("brussels", "jelgava")],
        remove=["saint-jean-de-la-ruelle"],
    )
    assert found == expected.to_dict()


@pytest.mark.parametrize("lang", ["en", "fr", "nl"])
def test_why_not_speaks_and_gives_the_facts(body, lang):
    said = compaan("why-not", body, "schaerbeek", "capaci", "--lang", lang)
    facts = answered("why-not", body, "schaerbeek", "capaci", "--json")

    found = matching.why_not(PROBLEM, POLICY, mentor="schaerbeek", learner="capaci")
    lines = sentences(found, PROBLEM.cities, lang)
    assert said == (0, "".join(f"{line}\n" for line in lines), "")
    assert facts == found.to_dict()


def test_repair_mends_what_match_found(body, tmp_path):
    solution = tmp_path / "solution.json"
    compaan("match", body, "--output", solution)
    leaving = ("--gone", "capaci", "--gone", "somebody-else")

    found = answered("repair", body, solution, *leaving, "--limit", 2)
    declined = answered(
        "repair", body, solution, "--decline", "mechelen", "capaci", "--limit", "1"
    )

    standing = Solution.model_validate_json(solution.read_bytes()).pairings
    pairs = [(pair.mentor, pair.learner) for pair in standing]
    gone = ["capaci", "somebody-else"]
    expected = matching.repair(PROBLEM, POLICY, pairs, gone=gone, limit=2)
    assert Repairs(**found) == Repairs(items=tuple(expected))
    expected = matching.repair(
        PROBLEM, POLICY, pairs, declined=[("mechelen", "capaci")], limit=1
    )
    assert Repairs(**declined) == Repairs(items=tuple(expected))


def test_drill_takes_every_city_out_in_turn(body):
    assert answered("drill", body) == matching.drill(PROBLEM, POLICY).to_dict()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("what-if", "--force", "x", "capaci"), "/force/0/mentor: "),
        (("what-if", "--force", "x"), "write the ids of a mentor and of a learner"),
        (("what-if", "--objective", "best"), "/objective: Input should be"),
        (("why-not", "x", "capaci"), "/mentor: No city has the id `x`."),
        (("why-not", "mechelen", "capaci", "--lang", "de"), "there are en, fr and nl"),
        (("repair", "none.json"), "none.json: No such file or directory"),
        (("match", "--trials", "-1"), "greater than or equal to 0"),
    ],
)
def test_wrong_words_are_complained_of_on_stderr_alone(body, arguments, says):
    code, out, err = compaan(arguments[0], body, *arguments[1:])

    assert (code, out) == (2, "")
    assert says in err


@pytest.mark.parametrize("command", ["match", "what-if", "why-not", "repair", "drill"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"cities": [{"id": "x"}]}', "/cities/0/name: This field is required"),
        (b'{"cities": [], "policy": {"objective": "x"}}', "/policy/objective: "),
        (b'{"cities": [], "policy": {"bans": [', "it is not JSON: "),
        (b"[]", "/: A problem is a JSON object."),
        (b"[" * 100_000, "it is nested too deep"),
        (b"\xff", "it is not UTF-8"),
        (UNKNOWN, "/policy/bans/0/mentor: No city has the id `nobody`."),
    ],
    ids=range(7),
)
def test_a_body_that_cannot_be_used_is_complained_of(tmp_path, command, content, says):
    path = tmp_path / "body.json"
    path.write_bytes(content)
    solution = tmp_path / "solution.json"
    solution.write_text(json.dumps(matching.match(PROBLEM, POLICY).to_dict()))
    more = {"why-not": ["mechelen", "capaci"], "repair": [solution]}.get(command, [])

    code, out, err = compaan(command, path, *more)

    assert (code, out) == (2, "")
    assert says in err


@pytest.mark.parametrize("command", ["match", "what-if", "why-not", "repair", "drill"])
def test_what_clashes_is_told_with_exit_code_3(tmp_path, command):
    clash = INCLUCITIES.to_dict()
    pair = {"mentor": "schaerbeek", "learner": "capaci"}
    clash["policy"] |= {"pins": [pair], "bans": [pair]}
    path = tmp_path / "clash.json"
    path.write_text(json.dumps(clash))
    solution = tmp_path / "solution.json"
    solution.write_text(json.dumps(matching.match(PROBLEM, POLICY).to_dict()))
    more = {"why-not": ["mechelen", "capaci"], "repair": [solution]}.get(command, [])

    code, out, err = compaan(command, path, *more)

    assert (code, out) == (3, "")
    assert err.startswith("/policy/pins/0: The pin schaerbeek – capaci clashes with ")
