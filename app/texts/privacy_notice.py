"""The privacy notice (Articles 13 and 14 GDPR): what is kept of whom, why, how long."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.texts.catalogue import Language, Words, words


@dataclass(frozen=True)
class Section:
    """A heading, and what is said under it: each a paragraph, or a point of a list."""

    heading: str
    points: tuple[str, ...]


@dataclass(frozen=True)
class PrivacyNotice:
    """The notice in one language."""

    title: str
    lead: str
    sections: tuple[Section, ...]


def privacy_notice(
    language: Language, controller: str | None, mail: str | None, months: int
) -> PrivacyNotice:
    """Return the notice in the language.

    Args:
        language: Its language.
        controller: Who is responsible; None: nobody has been named yet.
        mail: Where one writes to, likewise.
        months: After how many a contact person that nobody has confirmed is erased.

    """
    chosen = words(language)
    return PrivacyNotice(
        title=chosen.say("What Compaan keeps of you, and why"),
        lead=chosen.say(
            "Compaan pairs cities, not persons. It keeps as little of persons as that "
            "needs."
        ),
        sections=(
            _responsible(chosen, controller, mail),
            *_kept(chosen),
            _lasting(chosen, months),
            *_rights(chosen),
        ),
    )


def _responsible(words: Words, controller: str | None, mail: str | None) -> Section:
    say = words.say
    if controller is None or mail is None:
        told = [say("Whoever runs this service has not said yet who is responsible.")]
    else:
        told = [
            say("Responsible for your data: {controller}.", controller=controller),
            say("Write to {mail} about everything on this page.", mail=mail),
        ]
    return Section(say("Who is responsible"), tuple(told))


def _kept(words: Words) -> Iterator[Section]:
    say = words.say
    yield Section(
        say("What is kept"),
        (
            say(
                "If you have an account: your e-mail address at work, your name if you "
                "give it, your role, your city or association, your language, and when "
                "you came in last. Of passwords, tokens and links only digests are "
                "kept, from which nobody can read them."
            ),
            say(
                "If you are a contact person of a city: your name, your function and "
                "your e-mail address at work. Your city, its association and the "
                "organisers see them; a partner city sees them once both cities have "
                "said yes to a pairing. Nobody else does."
            ),
            say(
                "A log of what was done, when, and by which account. It has numbers "
                "of accounts only, no names and no addresses."
            ),
            say(
                "Letters to you, and what you write: answers, notes, reasons. Please "
                "name no persons there."
            ),
            say(
                "Cookies for signing in and for the language that you choose. Nothing "
                "here counts or follows visitors."
            ),
        ),
    )
    yield Section(
        say("Where it comes from"),
        (
            say(
                "From you, or from your city, its association or the organisers, who "
                "invited you or named you as a contact person."
            ),
            say(
                "It is not passed on. Mail to you goes through the mail server of this "
                "service; programs that are told of events get numbers only."
            ),
        ),
    )
    yield Section(
        say("Why"),
        (
            say(
                "So that cities find a partner and can write to each other. Public "
                "bodies do this as a task in the public interest, others in the "
                "legitimate interest of cities that learn from each other (Article "
                "6(1)(e) and (f) of the General Data Protection Regulation)."
            ),
            say(
                "It does not rest on your consent: at work, that would hardly be free."
            ),
        ),
    )


def _lasting(words: Words, months: int) -> Section:
    say = words.say
    return Section(
        say("For how long"),
        (
            say(
                "Your account: until you or an organiser close it. A browser stays "
                "signed in for 14 days at most."
            ),
            words.count(
                "Contact persons: until they are deleted, or {number} month after they "
                "were confirmed last, if their city takes part in no round any more.",
                "Contact persons: until they are deleted, or {number} months after "
                "they were confirmed last, if their city takes part in no round any "
                "more.",
                months,
            ),
            say(
                "Letters, answers, notes and reasons of a round: as many months after "
                "its end as the page of the round says."
            ),
            say(
                "What a proposal was computed from is kept unchanged with the "
                "decision, so that anybody can check it: profiles of cities, and "
                "reasons for decisions by hand. No persons belong there."
            ),
            say(
                "Copies for emergencies are made by whoever runs this service. What "
                "was erased may stand in an older copy until that is deleted, too."
            ),
        ),
    )


def _rights(words: Words) -> Iterator[Section]:
    say = words.say
    yield Section(
        say("Your rights"),
        (
            say(
                "You may see what is kept of you, take it along, have it corrected or "
                "erased, have its use limited, and object to it."
            ),
            say(
                "With an account, you download everything on this page. In your "
                "account you correct your name, and you close it: then it is erased, "
                "and your name and address are taken out of the texts here."
            ),
            say("Without an account, write to the address above."),
            say(
                "You may also complain to the data protection authority of your "
                "country."
            ),
        ),
    )
    yield Section(
        say("Who decides"),
        (
            say(
                "The computer proposes pairs of cities, by rules that it shows. "
                "Organisers decide, and each city says yes or no. Nothing is decided "
                "about persons."
            ),
        ),
    )
