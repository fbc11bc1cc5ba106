"""What must hold after every step of a round's life, read from the database."""

import itertools
from collections import Counter

from hypothesis.stateful import invariant
from sqlalchemy import select

from app.db import tables
from app.permissions import TERMINAL
from app.services.decisions import participants
from app.services.pairings import pairings
from app.services.rounds import policies, rounds
from tests.services.decisions.life.model import LIVE, SIDES, RoundModel


class Promises(RoundModel):
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
        """Check that a resource whose body changed has a higher version."""
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
