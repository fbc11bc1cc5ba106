"""The sealed bundle of a run, and computing it again."""

import io
import json
import zipfile

import numpy as np
import pytest

import matching
from app.services.runs import bundle
from tests.cli.test_offline import compaan
from tests.fixtures.cities import compute, inclucities_round


@pytest.fixture
def sealed(sqlite_service):
    """Return the bundle of a stored run, as the service returns it."""
    run = compute(sqlite_service, inclucities_round(sqlite_service))
    return sqlite_service.get(f"/runs/{run}/bundle")


@pytest.fixture
def written(tmp_path, sealed):
    path = tmp_path / "bundle.zip"
    path.write_bytes(sealed.content)
    return path


def rewritten(content, **changes):
    """Return the ZIP file with some files replaced, and digests adapted or not."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    for name, change in changes.items():
        value = json.loads(parts[f"{name}.json"])
        change(value)
        parts[f"{name}.json"] = json.dumps(value).encode()
    manifest = json.loads(parts["manifest.json"])
    manifest["sha256"] = {
        name: bundle.digest(parts[name]) for name in manifest["sha256"]
    }
    parts["manifest.json"] = json.dumps(manifest).encode()
    again = io.BytesIO()
    with zipfile.ZipFile(again, "w") as file:
        for name, part in parts.items():
            file.writestr(name, part)
    return again.getvalue()


def test_a_bundle_holds_what_the_run_was_computed_from(sqlite_service, sealed):
    run = sealed.headers["content-disposition"].split("-")[-1][:8]
    (row,) = sqlite_service.get("/rounds/trial/runs").json()["items"]
    solution = sqlite_service.get(f"/runs/{row['id']}/solution").json()
    found = bundle.unseal(sealed.content)

    again = sqlite_service.get(f"/runs/{row['id']}/bundle")

    assert (sealed.status_code, sealed.headers["content-type"]) == (
        200,
        "application/zip",
    )
    assert row["id"].startswith(run)
    assert again.content == sealed.content
    assert found.solution.to_dict() == solution
    assert matching.problem_hash(found.problem) == row["problem_hash"]
    assert matching.policy_hash(found.policy) == row["policy_hash"]
    with zipfile.ZipFile(io.BytesIO(sealed.content)) as file:
        manifest = json.loads(file.read("manifest.json"))
    assert (manifest["run"], manifest["round"]) == (row["id"], "trial")


def test_a_bundle_is_computed_again_and_is_the_same(written):
    code, out, err = compaan("verify", written)

    assert (code, err) == (0, "")
    assert out.startswith("The same, byte for byte: 4 pairings, sha256:")


def test_trials_are_made_again(tmp_path, sqlite_service):
    round_id = inclucities_round(sqlite_service)
    run = compute(sqlite_service, round_id, trials=True)
    path = tmp_path / "bundle.zip"
    path.write_bytes(sqlite_service.get(f"/runs/{run}/bundle").content)

    assert bundle.unseal(path.read_bytes()).trials == 200
    assert compaan("verify", path)[0] == 0


def test_a_pairing_that_was_swapped_is_found_out(written, sealed):
    def swap(solution):
        first, second, *_ = solution["pairings"]
        first["mentor"], second["mentor"] = second["mentor"], first["mentor"]

    written.write_bytes(rewritten(sealed.content, solution=swap))

    code, out, err = compaan("verify", written)

    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "Not the same, though the versions are:",
        '/pairings/0/mentor: "schaerbeek" then, "mechelen" now',
        '/pairings/1/mentor: "mechelen" then, "schaerbeek" now',
    ]


def test_another_policy_than_the_solution_was_made_with_is_found_out(written, sealed):
    def loosen(policy):
        policy["rules"]["different_country"] = False

    written.write_bytes(rewritten(sealed.content, policy=loosen))

    assert compaan("verify", written)[:2] == (
        1,
        "The solution is of another problem or another policy.\n",
    )


@pytest.mark.parametrize("points", [0, 1])
def test_other_versions_are_told_with_what_differs(written, sealed, points):
    def older(solution):
        solution["versions"]["scipy"] = "1.0"
        solution["measures"]["total"] += points

    written.write_bytes(rewritten(sealed.content, solution=older))
    here = matching.match(matching.Problem(cities=())).versions["scipy"]
    total = bundle.unseal(sealed.content).solution.measures.total

    code, out, err = compaan("verify", written)

    assert (code, err) == (3, "")
    assert out.splitlines() == [
        "Other versions:",
        f"scipy: 1.0 then, {here} now",
        f"/measures/total: {total + 1} then, {total} now"
        if points
        else "Everything else is the same.",
    ]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda _: b"", "It is no ZIP file that can be read."),
        (lambda content: content[:-30], "It is no ZIP file that can be read."),
        (
            lambda content: rewritten(content, manifest=lambda m: m.update(format=9)),
            "manifest.json is not of format 1.",
        ),
        (
            lambda content: rewritten(content, manifest=lambda m: m.update(trials="x")),
            "manifest.json is not complete.",
        ),
        (
            lambda content: rewritten(
                content, manifest=lambda m: m.update(trials=10**9)
            ),
            "manifest.json is not complete.",
        ),
        (
            lambda content: rewritten(content, problem=lambda p: p.pop("cities")),
            "What is in it cannot be read: ",
        ),
    ],
    ids=range(6),
)
def test_what_is_no_bundle_is_said_to_be_none(written, sealed, spoil, says):
    written.write_bytes(spoil(sealed.content))

    code, out, err = compaan("verify", written)

    assert (code, out) == (2, "")
    assert err.startswith(f"{written}: {says}")


def test_a_spoilt_bundle_is_refused_wherever_it_is_spoilt(sealed):
    whole, random = bundle.unseal(sealed.content), np.random.default_rng(0)
    refused = 0

    for _ in range(1_000):
        spoilt = bytearray(sealed.content)
        for at in random.integers(len(spoilt), size=random.integers(1, 5)):
            spoilt[at] ^= 1 << random.integers(8)
        try:
            # A bit that says nothing, of a date say, may be another one.
            assert bundle.unseal(bytes(spoilt)) == whole
        except bundle.Broken:
            refused += 1

    assert refused > 900


def test_a_file_changed_after_sealing_is_found_out(written, sealed):
    with zipfile.ZipFile(io.BytesIO(sealed.content)) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    parts["policy.json"] = parts["policy.json"].replace(b"total", b"served")
    with zipfile.ZipFile(written, "w") as file:
        for name, part in parts.items():
            file.writestr(name, part)

    assert compaan("verify", written) == (
        2,
        "",
        f"{written}: policy.json was changed after the bundle was sealed.\n",
    )
    assert compaan("verify", "none.zip")[::2] == (
        2,
        "none.zip: No such file or directory\n",
    )
