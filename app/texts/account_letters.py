"""Letters about an account: an invitation, and a link to sign in with."""

from typing import Literal

from app.texts.catalogue import Language, words
from app.texts.letters import Letter

AccountLetter = Literal["invitation", "sign_in"]
LINK = "compaan:/sign-in/link"
"""Where the mail leads; its sender adds the secret."""
_NOTICE = "compaan:/privacy"


def letter(kind: AccountLetter, language: Language, place: str | None = None) -> Letter:
    """Return the letter in the language.

    Args:
        kind: Which letter.
        language: Its language.
        place: The city or association that the reader is invited for, if it is one.

    """
    say = words(language).say
    if kind == "invitation":
        subject = say("Your invitation to Compaan")
        paragraphs = [
            say("You are invited to Compaan on behalf of {place}.", place=place)
            if place
            else say("You are invited to Compaan."),
            say(
                "Compaan pairs cities that have experience with cities that want to "
                "learn from it. It takes about 12 minutes to describe a city; you may "
                "stop at any time and go on later."
            ),
            "\n".join(
                [
                    say("Come in here. The link works once, within 14 days:"),
                    LINK,
                ]
            ),
            "\n".join(
                [
                    say(
                        "What we keep of you, why, for how long, and how you have it "
                        "erased:"
                    ),
                    _NOTICE,
                ]
            ),
        ]
    else:
        subject = say("Your link to sign in to Compaan")
        paragraphs = [
            "\n".join(
                [say("Sign in here. The link works once, within 30 minutes:"), LINK]
            ),
            say(
                "You did not ask for it? Then you need not do anything: nobody can "
                "sign in without this mail."
            ),
        ]
    text = "\n\n".join([say("Hello,"), *paragraphs, say("Kind regards,") + "\nCompaan"])
    return Letter(" ".join(subject.splitlines()), text)
