"""The page of a pairing: the two cities read why, answer, and note how it goes."""

from functools import partial
from typing import get_args

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.errors import Forbidden, Refusal
from app.http.transactions import AuthenticatedTransaction
from app.permissions import (
    Actor,
    may_edit_city,
    may_note,
    may_oversee,
)
from app.pictures.card import Card
from app.services.cities import contacts, profiles
from app.services.pairings import check_ins, offers, pairings, questions
from app.services.rounds import rounds
from app.services.shared.clock import now
from app.services.shared.paging import PageRequest
from app.services.shared.rows import PairingRow
from app.texts.catalogue import here, message
from app.texts.matching import offer
from app.web.forms import field_text, parse, redirect, submit
from app.web.layout import show
from app.web.pairings.cards import card_of, edits
from app.web.session import Form, OnlyOnce, PageSession
from schemas import (
    AnswerWrite,
    CheckIn,
    CheckInWrite,
    Contact,
    QuestionWrite,
    Role,
)

router = APIRouter(include_in_schema=False)
_SIDES: tuple[Role, ...] = get_args(Role)
_NOTES = PageRequest(50)
_DONE = {
    "accept": message("Thank you: your yes is stored."),
    "decline": message(
        "Your answer is stored. The organisers look for another partner."
    ),
    "note": message("Your note is stored."),
    "asked": message("Your question is stored. The organisers see it."),
    "told": message("Your answer is stored. The city sees it here."),
}


@router.get("/pairings/{pairing_id}")
def show_pairing(tx: PageSession, pairing_id: str, done: str = "") -> HTMLResponse:
    """Show a pairing to its cities, its organisers and the network."""
    return _page(tx, pairing_id, done=done)


def _page(
    tx: AuthenticatedTransaction,
    pairing_id: str,
    refused: Refusal | None = None,
    *,
    done: str = "",
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    with tx.read() as (session, actor):
        row = pairings.get(session, actor, pairing_id)
        round_row = rounds.get(session, actor, row.round_id)
        shown = card_of(session, actor, row)
        pairing = pairings.as_pairing(row, actor)
        is_open = pairing.state == "offered" and round_row.phase == "released"
        told = offer.Offer(
            pairing=pairing,
            mentor=shown.mentor.name,
            learner=shown.learner.name,
            side=questions.side_of(actor, row),
            is_open=is_open,
            at=now(),
            told=here(),
        )
        return show(
            "pairings/pairing.html",
            actor,
            "rounds",
            refused.status if refused else 200,
            round=rounds.as_round(round_row),
            pairing=pairing,
            card=shown,
            edits=edits(actor, shown),
            names={city.id: city.name for city in (shown.mentor, shown.learner)},
            side=told.side,
            is_open=is_open,
            standing=told.standing(),
            agenda=_agenda(shown),
            sides=_answering(actor, row),
            notes=_notes(session, actor, row),
            people=_people(session, actor, row),
            questions=list(
                map(questions.as_question, questions.seen(session, actor, row))
            ),
            may_ask=questions.may_ask(actor, round_row, row),
            oversees=may_oversee(actor),
            reasons=offer.REASONS,
            refused=refused,
            typed=typed or {"form": ""},
            done=_DONE.get(done),
        )


def _agenda(shown: Card) -> list[str]:
    """Return what to talk about when the two first meet."""
    title = shown.fitting.practice.title if shown.fitting else None
    return offer.agenda(shown.mentor.name, shown.learner.name, title, here())


def _answering(actor: Actor, row: PairingRow) -> list[Role]:
    """Return the sides that the visitor answers for."""
    cities = pairings.cities_of(row)
    return [
        side
        for side, city in zip(_SIDES, cities, strict=True)
        if may_edit_city(actor, city)
    ]


def _notes(session: Session, actor: Actor, row: PairingRow) -> list[CheckIn] | None:
    """Return the newest notes of a pairing; None if they are not the visitor's."""
    if not (may_note(actor, pairings.cities_of(row)) or may_oversee(actor)):
        return None
    found, _ = check_ins.search(session, actor, row, _NOTES)
    return list(map(check_ins.as_check_in, found))


def _people(
    session: Session, actor: Actor, row: PairingRow
) -> dict[str, list[Contact]]:
    """Return the contact persons of a confirmed pairing, by city, but the own city's.

    Only those cities are in it whose persons the visitor may know.
    """
    if row.state != "confirmed":
        return {}
    both = (profiles.get(session, city) for city in pairings.cities_of(row))
    return {
        city.id: list(
            map(contacts.as_contact, contacts.of_city(session, actor, city.id))
        )
        for city in both
        if city.id != actor.city and contacts.may_see(session, actor, city)
    }


@router.post("/pairings/{pairing_id}/answer")
def answer(tx: PageSession, once: OnlyOnce, pairing_id: str, form: Form) -> Response:
    """Accept or decline for a city."""
    said_it = field_text(form, "answer")
    typed = {name: field_text(form, name) for name in ("reason_code", "text")}
    side = field_text(form, "side")

    def work(session: Session, actor: Actor) -> Response:
        round_row, row = pairings.get_locked(session, actor, pairing_id)
        if not _answering(actor, row):
            raise Forbidden("Only the two cities and organisers answer.")
        new = parse(
            AnswerWrite,
            side=side,
            answer=said_it,
            reason_code=typed["reason_code"] or None,
            text=typed["text"],
        )
        offers.answer(session, actor, round_row, row, new)
        return redirect(f"/pairings/{pairing_id}?done={said_it}")

    again = partial(_page, tx, pairing_id, typed=typed | {"form": f"decline-{side}"})
    return submit(partial(once.answer, tx, work), again)


@router.post("/pairings/{pairing_id}/check-ins")
def add_note(tx: PageSession, once: OnlyOnce, pairing_id: str, form: Form) -> Response:
    """Note how a confirmed pairing goes."""
    typed = {name: field_text(form, name) for name in ("fit", "note")}

    def work(session: Session, actor: Actor) -> Response:
        round_row, row = pairings.get_locked(session, actor, pairing_id)
        if not may_note(actor, pairings.cities_of(row)):
            raise Forbidden("Only the two cities and organisers note how it goes.")
        new = parse(CheckInWrite, fit=typed["fit"] or None, note=typed["note"])
        check_ins.add(session, actor, round_row, row, new)
        return redirect(f"/pairings/{pairing_id}?done=note")

    again = partial(_page, tx, pairing_id, typed=typed | {"form": "note"})
    return submit(partial(once.answer, tx, work), again)


@router.post("/pairings/{pairing_id}/questions")
def ask(tx: PageSession, once: OnlyOnce, pairing_id: str, form: Form) -> Response:
    """Ask the organisers about a pairing."""
    typed = {"text": field_text(form, "text")}

    def work(session: Session, actor: Actor) -> Response:
        round_row, row = pairings.get_locked(session, actor, pairing_id)
        questions.ask(session, actor, round_row, row, parse(QuestionWrite, **typed))
        return redirect(f"/pairings/{pairing_id}?done=asked")

    again = partial(_page, tx, pairing_id, typed=typed | {"form": "ask"})
    return submit(partial(once.answer, tx, work), again)


@router.post("/pairings/{pairing_id}/questions/{question_id}")
def tell(
    tx: PageSession, once: OnlyOnce, pairing_id: str, question_id: str, form: Form
) -> Response:
    """Answer a question about a pairing."""
    typed = {"text": field_text(form, "text")}

    def work(session: Session, actor: Actor) -> Response:
        _, row = pairings.get_locked(session, actor, pairing_id)
        new = parse(QuestionWrite, **typed)
        questions.answer(session, actor, row, question_id, new)
        return redirect(f"/pairings/{pairing_id}?done=told")

    again = partial(_page, tx, pairing_id, typed=typed | {"form": question_id})
    return submit(partial(once.answer, tx, work), again)
