"""What organisers do up to the release: phases, runs, staging and overrides."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from app.errors import Infeasible, details
from app.services.accounts import accounts
from app.services.accounts.tokens import add as add_token
from app.services.background import run_protocol
from matching import Infeasible as NothingFits
from matching import match
from tests.fixtures.cities import add_officer, city, register
from tests.services.decisions.life.model import (
    AREAS,
    CITIES,
    ORDER,
    WHY,
    anybody,
    as_pair,
    chance,
    some_places,
    two_cities,
)
from tests.services.decisions.life.taking_part import TakingPart


class BeforeRelease(TakingPart):
    @initialize(
        numbers=st.lists(some_places, min_size=6, max_size=6),
        begin=st.sampled_from(("draft", "closed", *["staged"] * 4, *["released"] * 4)),
    )
    def found(self, numbers, begin):
        profiles = [
            city(
                name,
                areas={
                    AREAS[at % 3]: {"need": 4, "strength": 1},
                    AREAS[(at + 1) % 3]: {"need": 1, "strength": 4 - at % 2},
                },
            )
            for at, name in enumerate(CITIES)
        ]
        register(self.service, *profiles)
        for name in CITIES[:-1]:
            add_officer(self.service, name)
        add_officer(self.service, "a", "assistant")
        add_officer(self.service, "elsewhere", "stranger")
        with self.database.write() as session:
            second = accounts.add_user(session, "o2@example.org", "organiser", None)
            self.service.tokens["second"] = add_token(session, second)
        self.service.post("/rounds", {"id": "life", "name": "Life"})
        for name, (most, fewer) in zip(CITIES, numbers, strict=True):
            sides = (most, fewer % 2) if name in "abc" else (fewer % 2, most)
            self.enter("organiser", name, *sides, None)
        while self.phase != begin:
            self.advance()

    @precondition(lambda self: self.phase in {"draft", "open", "closed", "staged"})
    @rule(
        actor=anybody,
        bans=st.lists(two_cities, max_size=2, unique=True),
        objective=st.sampled_from(("total", "served", "fair", "stable")),
    )
    def decide(self, actor, bans, objective):
        body = {"objective": objective, "bans": [as_pair(two) for two in bans]}
        refused = self.unseen(actor)
        if refused is None and not self.organises(actor):
            refused = 403 if self.oversees(actor) else 404
        if refused == 404:  # with If-Match, on what is not to be seen
            refused = 412
        if refused is None and self.phase not in {"draft", "open", "closed"}:
            refused = 409
        if refused is None and not self.taking.keys() >= {
            n for two in bans for n in two
        }:
            refused = 422
        idle = self.present_policy() == (objective, bans)
        answer = self.ask(
            "PUT", "/rounds/life/policy", actor, body=body, tag="*", idle=idle
        )
        assert answer.status_code == (refused or 200), answer.text

    def present_policy(self):
        now = self.service.get("/rounds/life/policy").json()
        bans = [(ban["mentor"], ban["learner"]) for ban in now["bans"]]
        plain = not now["pins"] and all(ban["reason"] is None for ban in now["bans"])
        return (now["objective"], bans) if plain else None

    @rule(actor=anybody, to=st.sampled_from(ORDER), why=st.booleans(), rarely=chance)
    def move(self, actor, to, why, rarely):
        if to == "archived" and rarely != 6:
            to = "closed"
        refused = self.not_organising(actor)
        step = ORDER.index(to) - ORDER.index(self.phase)
        idle = step == 0
        if refused is None and step:
            if (
                to in {"staged", "released"}
                or self.phase == "archived"
                or (to != "archived" and abs(step) != 1)
            ):
                refused = 409
            elif step < 0 and not why:
                refused = 422
        answer = self.ask(
            "POST",
            "/rounds/life/phase",
            actor,
            body={"to": to, "reason": "A reason." if why else None},
            idle=idle,
        )
        assert answer.status_code == (refused or 200), answer.text
        if refused is None and step:
            if self.phase == "staged":
                self.forget()
            self.phase = to
            if to == "archived":
                for one, (_, _, state, *_) in self.pairs.items():
                    if state == "offered":
                        self.end(one, "withdrawn")

    def forget(self):
        self.pairs = {
            one: row
            for one, row in self.pairs.items()
            if row[2] not in {"staged", "dismissed"}
        }

    @precondition(lambda self: self.phase in {"draft", "open", "closed"})
    @rule()
    def advance(self):
        """Take the round to its next phase: few would be released by chance alone."""
        if self.phase == "closed":
            self.compute("organiser")
            self.stage("organiser", 0, 9)
        elif self.phase == "staged":
            self.release("organiser", None, 9)
        else:
            following = ORDER[ORDER.index(self.phase) + 1]
            self.move("organiser", following, why=False, rarely=1)

    @precondition(lambda self: self.phase in {"draft", "open", "closed"})
    @rule(actor=anybody)
    def compute(self, actor):
        refused = self.not_organising(actor)
        if refused is None and self.phase not in {"open", "closed"}:
            refused = 409
        answer = self.ask("POST", "/rounds/life/runs", actor, body={})
        assert answer.status_code == (refused or 202), answer.text
        if refused is not None:
            return
        claimed = run_protocol.claim(self.database)
        try:
            solution = match(claimed.problem, claimed.policy)
        except NothingFits as error:
            why = details(Infeasible(str(error)))
            assert run_protocol.fail(self.database, claimed, why, "infeasible")
            self.runs[claimed.run] = None
        else:
            assert run_protocol.succeed(self.database, claimed, solution)
            self.runs[claimed.run] = [(p.mentor, p.learner) for p in solution.pairings]

    @precondition(lambda self: self.runs)
    @rule(actor=anybody, at=st.integers(0, 3), chosen=chance)
    def stage(self, actor, at, chosen):
        run = list(self.runs)[-1 - at % len(self.runs)]
        pairs = self.runs[run]
        tag, fresh = self.a_tag(chosen)
        refused = self.not_organising(actor)
        if refused is None and not fresh:
            refused = 412
        if refused is None and (
            self.phase not in {"closed", "staged"}
            or pairs is None
            or not self.fits(pairs)
            or any(map(self.vetoed, pairs))
            or set(pairs) & self.banned()
        ):
            refused = 409
        answer = self.ask(
            "POST", "/rounds/life/stage", actor, body={"run": run}, tag=tag
        )
        assert answer.status_code == (refused or 200), answer.text
        if refused is None:
            self.phase = "staged"
            self.read_pairs()
            assert sorted(one[:2] for one in self.pairs.values()) == sorted(pairs)
            self.check_admissible()

    def banned(self):
        bans = self.service.get("/rounds/life/policy").json()["bans"]
        return {(ban["mentor"], ban["learner"]) for ban in bans}

    def check_admissible(self):
        """Check that no staged pairing is of one city, vetoed or banned."""
        for mentor, learner, state, *_ in self.pairs.values():
            if state == "staged":
                assert mentor != learner
                assert not self.vetoed((mentor, learner))
                assert (mentor, learner) not in self.banned()

    @precondition(lambda self: self.phase in {"staged", "released"} and self.pairs)
    @rule(
        actor=anybody,
        at=st.integers(0, 30),
        by=st.integers(0, 4),
        kinds=st.sampled_from(("force", "ban", "force and ban", "nothing")),
        dry=st.booleans(),
    )
    def override(self, actor, at, by, kinds, dry):
        one, other = self.choose(at), self.choose(at + by)
        across = self.pairs[one][0], self.pairs[other][1]
        force = [across] if "force" in kinds and across[0] != across[1] else []
        ban = [self.pairs[other][:2]] if "ban" in kinds else []
        body = WHY | {
            "force": list(map(as_pair, force)),
            "ban": list(map(as_pair, ban)),
        }
        refused = self.not_organising(actor)
        if force or ban:
            if refused is None and self.phase != "staged":
                refused = 409
        elif actor is not None:
            refused = 422
        before = dict(self.pairs)
        answer = self.ask(
            "POST",
            f"/rounds/life/overrides?dry_run={dry}",
            actor,
            body=body,
            idle=dry,
        )
        if refused is None and answer.status_code == 422:  # no such pair can be
            return
        assert answer.status_code == (refused or 200), answer.text
        if refused is None and not dry:
            self.read_pairs()
            staged = {one[:2] for one in self.pairs.values() if one[2] == "staged"}
            assert staged >= set(force)
            assert not staged & set(ban)
            for one, row in before.items():
                if row[2] == "staged" and row[:2] in staged:
                    assert self.pairs[one] == row
            self.check_admissible()

    @precondition(lambda self: self.pairs)
    @rule(actor=anybody, at=st.integers(0, 30))
    def dismiss(self, actor, at):
        staged = [one for one in sorted(self.pairs) if self.pairs[one][2] == "staged"]
        one = staged[at % len(staged)] if staged and at % 5 else self.choose(at)
        refused = self.not_ending(actor, one, {"staged"})
        answer = self.ask("POST", f"/pairings/{one}/dismiss", actor, body=WHY)
        assert answer.status_code == (refused or 200), answer.text
        if refused is None:
            self.end(one, "dismissed")

    @precondition(lambda self: self.phase in {"closed", "staged", "released"})
    @rule(actor=anybody, days=st.sampled_from((None, 7, 7, -1, 500)), chosen=chance)
    def release(self, actor, days, chosen):
        tag, fresh = self.a_tag(chosen)
        body = {}
        if days is not None:
            body["answer_by"] = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        staged = [one for one, row in self.pairs.items() if row[2] == "staged"]
        refused = self.not_organising(actor)
        if refused is None and not fresh:
            refused = 412
        if refused is None and self.phase != "staged":
            refused = 409
        if refused is None and days in {-1, 500}:
            refused = 422
        if refused is None and not staged:
            refused = 409
        answer = self.ask("POST", "/rounds/life/release", actor, body=body, tag=tag)
        assert answer.status_code == (refused or 200), answer.text
        if refused is None:
            self.phase, self.was_released = "released", True
            for one in staged:
                self.pairs[one] = (
                    *self.pairs[one][:2],
                    "offered",
                    *self.pairs[one][3:],
                )

    @precondition(lambda self: self.phase == "staged")
    @rule(actor=anybody, at=st.integers(0, 30))
    def try_a_letter(self, actor, at):
        listed = self.service.get("/rounds/life/messages?state=held").json()["items"]
        if not listed:
            return
        one = listed[at % len(listed)]["id"]
        refused = self.not_organising(actor)
        if refused == 403 and not self.oversees(actor):
            refused = 404
        answer = self.ask("POST", f"/messages/{one}/test", actor)
        assert answer.status_code == (refused or 202), answer.text
