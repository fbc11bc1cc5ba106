"""A round, its cities and its pairings, as the tests of its life believe them to be."""

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy import func, select

from app.db import tables
from tests.fixtures.service import start

CITIES = ("a", "b", "c", "d", "e", "f")
UNHEARD = "f"
"""A city without accounts: organisers answer for it."""
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


class RoundModel(RuleBasedStateMachine):
    """One round and its cities, as the model believes them to be.

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

    def ask(  # noqa: PLR0913 -- what a request is made of
        self, method, path, actor, *, body=None, tag=None, idle=False
    ):
        """Send a request; check that it is in the log if it did something, else not."""
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
        """Return the status that hides the round from this actor, or None."""
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
        """Tell whether the cities have places for all these pairs."""
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
        """Read all pairings from the database, after new ones were stored."""
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
        """Return an ETag to send as If-Match, and whether the request may pass it."""
        now = self.service.get("/rounds/life").headers["etag"]
        if chosen == 0:
            old = self.tags[0]
            return old, old == now
        self.tags.insert(0, now)
        return (now if chosen < 5 else None), True

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

    def waiting(self):
        return sorted(one for one, row in self.pairs.items() if row[2] == "offered")
