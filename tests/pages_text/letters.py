"""Every letter that rounds lead to, in every language."""

from datetime import timedelta

from tests.pages_text.site import Site
from tests.pages_text.walking import LANGUAGES


def write_letters(site: Site) -> None:
    """Have each kind of letter written in each language, and write them down."""
    cities = [one["id"] for one in site.ask("GET", "/cities?limit=100")["items"]]
    site.ask("POST", "/rounds/open/phase", {"to": "closed"})
    for language, round_id in zip(LANGUAGES, ("staged", "closed", "open"), strict=True):
        for one in cities:
            site.ask("PATCH", f"/cities/{one}", {"languages": [language]})
        site.ask("PATCH", "/account", {"language": language, "name": "Ελένη"})
        new = {"email": f"{language}@example.org", "role": "officer"}
        site.ask("POST", "/accounts", new | {"city": cities[0]})
        site.client.post("/sign-in/mail", data={"email": "organiser@example.org"})
        _live_through(site, round_id)
        path = f"/rounds/{round_id}/messages?limit=100"
        for at, letter in enumerate(site.ask("GET", path)["items"]):
            name = f"{round_id}/{letter['kind']} {letter['role']} {at:02}"
            text = f"{letter['subject']}\n\n{letter['text']}"
            site.write("letters", letter["language"], name=name, text=text)
    for at, (kind, language, subject, text) in enumerate(site.letters()):
        name, said = f"{kind} {at:02}", f"{subject}\n\n{text}"
        site.write("letters", language, name=name, text=said)


def _live_through(site: Site, round_id: str) -> None:
    """Have a round staged, released, answered and ended, each in all ways there are."""
    runs = site.ask("GET", f"/rounds/{round_id}/runs")["items"]
    run = next(one["id"] for one in runs if one["state"] == "succeeded")
    site.ask("POST", f"/rounds/{round_id}/stage", {"run": run})
    dismissed, *_ = _pairings(site, round_id, "staged")
    site.ask("POST", f"{dismissed}/dismiss", {"reason": "Όχι τώρα."})
    site.ask("POST", f"/rounds/{round_id}/release", {})
    accepted, declined, _forgotten = _pairings(site, round_id, "offered")
    site.clock.moment += timedelta(days=2)
    site.ask("POST", f"/rounds/{round_id}/reminders")
    for side in ("mentor", "learner"):
        site.ask("POST", f"{accepted}/answer", {"side": side, "answer": "accept"})
    no = {"side": "learner", "answer": "decline", "reason_code": "timing"}
    site.ask("POST", f"{declined}/answer", no)
    site.ask("POST", f"{accepted}/withdraw", {"reason": "Τέλος."})
    site.let_offers_expire()


def _pairings(site: Site, round_id: str, state: str) -> list[str]:
    path = f"/rounds/{round_id}/pairings?state={state}"
    return [f"/pairings/{one['id']}" for one in site.ask("GET", path)["items"]]
