"""Cities join a round, change what they want of it, and leave."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.services.decisions.life.model import (
    LIVE,
    RoundModel,
    anybody,
    chance,
    places,
    some_city,
)


class TakingPart(RoundModel):
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
