"""In which language a page is read, and what a template may say."""

import re

import pytest
from markupsafe import Markup

from app.templates.environment import environment


@pytest.fixture
def service(idle_service):
    """Return the application; nothing here has it compute."""
    return idle_service


HTML = {"Accept": "text/html"}


def read(service, path="/sign-in", **headers) -> str:
    answer = service.client.get(path, headers=HTML | headers)
    assert answer.status_code == 200
    return re.search(r'<html lang="(.*?)"', answer.text)[1]


@pytest.mark.parametrize(
    ("header", "tongue"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("nl-BE,nl;q=0.9,fr;q=0.8", "nl"),
        ("de, fr;q=0.3, nl;q=0.7", "nl"),
        ("FR-ca", "fr"),
        ("el, lv", "en"),
        ("fr;q=0, nl;q=0.1", "nl"),
        ("fr;q=x, *;q=0.5, ;;,", "en"),
        ("xa", "en"),
    ],
)
def test_the_browser_says_what_its_reader_understands(sqlite_service, header, tongue):
    assert read(sqlite_service, **{"Accept-Language": header}) == tongue


def test_what_a_reader_has_chosen_is_kept(sqlite_service):
    french = {"Accept-Language": "fr"}
    assert read(sqlite_service, **french) == "fr"
    assert read(sqlite_service, "/sign-in?lang=nl", **french) == "nl"
    assert read(sqlite_service, **french) == "nl"
    assert read(sqlite_service, "/sign-in?lang=klingon", **french) == "nl"
    assert read(sqlite_service, "/sign-in?lang=en&lang=fr", **french) == "fr"
    (cookie,) = [
        one for one in sqlite_service.client.cookies.jar if one.name == "compaan-lang"
    ]
    assert (cookie.value, cookie.path) == ("fr", "/")
    assert cookie.has_nonstandard_attr("HttpOnly")


def test_a_page_leads_to_itself_in_the_other_languages(sqlite_service):
    page = sqlite_service.client.get("/sign-in", headers=HTML).text
    assert re.findall(r'<a href="(\?lang=..)" lang="(..)" hreflang="(..)"', page) == [
        ("?lang=fr", "fr", "fr"),
        ("?lang=nl", "nl", "nl"),
    ]


def test_the_api_speaks_english_to_everybody(service):
    answer = service.get("/cities/none", headers={"Accept-Language": "fr"})
    assert answer.json()["detail"] == "There is no city with the id none."
    assert "set-cookie" not in service.get("/cities?lang=fr").headers


def filled(tongue: str, template: str, **values: object) -> str:
    return environment(tongue).from_string(template).render(**values)


def test_values_in_a_text_are_text_and_markup_is_markup():
    hostile = "<b>&amp;{x}"
    told = '{{ say("{mentor} – {learner}", mentor=a, learner=b) }}'
    assert (
        filled("xa", told, a=hostile, b=Markup("<i>x</i>"))
        == "⟦&lt;b&gt;&amp;amp;{x} – <i>x</i>⟧"
    )


@pytest.mark.parametrize(
    ("tongue", "says"),
    [
        ("en", "0.0 1.0 +1,234.5 −1.5 12% 0 points, 1 point, 1.5 points"),
        ("fr", "0,0 1,0 +1\u202f234,5 −1,5 12\u202f% 0 point, 1 point, 1,5 point"),
        ("nl", "0,0 1,0 +1.234,5 −1,5 12% 0 punten, 1 punt, 1,5 punten"),
    ],
)
def test_numbers_and_plurals_are_those_of_the_language(tongue, says):
    points = 'count("{number} point", "{number} points", '
    template = (
        "{{ 0.04|change }} {{ 1|points }} {{ 1234.5|change }} {{ (-1.5)|change }} "
        f"{{{{ 0.123|percent }}}} {{{{ {points} 0) }}}}, {{{{ {points} 1) }}}}, "
        f"{{{{ {points} 1.5, 1) }}}}"
    )
    assert filled(tongue, template) == says


@pytest.mark.parametrize(
    ("tongue", "says"),
    [
        ("en", "Greece Housing French and Dutch"),
        ("fr", "Grèce Logement français et néerlandais"),
        ("nl", "Griekenland Huisvesting Frans en Nederlands"),
        ("xa", "⟦Gréécé⟧ ⟦Hóúsíng⟧ ⟦⟦Frénch⟧ and ⟦Dútch⟧⟧"),
    ],
)
def test_names_are_those_of_the_language(tongue, says):
    found = filled(
        tongue,
        '{{ country("GR") }} {{ area_names["housing"] }} '
        '{{ language_names(["fr", "nl"]) }}',
    )
    assert found == says
