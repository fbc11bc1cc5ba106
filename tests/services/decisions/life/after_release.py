"""What becomes of pairings once they are released, and what everybody sees."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from app.db import tables
from app.services.pairings import offers
from tests.services.decisions.life.model import (
    LIVE,
    SIDES,
    UNHEARD,
    WHY,
    RoundModel,
    anybody,
    chance,
    others,
)


class AfterRelease(RoundModel):
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
        mentor, learner, state, *answers = self.pairs[one]
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
        same = answers[SIDES.index(side)] == word
        if refused is None and not same and (state != "offered" or one in self.overdue):
            refused = 409
        answer = self.ask(
            "POST", f"/pairings/{one}/answer", actor, body=body, idle=same
        )
        assert answer.status_code == (refused or 200), answer.text
        if refused is None and not same:
            answers[SIDES.index(side)] = word
            if not yes:
                state = "declined"
            elif answers == ["accepted", "accepted"]:
                state = "confirmed"
            self.pairs[one] = (mentor, learner, state, *answers)

    @precondition(lambda self: self.waiting())
    @rule(at=st.integers(0, 30), side=st.sampled_from(SIDES))
    def accept(self, at, side):
        """Accept for one side, often also for the other: rare if left to chance."""
        one = self.waiting()[at % len(self.waiting())]
        for its in (side, *[other for other in SIDES if other != side and at % 3]):
            self.say("organiser", one, its, yes=True)

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
        """Check that the repair did what was listed and touched nothing confirmed."""

        def pairs_of(field):
            return sorted((one["mentor"], one["learner"]) for one in repair[field])

        assert sorted(self.living()) == pairs_of("pairings")
        new = [row[:2] for one, row in self.pairs.items() if one not in before]
        assert sorted(new) == pairs_of("added")
        undone = [
            row[:2]
            for one, row in before.items()
            if row[2] in LIVE and self.pairs[one][2] not in LIVE
        ]
        assert sorted(undone) == pairs_of("undone")
        for one, row in before.items():
            if row[2] == "confirmed":
                assert self.pairs[one] == row
        for pair in new:
            assert not self.vetoed(pair)

    @precondition(lambda self: self.was_released)
    @rule(actor=anybody, rarely=chance)
    def remind(self, actor, rarely):
        if rarely > 3:
            return
        answer = self.ask("POST", "/rounds/life/reminders", actor)
        assert answer.status_code == (self.not_organising(actor) or 200), answer.text

    @rule(actor=others)
    def look(self, actor):
        """Check that the actor sees exactly what they may see, listed or alone."""
        answer = self.ask("GET", "/rounds/life/pairings?limit=200", actor)
        refused = self.unseen(actor)
        assert answer.status_code == (refused or 200)
        if refused is None:
            listed = {one["id"] for one in answer.json()["items"]}
            assert listed == {
                one for one, row in self.pairs.items() if self.sees(actor, row)
            }
            for one in answer.json()["items"]:
                if not self.oversees(actor):
                    assert one["reason"] is None
                    assert one["reason_code"] is None
        for one, row in self.pairs.items():
            alone = self.ask("GET", f"/pairings/{one}", actor)
            assert alone.status_code == (self.unseen_pairing(actor, row) or 200)
        for path in ("outbox", "messages", "repairs", "health", "policy", "runs"):
            if path == "repairs" and self.phase not in {"staged", "released"}:
                continue
            answer = self.ask("GET", f"/rounds/life/{path}", actor)
            hidden = None if self.oversees(actor) else 404
            assert answer.status_code == (refused or hidden or 200), (path, actor)
