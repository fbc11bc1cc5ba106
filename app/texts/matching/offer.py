"""What a city reads of a pairing that it is offered: where it stands, what comes next.

It is told kindly and without blame: nobody but organisers reads who declined, and why.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from babel.dates import format_date

from app.texts.catalogue import Words, message
from schemas import ReasonCode, Role, RoundPairing

REASONS: Mapping[ReasonCode, str] = {
    "capacity": message("We have no capacity now"),
    "timing": message("It is the wrong time"),
    "topic": message("The policy areas do not fit"),
    "partner": message("The partner does not fit"),
    "language": message("We have no common language"),
    "travel": message("It is too far to travel"),
    "other": message("Something else"),
}
"""Why a city declines, as it is asked and as organisers read it."""


@dataclass(frozen=True)
class Standing:
    """Where a pairing stands for whoever reads.

    Attributes:
        heading: Of the page, by what the pairing is for the reader.
        says: Where it stands, in sentences.
        then: What comes next, in steps; empty if nothing does.

    """

    heading: str
    says: tuple[str, ...]
    then: tuple[str, ...]


@dataclass(frozen=True)
class Offer:
    """A pairing, and who reads of it.

    Attributes:
        pairing: The pairing as the reader may see it.
        mentor: The mentor's name.
        learner: The learner's name.
        side: Which of the two the reader is; None: somebody else.
        is_open: Whether it waits for answers.
        at: This moment.
        told: The language.

    """

    pairing: RoundPairing
    mentor: str
    learner: str
    side: Role | None
    is_open: bool
    at: datetime
    told: Words

    def standing(self) -> Standing:
        """Return where the pairing stands."""
        return Standing(
            heading=self._heading(),
            says=tuple(_SAYS[self.pairing.state](self)),
            then=tuple(self._then()),
        )

    @property
    def _names(self) -> dict[str, str]:
        return {"mentor": self.mentor, "learner": self.learner}

    @property
    def _own(self) -> str:
        return self.mentor if self.side == "mentor" else self.learner

    @property
    def _partner(self) -> str:
        return self.learner if self.side == "mentor" else self.mentor

    def _answer(self, side: Role) -> str:
        return str(getattr(self.pairing, f"{side}_answer"))

    def _heading(self) -> str:
        say = self.told.say
        known = {"offered": _OFFERED, "confirmed": _CONFIRMED}
        texts = known.get(self.pairing.state)
        if self.side is None or texts is None:
            return f"{self.mentor} → {self.learner}"
        return say(texts[self.side], **self._names)

    def _staged(self) -> Iterator[str]:
        yield self.told.say(
            "We may propose {mentor} as the mentor of {learner}. Nobody has been told.",
            **self._names,
        )

    def _offered(self) -> Iterator[str]:
        say = self.told.say
        if self.side is None:
            yield say(
                "We propose {mentor} as the mentor of {learner}. It begins when both "
                "have said yes.",
                **self._names,
            )
        elif self._answer(self.side) == "accepted":
            yield say("You have said yes. Thank you.")
        else:
            yield say("It begins when both cities have said yes.")
        if self.side is not None and self.is_open:
            other: Role = "learner" if self.side == "mentor" else "mentor"
            yield self._of(other)
        elif self.is_open:
            yield self._of("mentor")
            yield self._of("learner")
        if self.pairing.answer_by is not None and self.is_open:
            yield self._deadline(self.pairing.answer_by)

    def _of(self, side: Role) -> str:
        city = self._names[side]
        if self._answer(side) == "accepted":
            return self.told.say("{city} has said yes.", city=city)
        return self.told.say("{city} has not answered yet.", city=city)

    def _deadline(self, until: datetime) -> str:
        asks = self.side is not None and self._answer(self.side) != "accepted"
        return deadline(until, self.at, self.told, asks=asks)

    def _confirmed(self) -> Iterator[str]:
        say = self.told.say
        if self.side is None:
            yield say(
                "{mentor} is the mentor of {learner}: both have said yes.",
                **self._names,
            )
        else:
            yield say("Both cities have said yes. Good luck to both of you.")

    def _declined(self) -> Iterator[str]:
        say = self.told.say
        yield say("This pairing will not come about.")
        if self.side is not None and self._answer(self.side) == "declined":
            yield say("You have declined. Thank you for telling us in time.")
        elif self.side is not None:
            yield say(
                "The other city cannot take part now. This is not a judgement of your "
                "city."
            )
        yield from self._looking()

    def _expired(self) -> Iterator[str]:
        yield self.told.say(
            "This pairing was not answered by both in time, and will not come about."
        )
        if self.side is not None:
            yield self.told.say(
                "Do you still want it? Write to the organisers: they can offer it "
                "again."
            )
        yield from self._looking()

    def _withdrawn(self) -> Iterator[str]:
        yield self.told.say("This pairing was withdrawn.")
        yield from self._looking()

    def _dismissed(self) -> Iterator[str]:
        yield self.told.say("This pairing was taken out before the release.")

    def _looking(self) -> Iterator[str]:
        if self.side is not None:
            yield self.told.say(
                "You need not do anything now. The organisers are looking for another "
                "partner for {city}, and will write to you when there is news.",
                city=self._own,
            )

    def _then(self) -> Iterator[str]:
        say = self.told.say
        if self.side is None or not self.is_open:
            return
        if self._answer(self.side) == "pending":
            yield say("You say yes or no. Only the organisers see a reason.")
        if self._answer("mentor" if self.side == "learner" else "learner") == "pending":
            yield say("The other city says yes or no, too: {city}.", city=self._partner)
        yield say(
            "If both say yes, you find each other’s contact persons here and agree on "
            "a first meeting."
        )
        yield say(
            "If one says no, the organisers look for another partner. No answer is "
            "held against a city."
        )


_OFFERED: Mapping[Role, str] = {
    "learner": message("We propose {mentor} as your mentor"),
    "mentor": message("We propose you as the mentor of {learner}"),
}
_CONFIRMED: Mapping[Role, str] = {
    "learner": message("{mentor} is your mentor"),
    "mentor": message("You are the mentor of {learner}"),
}
_SAYS: Mapping[str, Callable[[Offer], Iterator[str]]] = {
    "staged": Offer._staged,  # noqa: SLF001 -- its own
    "offered": Offer._offered,  # noqa: SLF001
    "confirmed": Offer._confirmed,  # noqa: SLF001
    "declined": Offer._declined,  # noqa: SLF001
    "expired": Offer._expired,  # noqa: SLF001
    "withdrawn": Offer._withdrawn,  # noqa: SLF001
    "dismissed": Offer._dismissed,  # noqa: SLF001
}


def deadline(until: datetime, at: datetime, told: Words, *, asks: bool) -> str:
    """Return by when answers are due, and how many days are left, counted by UTC.

    Args:
        until: The deadline.
        at: This moment.
        told: The language.
        asks: Whether it is the reader's own answer that is missing.

    """
    if until <= at:
        return told.say("The time for answers is over.")
    day = weekday(until, told)
    left = (until.astimezone(UTC).date() - at.astimezone(UTC).date()).days
    if left == 0 and asks:
        return told.say("Please answer today, {day}: it is the last day.", day=day)
    if left == 0:
        return told.say("Answers are due today, {day}.", day=day)
    if asks:
        return told.count(
            "Please answer until {day}: {number} day left.",
            "Please answer until {day}: {number} days left.",
            left,
            day=day,
        )
    return told.count(
        "Answers are due until {day}: {number} day left.",
        "Answers are due until {day}: {number} days left.",
        left,
        day=day,
    )


def weekday(at: datetime, told: Words) -> str:
    """Return the day of the time by UTC: Friday 4 December 2026."""
    at = at.astimezone(UTC)
    first = told.locale.language == "fr" and at.day == 1
    pattern = f"EEEE {'d' + chr(39) + 'er' + chr(39) if first else 'd'} MMMM y"
    return told.named(format_date(at, pattern, locale=told.locale))


def agenda(mentor: str, learner: str, practice: str | None, told: Words) -> list[str]:
    """Return what to talk about when the two first meet, for half an hour.

    Args:
        mentor: The mentor's name.
        learner: The learner's name.
        practice: The title of the practice that fits, if there is one.
        told: The language.

    """
    say = told.say
    shows = (
        say(
            "10 minutes – {mentor} tells of “{title}”: what worked, and what went "
            "wrong.",
            mentor=mentor,
            title=practice,
        )
        if practice
        else say(
            "10 minutes – {mentor} tells of one example: what worked, and what went "
            "wrong.",
            mentor=mentor,
        )
    )
    return [
        say("5 minutes – Who is who: names, tasks, languages."),
        say(
            "5 minutes – {learner} tells what it wants to change first.",
            learner=learner,
        ),
        shows,
        say("5 minutes – How often to meet, in which language, until when."),
        say("5 minutes – Who writes down what was agreed, and the next date."),
    ]
