"""What the types of events that webhooks are told of mean."""

from collections.abc import Mapping

from app.texts.catalogue import message

EVENTS: Mapping[str, str] = {
    "city.created": message("a city is registered"),
    "city.updated": message("a city has changed"),
    "city.deleted": message("a city is deleted"),
    "round.created": message("a round is set up"),
    "round.updated": message("a round has changed"),
    "round.deleted": message("a round is deleted"),
    "round.phase_changed": message("a round goes into another phase"),
    "participant.joined": message("a city joins a round"),
    "participant.changed": message("a city takes part in another way"),
    "participant.left": message("a city leaves a round"),
    "run.finished": message("a run has finished"),
    "pairing.answered": message("a city answers"),
    "pairing.confirmed": message("both cities have said yes"),
    "pairing.declined": message("a city has said no"),
    "pairing.expired": message("an answer did not come in time"),
    "pairing.withdrawn": message("a pairing is withdrawn"),
    "pairing.dismissed": message("a pairing is taken out"),
    "erasure.done": message("data of a person are erased"),
    "webhook.ping": message("a ping"),
}
