"""What was released, sealed; and the text that tells everybody how it was chosen."""

from sqlalchemy.orm import Session

from app.db import tables
from app.errors import NotFound, Unauthenticated, WrongPhase
from app.permissions import Actor, may_oversee
from app.services.rounds import rounds
from app.services.runs import bundle
from app.texts.matching.how_we_chose import Chosen, Override, how_we_chose
from schemas import AccountLanguage, HowWeChose, ReleasedDecision, Section


def get(session: Session, actor: Actor | None, round_id: str) -> tables.Decision:
    """Return what was released.

    Args:
        session: Where to look.
        actor: Who is looking; None: anybody, who may look at a public round's only.
        round_id: Which round.

    Raises:
        Unauthenticated: If that takes signing in.
        NotFound: If there is no such round for the actor.
        WrongPhase: If nothing was released.

    """
    decision = find(session, round_id)
    if actor is None:
        row = session.get(tables.Round, round_id)
        if row is None or not row.public or decision is None:
            raise Unauthenticated("Send the header `Authorization: Bearer cmp_…`.")
        return decision
    row = rounds.get(session, actor, round_id)
    if decision is None:
        raise WrongPhase(f"The round is {row.phase}: nothing has been released.")
    return decision


def find(session: Session, round_id: str) -> tables.Decision | None:
    """Return what was released of the round; None before the release."""
    return session.get(tables.Decision, round_id)


def round_of(session: Session, decision: tables.Decision) -> tables.Round:
    """Return the round whose decision this is."""
    return session.get_one(tables.Round, decision.round_id)


def sealed(session: Session, actor: Actor, round_id: str) -> bytes:
    """Return the sealed bundle of a release, or raise `NotFound`."""
    if not may_oversee(actor):
        raise NotFound(f"There is no bundle of {round_id} for you.")
    return get(session, actor, round_id).bundle


def as_decision(session: Session, row: tables.Decision) -> ReleasedDecision:
    """Return what was released as it travels: digests, and nothing to guess from."""
    run = session.get_one(tables.Run, row.run_id)
    return ReleasedDecision(
        round=row.round_id,
        run=row.run_id,
        released_at=row.at,
        problem_hash=run.problem_hash,
        policy_hash=run.policy_hash,
        sha256=row.sha256,
    )


def chosen(session: Session, row: tables.Decision) -> Chosen:
    """Return what the text is made of: the sealed bundle alone."""
    content = bundle.unseal(row.bundle)
    assert content.released is not None  # noqa: S101 -- a release's bundle has it
    offered = content.released.pairings
    return Chosen(
        round_name=session.get_one(tables.Round, row.round_id).name,
        released_at=content.released.at,
        policy=content.policy,
        problem=content.problem,
        solution=content.solution,
        released=tuple((one.mentor, one.learner) for one in offered),
        overrides=tuple(
            Override(
                mentor=one.mentor,
                learner=one.learner,
                reason=one.reason or "",
                price=one.price,
            )
            for one in offered
            if one.origin == "override"
        ),
        dismissed=len(content.released.dismissed),
        added=sum(one.origin == "repair" for one in offered),
        bundle=row.sha256,
    )


def text(found: Chosen, language: AccountLanguage) -> HowWeChose:
    """Return how the pairings were chosen, in words."""
    words = how_we_chose(found, language)
    return HowWeChose(
        title=words.title,
        language=language,
        sections=tuple(
            Section(heading=one.heading, sentences=one.sentences)
            for one in words.sections
        ),
        table_heading=words.table_heading,
        columns=words.columns,
        rows=words.rows,
    )
