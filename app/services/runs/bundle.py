"""The sealed bundle of a run: everything that somebody needs to compute it again.

A ZIP file with the problem, the policy, the solution, and a manifest that has a digest
of each. That of a release also has the decision: what was offered, and what organisers
decided otherwise than the run proposes. The same run gives the same bytes. It holds
wishes and vetoes: it is for organisers and auditors.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ValidationError

import matching
from app.services.runs import runs
from app.services.runs.zip_read import ZIP_ERRORS
from schemas import Origin, Policy, Problem, Solution

FORMAT = 1
SAME, DIFFERENT, BROKEN, OTHER_VERSIONS = 0, 1, 2, 3
_PARTS = ("problem.json", "policy.json", "solution.json")
_MANIFEST = "manifest.json"
_DECISION = "decision.json"
"""In the bundle of a release only."""
_MOST_BYTES = 512 * 2**20
"""Most bytes of a file in a bundle: a ZIP file may claim to hold anything."""
_MOST_TRIALS = 100_000
"""Most trials that are made again: a manifest may ask for anything."""
_BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The oldest time that a ZIP file knows: when it was written is no part of it."""


class Broken(ValueError):
    """The file is no bundle, or was changed after it was sealed."""


class Decided(BaseModel, frozen=True, extra="forbid"):
    """A pairing of the decision: why it was offered, or was not."""

    mentor: str
    learner: str
    origin: Origin
    reason: str | None
    price: float | None


class Released(BaseModel, frozen=True, extra="forbid"):
    """What was decided about a run's pairings.

    Attributes:
        at: When they were offered.
        pairings: What was offered, by learner, then mentor.
        dismissed: What the run proposes and organisers took out.

    """

    at: datetime
    pairings: tuple[Decided, ...]
    dismissed: tuple[Decided, ...]


@dataclass(frozen=True)
class Bundle:
    """What is in a bundle.

    Attributes:
        problem: What was matched.
        policy: How.
        solution: What came of it.
        trials: Perturbed trials that its firmness rests on.
        released: What was decided about it, in the bundle of a release.

    """

    problem: Problem
    policy: Policy
    solution: Solution
    trials: int
    released: Released | None = None


def seal(found: runs.Outcome, released: Released | None = None) -> bytes:
    """Return the bundle of a run, or of its release, as a ZIP file."""
    parts = dict(
        zip(
            _PARTS,
            map(_written, (found.problem, found.policy, found.solution)),
            strict=True,
        )
    )
    if released is not None:
        parts[_DECISION] = _written(released)
    manifest = {
        "format": FORMAT,
        "run": found.run.id,
        "round": found.run.round,
        "trials": _trials(found),
        "versions": found.solution.versions,
        "problem_hash": found.solution.problem_hash,
        "policy_hash": found.solution.policy_hash,
        "sha256": {name: digest(part) for name, part in parts.items()},
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, part in {_MANIFEST: _json(manifest), **parts}.items():
            entry = zipfile.ZipInfo(name, _BEGINNING)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            file.writestr(entry, part)
    return content.getvalue()


def _trials(found: runs.Outcome) -> int:
    """Return how many trials the run has made: all of them, or none."""
    tried = any(pair.firmness is not None for pair in found.solution.pairings)
    return runs.trials(found.problem, found.policy) if tried else 0


def _written(value: BaseModel) -> bytes:
    return _json(value.model_dump(mode="json"))


def _json(value: Any) -> bytes:  # noqa: ANN401 -- any JSON
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def digest(content: bytes) -> str:
    """Return the SHA-256 of the content, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def unseal(content: bytes) -> Bundle:
    """Return what is in the ZIP file, or raise `Broken`."""
    parts = _unpacked(content)
    try:
        manifest = json.loads(parts.pop(_MANIFEST))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise Broken(f"{_MANIFEST} is not JSON.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise Broken(f"{_MANIFEST} is not of format {FORMAT}.")
    digests, trials = manifest.get("sha256"), manifest.get("trials")
    if not (
        isinstance(digests, dict)
        and isinstance(trials, int)
        and 0 <= trials <= _MOST_TRIALS
    ):
        raise Broken(f"{_MANIFEST} is not complete.")
    if digests.keys() != parts.keys():
        raise Broken("What is in it is not what its manifest lists.")
    for name, part in parts.items():
        if digests.get(name) != digest(part):
            raise Broken(f"{name} was changed after the bundle was sealed.")
    try:
        return Bundle(
            problem=Problem.model_validate_json(parts["problem.json"]),
            policy=Policy.model_validate_json(parts["policy.json"]),
            solution=Solution.model_validate_json(parts["solution.json"]),
            trials=trials,
            released=(
                Released.model_validate_json(parts[_DECISION])
                if _DECISION in parts
                else None
            ),
        )
    except ValidationError as error:
        raise Broken(f"What is in it cannot be read: {error}") from error


def _unpacked(content: bytes) -> dict[str, bytes]:
    """Return the files in the ZIP file, or raise `Broken`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            more = (_DECISION,) if _DECISION in file.namelist() else ()
            return {name: _read(file, name) for name in (_MANIFEST, *_PARTS, *more)}
    except Broken:
        raise
    except (*ZIP_ERRORS, OSError) as error:
        raise Broken("It is no ZIP file that can be read.") from error


def _read(file: zipfile.ZipFile, name: str) -> bytes:
    try:
        entry = file.getinfo(name)
    except KeyError:
        raise Broken(f"There is no {name} in it.") from None
    if entry.file_size > _MOST_BYTES:
        raise Broken(f"{name} is too long.")
    return file.read(entry)


def verify(bundle: Bundle) -> tuple[int, list[str]]:
    """Compute a bundle's run again; return the exit code and what to say.

    `SAME`: byte for byte the same. `DIFFERENT`: not, though the versions are. With
    other versions it is `OTHER_VERSIONS`, and the differences, if there are any.
    """
    then = bundle.solution
    problem, policy = bundle.problem, bundle.policy
    hashes = matching.problem_hash(problem), matching.policy_hash(policy)
    if hashes != (then.problem_hash, then.policy_hash):
        return DIFFERENT, ["The solution is of another problem or another policy."]
    strange = list(_unexplained(bundle))
    if strange:
        return DIFFERENT, ["The decision does not follow from the run:", *strange]
    try:
        now = matching.match(problem, policy, trials=bundle.trials)
    except (matching.InvalidPolicy, matching.Infeasible) as error:
        return OTHER_VERSIONS, [f"This version of Compaan refuses it: {error}"]
    if _written(now) == _written(then):
        pairings = len(now.pairings)
        summary = f"The same, byte for byte: {pairings} pairings, {hashes[0]}."
        return SAME, [summary, *_decision(bundle.released)]
    changed = list(_changes(then.to_dict(), now.to_dict()))
    if now.versions == then.versions:
        return DIFFERENT, ["Not the same, though the versions are:", *changed]
    versions = [
        f"{name}: {then.versions.get(name, 'none')} then, {version} now"
        for name, version in now.versions.items()
        if then.versions.get(name) != version
    ]
    same = ["Everything else is the same."]
    changed = [line for line in changed if not line.startswith("/versions")]
    return OTHER_VERSIONS, ["Other versions:", *versions, *(changed or same)]


def _unexplained(bundle: Bundle) -> Iterator[str]:
    """Yield what was released otherwise than proposed, and by nobody's decision."""
    if bundle.released is None:
        return
    proposed = {(pair.mentor, pair.learner) for pair in bundle.solution.pairings}
    offered = {(one.mentor, one.learner): one for one in bundle.released.pairings}
    dismissed = {(one.mentor, one.learner) for one in bundle.released.dismissed}
    for mentor, learner in sorted(proposed - offered.keys() - dismissed):
        yield f"{mentor} → {learner} was proposed, and neither offered nor dismissed."
    for (mentor, learner), one in offered.items():
        if (mentor, learner) not in proposed and one.origin != "repair":
            yield f"{mentor} → {learner} was offered, and not proposed."


def _decision(released: Released | None) -> Iterator[str]:
    """Yield what was decided by hand about the run's pairings."""
    if released is None:
        return
    yield f"{len(released.pairings)} pairings were offered."
    for one in released.pairings:
        if one.origin != "proposal":
            price = "" if one.price is None else f", price {one.price:.1f} points"
            yield f"  {one.mentor} → {one.learner}: {one.origin}{price}: {one.reason}"
    for one in released.dismissed:
        yield f"  {one.mentor} → {one.learner}: dismissed: {one.reason}"


def _changes(then: Any, now: Any, place: str = "") -> Iterator[str]:  # noqa: ANN401 -- any JSON
    """Yield every place in which two JSON values differ, with both."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys((*then, *now)):
            yield from _changes(then.get(key), now.get(key), f"{place}/{key}")
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for at, (one, other) in enumerate(zip(then, now, strict=True)):
            yield from _changes(one, other, f"{place}/{at}")
    elif then != now:
        yield f"{place}: {_short(then)} then, {_short(now)} now"


def _short(value: Any) -> str:  # noqa: ANN401 -- any JSON
    text = json.dumps(value, ensure_ascii=False)
    most = 80
    return text if len(text) <= most else f"{text[:most]}…"
