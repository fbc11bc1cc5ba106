"""Pages of a round are in the reader's language, and names in them are text."""

import re
from html import unescape

import pytest

from tests.fixtures.cities import FIVE, add_officer, pairing, released_round, say
from tests.web.rounds.five import NAMES, fail_all, open_page

PAGES = (
    "/rounds/trial/pairings",
    "/rounds/trial/outbox",
    "/rounds/trial/repairs",
    "/rounds/trial/report",
    "/rounds/trial/how-we-chose",
    "/ledger",
)
_DATA = re.compile(
    r"<title>.*?</title>|<(?:code|bdi|pre)\b.*?</(?:code|bdi|pre)>|<header.*?</header>"
    r"|<footer.*?</footer>",
    re.DOTALL,
)


def untranslated(page: str) -> set[str]:
    """Return words of the content that no catalogue has, read in the pseudo-locale."""
    main = _DATA.sub(" ", page.partition('<main id="main">')[2].partition("</main>")[0])
    spoken = " ".join(
        re.findall(r'(?:aria-label|title|alt|placeholder|data-told)="([^"]*)"', main)
    )
    text = unescape(f"{re.sub(r'<[^>]*>', ' ', main)} {spoken}")
    while "⟦" in text:
        rest = re.sub(r"⟦[^⟦⟧]*⟧", " ", text)
        if rest == text:
            break
        text = rest
    known = {*NAMES, "Trial", "trial", "Compaan", "Default"}
    return set(re.findall(r"[A-Za-zÀ-ÿ]{2,}", text)) - known


@pytest.mark.parametrize("phase", ["staged", "released"])
def test_no_text_of_these_pages_is_in_one_language_alone(organiser, phase):
    for name in ("bruges", "celje"):
        add_officer(organiser.service, name)
    open_page(organiser, "pairings", phase=phase)
    if phase == "released":
        fail_all(organiser)
        one = pairing(organiser.service, "trial", "bruges", "evora")
        say(organiser.service, one, "mentor", "decline")
    else:
        one = pairing(organiser.service, "trial", "bruges", "evora")
        organiser.service.post(f"/pairings/{one['id']}/dismiss", {"reason": "trial"})
    pages = PAGES if phase == "released" else PAGES[:4]

    found = {
        path: untranslated(organiser.open(f"{path}?lang=xa").page.text)
        for path in pages
    }

    assert found == {path: set() for path in pages}


def test_how_we_chose_is_read_in_the_readers_language(organiser):
    open_page(organiser, "how-we-chose?lang=nl", phase="released")
    dutch = organiser.text

    french = organiser.open("/rounds/trial/how-we-chose?lang=fr").text

    assert "Hoe" in dutch
    assert "Comment nous avons choisi" in french
    assert "Comment nous avons choisi" not in dutch
    assert '<html lang="fr">' in organiser.page.text


HOSTILE = '<script>alert(1)</script> "é" \u202e😀 ' + "x" * 60


def test_names_and_reasons_are_text(organiser):
    service = organiser.service
    hostile = FIVE[0] | {"name": HOSTILE}
    released_round(service, hostile, *FIVE[1:])
    one = pairing(service, "trial", "amiens", "celje")
    service.post(f"/pairings/{one['id']}/withdraw", {"reason": HOSTILE})

    for path in PAGES:
        page = organiser.open(path).page
        assert page.status_code == 200
        assert "<script>alert" not in page.text
