"""Letters to cities and organisers: plain text, paragraphs apart, one link each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.texts.catalogue import Language, Words, message, words
from schemas import Role

Kind = Literal[
    "offer",
    "reminder",
    "confirmed",
    "declined",
    "expired",
    "withdrawn",
    "not_placed",
    "to_repair",
]


@dataclass(frozen=True)
class Facts:
    """What a letter is made of.

    Attributes:
        round_name: What the round is called; the letter is signed with it.
        link: The one address that the letter leads to.
        city: The name of the city that is written to; none: the organisers.
        role: The role that this city takes.
        partner: The name of the other city.
        mentor: The mentor's name; may be left out where `role` tells who it is.
        learner: The learner's name, likewise.
        answer_by: The deadline for answers, a time that knows its zone.
        reasons: Sentences in the language of the letter.
        answer_code: What needs a repair: `declined`, `expired` or `withdrawn`.

    """

    round_name: str
    link: str
    city: str = ""
    role: Role | None = None
    partner: str = ""
    mentor: str = ""
    learner: str = ""
    answer_by: datetime | None = None
    reasons: tuple[str, ...] = ()
    answer_code: str | None = None


@dataclass(frozen=True)
class Letter:
    """A letter; the subject is one line, the text has no lines that are cut."""

    subject: str
    text: str


def letter(kind: Kind, facts: Facts, language: Language) -> Letter:
    """Return the letter in the language.

    Raises:
        ValueError: If the facts do not tell who is the mentor, in which role a city
            has no partner, or what needs a repair.

    """
    written = _Written(facts, _values(kind, facts), words(language))
    subject, paragraphs = _KINDS[kind](written)
    text = "\n\n".join([written.greeting(), *paragraphs, written.signature()])
    # A name may hold characters that divide lines besides the usual ones.
    return Letter(" ".join(subject.splitlines()), text)


def _values(kind: Kind, facts: Facts) -> dict[str, str]:
    """Return what the sentences name, or refuse facts that leave it open."""
    mentor, learner = facts.mentor, facts.learner
    if facts.role == "mentor":
        mentor, learner = mentor or facts.city, learner or facts.partner
    elif facts.role == "learner":
        mentor, learner = mentor or facts.partner, learner or facts.city
    if kind in {"offer", "not_placed"} and facts.role is None:
        raise ValueError("Say which `role` the city takes.")
    if kind != "not_placed" and not (mentor and learner):
        raise ValueError("Say who is the `mentor` and who is the `learner`.")
    if kind == "to_repair" and facts.answer_code not in _HAPPENED:
        raise ValueError("`answer_code` is declined, expired or withdrawn.")
    return {
        "round": facts.round_name,
        "city": facts.city,
        "mentor": mentor,
        "learner": learner,
    }


_HAPPENED: Mapping[str | None, tuple[str, str]] = {
    "declined": (
        message("To repair: {mentor} – {learner} was declined"),
        message("The pairing {mentor} → {learner} was declined."),
    ),
    "expired": (
        message("To repair: {mentor} – {learner} was not answered in time"),
        message("The pairing {mentor} → {learner} was not answered in time."),
    ),
    "withdrawn": (
        message("To repair: {mentor} – {learner} was withdrawn"),
        message("The pairing {mentor} → {learner} was withdrawn."),
    ),
}
"""What needs a repair: the subject, and the first sentence."""


@dataclass(frozen=True)
class _Written:
    facts: Facts
    values: Mapping[str, str]
    words: Words

    def say(self, text: str, /) -> str:
        return self.words.say(text, **self.values)

    def greeting(self) -> str:
        return self.say("Hello,")

    def signature(self) -> str:
        regards = self.say("Kind regards,")
        return f"{regards}\n{self.facts.round_name}"

    def offer(self) -> tuple[str, list[str]]:
        say = self.say
        if self.facts.role == "mentor":
            subject = say("Please answer: you are proposed as the mentor of {learner}")
            means = say(
                "If both cities say yes, you help {learner} with what you know: you "
                "meet, you answer questions, you show how you do it."
            )
        else:
            subject = say("Please answer: {mentor} is proposed as your mentor")
            means = say(
                "If both cities say yes, {mentor} helps you with what it knows: you "
                "meet, you ask questions, you see how it is done there."
            )
        proposed = say(
            "In the round “{round}” we propose {mentor} as the mentor of {learner}."
        )
        return subject, [proposed, *self._why(), means, *self._asked()]

    def reminder(self) -> tuple[str, list[str]]:
        say = self.say
        waits = say(
            "In the round “{round}” we proposed {mentor} as the mentor of {learner}. "
            "We do not have your answer yet."
        )
        return say("Reminder: please answer the proposal {mentor} – {learner}"), [
            waits,
            *self._why(),
            *self._asked(),
        ]

    def _why(self) -> Iterator[str]:
        if self.facts.reasons:
            yield self._bullets(self.say("Why this pairing:"), *self.facts.reasons)

    def _asked(self) -> Iterator[str]:
        """Yield by when to answer, where, and what happens then."""
        say = self.say
        free = say(
            "The pairing starts only when both cities have said yes. You are free to "
            "say no: only the organisers see your reason."
        )
        if self.facts.answer_by is None:
            yield self._linked(say("Please answer here:"))
            yield free
            return
        moment = self.words.moment(self.facts.answer_by)
        yield self._linked(
            self.words.say("Please answer by {moment}, here:", moment=moment)
        )
        ends = say("If an answer is still missing then, the proposal ends.")
        yield f"{free} {ends}"

    def confirmed(self) -> tuple[str, list[str]]:
        say = self.say
        return say("Confirmed: {mentor} is the mentor of {learner}"), [
            say(
                "Good news: both cities have said yes. {mentor} is now the mentor of "
                "{learner}."
            ),
            say(
                "The next step is a first meeting. Agree on a date; an hour online is "
                "enough."
            ),
            self._bullets(
                say("Three questions for it:"),
                say("What does {learner} want to change first?"),
                say("What can {mentor} show, and what went wrong on the way?"),
                say("How often do you want to meet, and until when?"),
            ),
            self._linked(say("You find the pairing here:")),
        ]

    def declined(self) -> tuple[str, list[str]]:
        say = self.say
        return say("The pairing {mentor} – {learner} will not come about"), self._off(
            say(
                "The pairing {mentor} – {learner} that we proposed will not come about."
            )
        )

    def expired(self) -> tuple[str, list[str]]:
        say = self.say
        return say("The pairing {mentor} – {learner} will not come about"), self._off(
            say(
                "The pairing {mentor} – {learner} was not answered by both cities in "
                "time. So it will not come about."
            )
        )

    def withdrawn(self) -> tuple[str, list[str]]:
        say = self.say
        return say("The pairing {mentor} – {learner} was withdrawn"), self._off(
            say("The pairing {mentor} – {learner} was withdrawn. It does not go on.")
        )

    def _off(self, happened: str) -> list[str]:
        """Return what is written of a pairing that will not be; never why."""
        say = self.say
        return [
            happened,
            say(
                "You need not do anything now. The organisers are looking for another "
                "partner for {city}, and will write to you when there is news."
            ),
            self._linked(say("You find the pairing here:")),
        ]

    def not_placed(self) -> tuple[str, list[str]]:
        say = self.say
        if self.facts.role == "mentor":
            subject = say("No learner for {city} this time")
            found = say(
                "In the round “{round}” we found no learner for {city}. We are sorry, "
                "and we thank you for your offer."
            )
            wish = say(
                "Add a practice to each of your strengths: that brings points, too."
            )
        else:
            subject = say("No mentor for {city} this time")
            found = say(
                "In the round “{round}” we found no mentor for {city}. We are sorry."
            )
            wish = say(
                "Name the cities that you would like as a mentor: a wish that comes "
                "true brings points, too."
            )
        judged = say(
            "All cities were looked at together. This is not a judgement of your city."
        )
        why = self.facts.reasons
        return subject, [
            f"{found} {judged}",
            *([self._bullets(say("Why:"), *why)] if why else []),
            say(
                "A place may still become free. Then the organisers write to you; you "
                "need not do anything now."
            ),
            self._bullets(
                say("What helps next time:"),
                say("Complete your profile: what we do not know brings no points."),
                say("Name all the languages in which your team can work."),
                wish,
            ),
            self._linked(say("You find the round and what you entered here:")),
        ]

    def to_repair(self) -> tuple[str, list[str]]:
        subject, happened = _HAPPENED[self.facts.answer_code]
        ready = self.say("Repairs that change few other pairings are ready here:")
        return self.say(subject), [self.say(happened), self._linked(ready)]

    def _linked(self, intro: str) -> str:
        return f"{intro}\n{self.facts.link}"

    @staticmethod
    def _bullets(intro: str, *points: str) -> str:
        return "\n".join([intro, *(f"- {point}" for point in points)])


_KINDS: Mapping[Kind, Callable[[_Written], tuple[str, list[str]]]] = {
    "offer": _Written.offer,
    "reminder": _Written.reminder,
    "confirmed": _Written.confirmed,
    "declined": _Written.declined,
    "expired": _Written.expired,
    "withdrawn": _Written.withdrawn,
    "not_placed": _Written.not_placed,
    "to_repair": _Written.to_repair,
}
