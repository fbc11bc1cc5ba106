"""A round's life, lived at random by everybody at once, held against a plain model."""

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from app.db import tables
from app.errors import Infeasible, details
from app.permissions import TERMINAL
from app.services.accounts import accounts
from app.services.accounts.tokens import add as add_token
from app.services.background import run_protocol
from app.services.decisions import participants
from app.services.pairings import offers, pairings
from app.services.rounds import policies, rounds
from matching import Infeasible as NothingFits
from matching import match
from tests.fixtures.cities import add_officer, city, register
from tests.fixtures.service import start

pytestmark = pytest.mark.slow

CITIES = ("a", "b", "c", "d", "e", "f")
UNHEARD = "f"
"""Nobody of this city has an account."""
AREAS = ("housing", "health", "culture")
LIVE = ("staged", "offered", "confirmed")
ENDED = ("declined", "expired", "withdrawn")
ORDER = ("draft", "open", "closed", "staged", "released", "archived")
SIDES = ("mentor", "learner")
WHY = {"reason": "A reason."}

organisers = st.sampled_from(("organiser", "second"))
others = st.sampled_from((*CITIES[:-1], "stranger", "auditor", None))
anybody = st.integers(0, 4).flatmap(lambda n: others if n == 3 else organisers)
places = st.integers(0, 3)
some_places = st.tuples(st.integers(1, 3), places)
some_city = st.sampled_from(CITIES)
two_cities = st.tuples(some_city, some_city).filter(lambda two: two[0] != two[1])
chance = st.integers(0, 9)


def as_pair(two):
    return {"mentor": two[0], "learner": two[1]}


class Life(RuleBasedStateMachine):
    """One round, its cities, and all who have something to say in it.

    Attributes:
        phase: Where the round is, as this model believes.
        taking: Each participant's places, as mentor and as learner, and its vetoes.
        pairs: Of each pairing mentor, learner, state and the two answers.
        overdue: Offers whose deadline is over, and no worker has come yet.
        reached: States in which a pairing has been, in this life or another.

    """

    def __init__(self, url, reached):
        super().__init__()
        self.reached = reached
        self.running = start(url, runs_at_once=0)
        self.service = next(self.running)
        self.database = self.service.client.app.state.database
        self.phase = "draft"
        self.was_released = False
        self.taking = {}
        self.runs = {}
        self.pairs = {}
        self.overdue = set()
        self.repairs = ["0" * 16]
        self.tags = ['"0"']
        self.seen = {}

    def teardown(self):
        self.running.close()

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

    # What is asked, and what becomes of it.

    def ask(  # noqa: PLR0913 -- what a request is made of
        self, method, path, actor, *, body=None, tag=None, idle=False
    ):
        """Return the answer; what it does stands in the log, or it does nothing."""
        before = self.audited()
        headers = {} if tag is None else {"If-Match": tag}
        answer = self.service.call(method, path, actor, json=body, headers=headers)
        written = self.audited() - before
        assert answer.status_code < 500, answer.text
        if answer.is_success and method != "GET" and not idle:
            assert written > 0, f"{method} {path} is not in the log"
        else:
            assert written == 0, f"{method} {path} {answer.status_code} is in the log"
        return answer

    def audited(self):
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(tables.Audit))

    def organises(self, actor):
        return actor in {"organiser", "second"}

    def oversees(self, actor):
        return self.organises(actor) or actor == "auditor"

    def unseen(self, actor):
        """Return how the round is refused to those who may not see it, or None."""
        if actor is None:
            return 401
        hidden = self.phase == "draft" and actor not in self.taking
        return 404 if hidden and not self.oversees(actor) else None

    def not_organising(self, actor):
        return self.unseen(actor) or (None if self.organises(actor) else 403)

    def sees(self, actor, one):
        mentor, learner, state, *_ = one
        if self.oversees(actor) or state in {"offered", "confirmed"}:
            return True
        return actor in {mentor, learner} and state in ENDED

    def unseen_pairing(self, actor, one):
        if actor is None:
            return 401
        return None if self.sees(actor, one) else 404

    def fits(self, pairs):
        """Tell whether the pairs fit into the places that the cities have now."""
        return all(
            taken <= self.taking.get(name, ((0, 0), ()))[0][side]
            for side in (0, 1)
            for name, taken in Counter(pair[side] for pair in pairs).items()
        )

    def living(self):
        return [one[:2] for one in self.pairs.values() if one[2] in LIVE]

    def vetoed(self, pair):
        return any(
            pair[1 - side] in self.taking.get(pair[side], ((), ()))[1]
            for side in (0, 1)
        )

    def read_pairs(self):
        """Take the pairings over from the database, where new ones have come."""
        with self.database.read() as session:
            self.pairs = {
                row.id: (
                    row.mentor_id,
                    row.learner_id,
                    row.state,
                    row.mentor_answer,
                    row.learner_answer,
                )
                for row in session.scalars(select(tables.Pairing))
            }

    def end(self, one, state):
        self.pairs[one] = (*self.pairs[one][:2], state, *self.pairs[one][3:])
        self.overdue.discard(one)

    def a_tag(self, chosen):
        """Return what to send as If-Match, and whether it is the present one."""
        now = self.service.get("/rounds/life").headers["etag"]
        if chosen == 0:
            old = self.tags[0]
            return old, old == now
        self.tags.insert(0, now)
        return (now if chosen < 5 else None), True

    # The cities.

    @precondition(lambda self: self.phase != "archived")
    @rule(
        actor=anybody,
        name=some_city,
        capacity=places,
        demand=places,
        veto=st.none() | some_city,
    )
    def enter(self, actor, name, capacity, demand, veto):
        vetoes = [veto] if veto not in {None, name} else []
        body = {
            "roles": [*["mentor"][:capacity], *["learner"][:demand]],
            "mentor_capacity": capacity,
            "learner_demand": demand,
            "vetoes": vetoes,
        }
        new = ((capacity, demand), tuple(vetoes))
        refused = self.unseen(actor)
        own = actor == name and self.phase == "open"
        if refused is None and not (self.organises(actor) or own):
            refused = 403
        if refused is None and self.phase == "staged":
            refused = 409
        before = self.taking.get(name)
        if refused is None:
            self.taking[name] = new
            if not self.fits(self.living()):
                refused = 409
                self.taking[name] = before
        # `*` means one that is there and to be seen: else it is refused.
        tag = "*" if before else None
        if tag is not None and refused == 404:
            refused = 412
        answer = self.ask(
            "PUT",
            f"/rounds/life/participants/{name}",
            actor,
            body=body,
            tag=tag,
            idle=before == new,
        )
        done = 200 if before else 201
        assert answer.status_code == (refused or done), answer.text

    @rule(actor=anybody, name=some_city, rarely=chance)
    def leave(self, actor, name, rarely):
        if rarely > 3:
            return
        refused = self.unseen(actor)
        if refused is None and name not in self.taking:
            refused = 404
        if refused is None and self.phase == "archived":
            refused = 409
        if refused is None and not (self.organises(actor) or actor == name):
            refused = 403
        answer = self.ask("DELETE", f"/rounds/life/participants/{name}", actor, tag="*")
        assert answer.status_code == (refused or 204), answer.text
        if refused is None:
            del self.taking[name]
            for one, (mentor, learner, state, *_) in self.pairs.items():
                if name in {mentor, learner} and state in LIVE:
                    self.end(one, "dismissed" if state == "staged" else "withdrawn")

    # The organisers, up to the release.

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
            one: said
            for one, said in self.pairs.items()
            if said[2] not in {"staged", "dismissed"}
        }

    @precondition(lambda self: self.phase in {"draft", "open", "closed"})
    @rule()
    def advance(self):
        """Bring the round on: by chance alone few come to be released."""
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
        mine = run_protocol.claim(self.database)
        try:
            found = match(mine.problem, mine.policy)
        except NothingFits as error:
            why = details(Infeasible(str(error)))
            assert run_protocol.fail(self.database, mine, why, "infeasible")
            self.runs[mine.run] = None
        else:
            assert run_protocol.succeed(self.database, mine, found)
            self.runs[mine.run] = [(p.mentor, p.learner) for p in found.pairings]

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
        """What is staged is neither itself, nor vetoed, nor banned."""
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
            for one, said in before.items():
                if said[2] == "staged" and said[:2] in staged:
                    assert self.pairs[one] == said
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

    def choose(self, at):
        return sorted(self.pairs)[at % len(self.pairs)]

    def not_ending(self, actor, one, states):
        refused = self.unseen_pairing(actor, self.pairs[one])
        if refused is None and not self.organises(actor):
            refused = 403
        if refused is None and (
            self.pairs[one][2] not in states or self.phase == "archived"
        ):
            refused = 409
        return refused

    @precondition(lambda self: self.phase in {"closed", "staged", "released"})
    @rule(actor=anybody, days=st.sampled_from((None, 7, 7, -1, 500)), chosen=chance)
    def release(self, actor, days, chosen):
        tag, fresh = self.a_tag(chosen)
        body = {}
        if days is not None:
            body["answer_by"] = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        staged = [one for one, said in self.pairs.items() if said[2] == "staged"]
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

    # The release, and what becomes of it.

    @precondition(lambda self: self.pairs)
    @rule(
        behalf=st.booleans(),
        actor=anybody,
        at=st.integers(0, 30),
        side=st.sampled_from(SIDES),
        yes=st.sampled_from((True, False)),
    )
    def answer(self, behalf, actor, at, side, yes):
        waiting = self.waiting()
        one = waiting[at % len(waiting)] if waiting and at % 3 else self.choose(at)
        self.say(actor, one, side, yes=yes, behalf=behalf)

    def say(self, actor, one, side, *, yes, behalf=True):
        mentor, learner, state, *said = self.pairs[one]
        its = mentor if side == "mentor" else learner
        if not behalf and its != UNHEARD:
            actor = its
        word, verb = ("accepted", "accept") if yes else ("declined", "decline")
        body = {"side": side, "answer": verb}
        if not yes:
            body["reason_code"] = "timing"
        refused = self.unseen_pairing(actor, self.pairs[one])
        if refused is None and not (self.organises(actor) or actor == its):
            refused = 403
        same = said[SIDES.index(side)] == word
        if refused is None and not same and (state != "offered" or one in self.overdue):
            refused = 409
        answer = self.ask(
            "POST", f"/pairings/{one}/answer", actor, body=body, idle=same
        )
        assert answer.status_code == (refused or 200), answer.text
        if refused is None and not same:
            said[SIDES.index(side)] = word
            if not yes:
                state = "declined"
            elif said == ["accepted", "accepted"]:
                state = "confirmed"
            self.pairs[one] = (mentor, learner, state, *said)

    @precondition(lambda self: self.waiting())
    @rule(at=st.integers(0, 30), side=st.sampled_from(SIDES))
    def accept(self, at, side):
        """One side says yes, and perhaps it is the second: by chance that is rare."""
        one = self.waiting()[at % len(self.waiting())]
        for its in (side, *[other for other in SIDES if other != side and at % 3]):
            self.say("organiser", one, its, yes=True)

    def waiting(self):
        return sorted(one for one, said in self.pairs.items() if said[2] == "offered")

    @precondition(lambda self: self.waiting())
    @rule(at=st.integers(0, 30), worker=st.booleans())
    def time_passes(self, at, worker):
        late = self.waiting()[at % len(self.waiting())]
        with self.database.write() as session:
            row = session.get_one(tables.Pairing, late)
            row.answer_by = datetime.now(UTC) - timedelta(seconds=1)
        self.overdue.add(late)
        if worker:
            before = self.audited()
            ended = offers.expire(self.database)
            assert ended == len(self.overdue) == self.audited() - before
            for one in list(self.overdue):
                self.end(one, "expired")

    @precondition(lambda self: self.was_released)
    @rule(actor=anybody, at=st.integers(0, 30), days=st.integers(1, 300))
    def prolong(self, actor, at, days):
        one = self.choose(at)
        body = {"answer_by": (datetime.now(UTC) + timedelta(days=days)).isoformat()}
        refused = self.not_ending(actor, one, {"offered", "expired"})
        mentor, learner, state, *_ = self.pairs[one]
        if refused is None and state == "expired":
            pair = (mentor, learner)
            if not self.fits([*self.living(), pair]) or self.vetoed(pair):
                refused = 409
        answer = self.ask("PATCH", f"/pairings/{one}", actor, body=body, tag="*")
        assert answer.status_code == (refused or 200), answer.text
        if refused is None:
            self.end(one, "offered")

    @precondition(lambda self: self.was_released)
    @rule(actor=anybody, at=st.integers(0, 30), rarely=chance)
    def withdraw(self, actor, at, rarely):
        if rarely > 3:
            return
        one = self.choose(at)
        refused = self.not_ending(actor, one, {"offered", "confirmed"})
        answer = self.ask("POST", f"/pairings/{one}/withdraw", actor, body=WHY)
        assert answer.status_code == (refused or 200), answer.text
        if refused is None:
            self.end(one, "withdrawn")

    @precondition(lambda self: self.phase in {"staged", "released"})
    @rule(actor=anybody, at=st.integers(0, 4), old=chance)
    def mend(self, actor, at, old):
        listed = self.ask("GET", "/rounds/life/repairs", "organiser")
        assert listed.status_code == 200, listed.text
        found = {one["id"]: one for one in listed.json()["items"]}
        chosen = (
            self.repairs[0] if old == 0 or not found else list(found)[at % len(found)]
        )
        self.repairs = [*found, *self.repairs]
        refused = self.not_organising(actor)
        answer = self.ask(
            "POST", "/rounds/life/repairs", actor, body={"repair": chosen}
        )
        if refused is None and chosen not in found:
            refused = 412
        assert answer.status_code == (refused or 200), answer.text
        if refused is None:
            before = self.pairs
            self.read_pairs()
            self.check_repair(found[chosen], before)

    def check_repair(self, repair, before):
        """The pairings are what was listed; what was confirmed has not been touched."""

        def told(field):
            return sorted((one["mentor"], one["learner"]) for one in repair[field])

        assert sorted(self.living()) == told("pairings")
        new = [said[:2] for one, said in self.pairs.items() if one not in before]
        assert sorted(new) == told("added")
        undone = [
            said[:2]
            for one, said in before.items()
            if said[2] in LIVE and self.pairs[one][2] not in LIVE
        ]
        assert sorted(undone) == told("undone")
        for one, said in before.items():
            if said[2] == "confirmed":
                assert self.pairs[one] == said
        for pair in new:
            assert not self.vetoed(pair)

    @precondition(lambda self: self.was_released)
    @rule(actor=anybody, rarely=chance)
    def remind(self, actor, rarely):
        if rarely > 3:
            return
        answer = self.ask("POST", "/rounds/life/reminders", actor)
        assert answer.status_code == (self.not_organising(actor) or 200), answer.text

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

    @rule(actor=others)
    def look(self, actor):
        """Everybody sees what is theirs to see, in lists and one by one."""
        answer = self.ask("GET", "/rounds/life/pairings?limit=200", actor)
        refused = self.unseen(actor)
        assert answer.status_code == (refused or 200)
        if refused is None:
            seen = {one["id"] for one in answer.json()["items"]}
            assert seen == {
                one for one, said in self.pairs.items() if self.sees(actor, said)
            }
            for one in answer.json()["items"]:
                if not self.oversees(actor):
                    assert one["reason"] is None
                    assert one["reason_code"] is None
        for one, said in self.pairs.items():
            alone = self.ask("GET", f"/pairings/{one}", actor)
            assert alone.status_code == (self.unseen_pairing(actor, said) or 200)
        for path in ("outbox", "messages", "repairs", "health", "policy", "runs"):
            if path == "repairs" and self.phase not in {"staged", "released"}:
                continue
            answer = self.ask("GET", f"/rounds/life/{path}", actor)
            hidden = None if self.oversees(actor) else 404
            assert answer.status_code == (refused or hidden or 200), (path, actor)

    # What must hold after every step, read straight from the database.

    @invariant()
    def holds(self):
        if "life" not in self.known_rounds():
            return
        with self.database.read() as session:
            row = session.get_one(tables.Round, "life")
            rows = session.scalars(select(tables.Pairing)).all()
            letters = session.scalars(select(tables.Message)).all()
            taking = session.scalars(select(tables.Participant)).all()
            officers = self.officers(session)
            self.check_tags(session, row, rows, taking)
        self.reached.update(one.state for one in rows)
        assert row.phase == self.phase
        assert {
            one.id: (
                one.mentor_id,
                one.learner_id,
                one.state,
                one.mentor_answer,
                one.learner_answer,
            )
            for one in rows
        } == self.pairs
        self.check_places(rows, taking)
        self.check_states(row, rows)
        self.check_letters(row, rows, letters, taking, officers)

    def known_rounds(self):
        with self.database.read() as session:
            return set(session.scalars(select(tables.Round.id)))

    def officers(self, session):
        account = tables.Account
        found = {}
        for one in session.scalars(select(account).where(account.role == "officer")):
            found.setdefault(one.city_id, []).append(one.id)
        return found

    def check_tags(self, session, row, rows, taking):
        """Another body of a resource is another version of it."""
        policy = session.get_one(tables.RoundPolicy, "life")
        now = {
            "round": (row.version, rounds.as_round(row)),
            "policy": (policy.version, policies.as_policy(policy)),
            **{
                one.id: (one.version, pairings.as_pairing(one, TERMINAL))
                for one in rows
            },
            **{
                (one.city_id, one.joined_at): (
                    one.version,
                    participants.as_participant(one, TERMINAL),
                )
                for one in taking
            },
        }
        for key, (version, body) in now.items():
            before = self.seen.get(key, (version, body))
            assert (version, body) == before or version > before[0], key
        self.seen = now

    @staticmethod
    def check_places(rows, taking):
        alive = [one for one in rows if one.state in LIVE]
        pairs = [(one.mentor_id, one.learner_id) for one in alive]
        assert len(pairs) == len(set(pairs))
        has = {one.city_id: (one.mentor_capacity, one.learner_demand) for one in taking}
        for side in (0, 1):
            for name, taken in Counter(pair[side] for pair in pairs).items():
                assert taken <= has[name][side], f"{name} is overfilled"

    @staticmethod
    def check_states(row, rows):
        for one in rows:
            both = one.mentor_answer == one.learner_answer == "accepted"
            if one.state == "confirmed":
                assert both
                assert one.confirmed_at is not None
            if one.state == "offered":
                assert not both
                assert "declined" not in {one.mentor_answer, one.learner_answer}
                assert row.phase == "released"
            if one.state == "staged":
                assert row.phase == "staged"
            over = one.state not in LIVE
            assert over == (one.ended_at is not None) == (one.ended_by is not None)

    def check_letters(self, row, rows, letters, taking, officers):
        held = Counter(
            (one.pairing_id, one.city_id, one.kind, one.role, one.account_id)
            for one in letters
            if one.state == "held"
        )
        expected = Counter()
        staged = [one for one in rows if one.state == "staged"]
        for one, side in itertools.product(staged, SIDES):
            name = getattr(one, f"{side}_id")
            for account in officers.get(name, [None]):
                expected[one.id, name, "offer", side, account] += 1
        placed = {name for one in staged for name in (one.mentor_id, one.learner_id)}
        for one in taking if self.phase == "staged" else ():
            role = "learner" if one.learner_demand else "mentor"
            wants = one.learner_demand or one.mentor_capacity
            if one.city_id not in placed and wants:
                for account in officers.get(one.city_id, [None]):
                    expected[None, one.city_id, "not_placed", role, account] += 1
        assert held == expected
        if row.released_at is None:
            told = {one.city_id for one in letters if one.state != "held"}
            assert told <= {None}, "somebody was told before the release"
        agreed = Counter(
            (one.id, side, account)
            for one in rows
            if one.confirmed_at is not None
            for side in SIDES
            for account in officers.get(getattr(one, f"{side}_id"), [None])
        )
        assert agreed == Counter(
            (one.pairing_id, one.role, one.account_id)
            for one in letters
            if one.kind == "confirmed"
        )


@pytest.mark.parametrize(
    ("copy_database", "lives", "steps"),
    [
        pytest.param("sqlite", 9, 40, id="sqlite"),
        pytest.param("postgres", 2, 30, id="postgres"),
        pytest.param("postgres", 9, 40, id="postgres-whole", marks=pytest.mark.release),
    ],
    indirect=["copy_database"],
)
def test_a_rounds_life_keeps_its_promises(copy_database, lives, steps):
    """On PostgreSQL a shorter walk: what it refuses alone shows in few steps."""
    reached = set()

    run_state_machine_as_test(
        lambda: Life(copy_database(), reached),
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],
        ),
    )

    assert len(reached) > 2
    assert lives < 9 or reached == {*LIVE, *ENDED, "dismissed"}
