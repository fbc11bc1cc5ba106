"""A person who is named everywhere, and the traces of her that are left."""

import io
import json
import zipfile

from sqlalchemy import MetaData

from tests.fixtures.cities import FIVE, add_officer, closed_round, confirm, pairing

NAME = "Zoë Quackenbosch"
EMAIL = "z.quackenbosch@amiens.example"
SAYS = f"Ask {NAME.upper()} (zoë  quackenbosch) at <{EMAIL.title()}>."
LEFT = "Ask […] ([…]) at <[…]>."
OTHERS = f"Zoë Quackenboschen, Quackenbosch, a{EMAIL} and {EMAIL}.org"
"""Names and addresses of other people, which must stay."""


def texts_of(value: object) -> str:
    """Return a value of the database as text; ZIP files are unpacked."""
    if isinstance(value, bytes):
        with zipfile.ZipFile(io.BytesIO(value)) as packed:
            return "".join(packed.read(name).decode() for name in packed.namelist())
    return value if isinstance(value, str) else json.dumps(value, default=str)


def traces(service) -> set[tuple[str, str]]:
    """Return the columns of all tables that hold the name or the address."""
    engine = service.client.app.state.database.engine
    known = MetaData()
    known.reflect(engine)
    with engine.connect() as connection:
        return {
            (table.name, column)
            for table in known.sorted_tables
            for row in connection.execute(table.select()).mappings()
            for column, value in row.items()
            if names_person(texts_of(value))
        }


def names_person(content: str) -> bool:
    plain = content.encode().decode("unicode_escape") if "\\u" in content else content
    found = plain.replace(OTHERS, "").lower()
    return "quackenbosch" in found or EMAIL in found


def account_of(service, caller: str) -> str:
    return service.get("/account", caller).json()["id"]


def invite(service) -> str:
    """Invite the person as an officer of Amiens, and give its name; return its id."""
    new = {"email": EMAIL, "name": NAME, "role": "officer", "city": "amiens"}
    key = {"Idempotency-Key": "once"}
    invited = service.call("POST", "/accounts", json=new, headers=key)
    assert invited.status_code == 201, invited.text
    return invited.json()["id"]


def add_contact(service) -> str:
    new = {"name": NAME, "email": EMAIL, "function": f"Deputy of {NAME}"}
    key = {"Idempotency-Key": "twice"}
    invited = service.call("POST", "/cities/amiens/contacts", json=new, headers=key)
    assert invited.status_code == 201, invited.text
    return invited.json()["id"]


PRACTICE = {"area": "housing", "title": f"By {NAME}", "summary": SAYS, "result": SAYS}
PRACTICE |= {"what_went_wrong": SAYS, "url": f"mailto:{EMAIL}"}
PROFILE = {
    "needs_text": f"{SAYS} {OTHERS}",
    "population": {"value": 9, "source": SAYS},
    "migrant_share": {"value": 0.1, "definition": "other", "source": SAYS},
    "practices": [PRACTICE],
}
EVERYWHERE = {
    ("account", "email"),
    ("account", "name"),
    ("check_in", "note"),
    ("city", "migrant_share_source"),
    ("city", "needs_text"),
    ("city", "population_source"),
    ("contact", "email"),
    ("contact", "function"),
    ("contact", "name"),
    ("kept_answer", "body"),
    ("message", "text"),
    ("pairing", "mentor_text"),
    ("pairing", "reason"),
    ("practice", "result"),
    ("practice", "summary"),
    ("practice", "title"),
    ("practice", "url"),
    ("practice", "what_went_wrong"),
    ("remark", "text"),
    ("round", "description"),
    ("round", "name"),
    ("round_policy", "body"),
    ("run", "label"),
    ("token", "name"),
    ("webhook", "description"),
}


def name_everywhere(service) -> None:
    """Write the person's name into every text that callers can write."""
    pin = {"mentor": "amiens", "learner": "celje", "reason": SAYS}
    add_officer(service, "celje")
    round_id, run = closed_round(service, *FIVE)
    where = f"/rounds/{round_id}"
    back = {"to": "open", "reason": SAYS}
    named = {"name": f"Round of {NAME}", "description": SAYS}
    hook = {"url": "https://hooks.example/", "description": SAYS}
    calls = [
        # First of all: what stands in texts from here on is in no frozen problem.
        service.post(f"{where}/runs", {"label": f"Of {NAME}"}),
        service.post("/webhooks", hook),
        service.post("/account/tokens", {"name": f"For {NAME}"}, "celje"),
        service.put("/cities/amiens", FIVE[0] | PROFILE, "*"),
        service.put(where, named, "*"),
        service.post(f"{where}/phase", back),
        service.post(f"{where}/phase", {"to": "closed"}),
        service.put(f"{where}/policy", {"pins": [pin]}, "*"),
        service.post(f"{where}/stage", {"run": run}),
        service.post(f"{where}/release", {}),
    ]
    one, other, third = (
        pairing(service, round_id, *pair)
        for pair in (("amiens", "celje"), ("bruges", "delft"), ("bruges", "evora"))
    )
    confirm(service, one)
    note, no = {"note": SAYS}, {"side": "mentor", "answer": "decline", "text": SAYS}
    calls += [
        service.post(f"/pairings/{one['id']}/check-ins", note, "celje"),
        service.post(f"/pairings/{other['id']}/answer", no | {"reason_code": "other"}),
        service.post(f"/pairings/{third['id']}/withdraw", {"reason": SAYS}),
    ]
    assert [call.text for call in calls if not call.is_success] == []
