"""Keeping what the retention table promises: the jobs that remove what is past its time.

Each works in batches of its own transaction, well under 200 ms, and looks only at what the rows say; a run
that is killed has lost nothing, and the next one goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from recruit import privacy, settling
from recruit.accounts.models import LoginAttempt, LoginSession, OneTimeLink
from recruit.contact.models import Consent, ConsentScope, Purpose, Verification
from recruit.contact.wordings import wordings
from recruit.db import Database, Row
from recruit.intake.models import IdempotencyKey
from recruit.matching.models import Match, OpenCall, Triage
from recruit.people import queries as people
from recruit.people.models import Person
from recruit.referrals.models import Referral
from recruit.retention import RULES, Retention
from recruit.studies.models import Study
from screening.verdict import Disposition

DRAFTS_AT_ONCE = 50
PEOPLE_AT_ONCE = 2
ROWS_AT_ONCE = 500
_WAITING = (Triage.WAITLISTED, Triage.DEFERRED, Triage.SNOOZED, Triage.REFERRED)
_SETTLED_AT = sa.func.coalesce(Match.closed_at, Match.last_contact_at, Match.arrived_at)


@dataclass(frozen=True, slots=True)
class Expiring:
    """A table of operational rows, and the moment from which their days run."""

    model: type[Row]
    since: InstrumentedAttribute[datetime]


OPERATIONAL = (
    Expiring(LoginSession, LoginSession.expires_at),
    Expiring(OneTimeLink, OneTimeLink.expires_at),
    Expiring(LoginAttempt, LoginAttempt.at),
    Expiring(Verification, Verification.expires_at),
    Expiring(IdempotencyKey, IdempotencyKey.at),
    Expiring(OpenCall, OpenCall.started_at),
)


def purge_drafts(database: Database, *, at: datetime) -> int:
    """Count and remove every draft whose time is over; return how many went."""
    gone = 0
    while True:
        with database.transaction(actor="job:purge.drafts", reason="retention:draft") as session:
            batch = settling.settle_due_drafts(session, at=at, limit=DRAFTS_AT_ONCE)
        gone += batch
        if batch < DRAFTS_AT_ONCE:
            return gone


def purge_screened_out(database: Database, *, at: datetime) -> int:
    """Forget people who did not come to take part, after their study's days; return how many matches went.

    The person goes with the last study, unless they agreed to stay in the registry; then they go when that
    agreement ends.
    """
    with database.reading() as session:
        due, left = _screened_out(session, at=at), _left_the_registry(session, at=at)
    gone = sum(_let_go(database, person_id, at=at) for person_id in left)
    for start in range(0, len(due), PEOPLE_AT_ONCE):
        with database.transaction(actor="job:purge.screened_out", reason="retention:screened_out") as session:
            for match_id in due[start : start + PEOPLE_AT_ONCE]:
                gone += _forget(session, match_id, at=at)
    return gone


def purge_operational(database: Database, *, at: datetime) -> int:
    """Remove rows that only served to run the application: old sessions, links, attempts, codes, keys."""
    return sum(expire(database, table, at=at) for table in OPERATIONAL)


def expire(database: Database, table: Expiring, *, at: datetime) -> int:
    """Remove the rows of an operational table that are past their days; return how many went."""
    before = at - timedelta(days=RULES[Retention.OPERATION].days or 0)
    gone = 0
    while True:
        with database.transaction(actor="job:purge.operational", reason="retention:operation") as session:
            old = sa.select(table.model.id).where(table.since < before).limit(ROWS_AT_ONCE)
            ids = list(session.scalars(old))
            session.execute(sa.delete(table.model).where(table.model.id.in_(ids)))
        gone += len(ids)
        if len(ids) < ROWS_AT_ONCE:
            return gone


def _screened_out(session: Session, *, at: datetime) -> list[UUID]:
    """List the matches that are past their study's days, longest first."""
    found: list[tuple[datetime, UUID]] = []
    for study_id, days in session.execute(sa.select(Study.id, Study.screened_out_days)):
        rows = session.execute(
            sa.select(_SETTLED_AT, Match.id)
            .where(Match.study_id == study_id, *_ended())
            .where(sa.type_coerce(_SETTLED_AT, Match.arrived_at.type) <= at - timedelta(days=days))
        )
        found += [(since, match_id) for since, match_id in rows]
    return [match_id for _, match_id in sorted(found)]


def _left_the_registry(session: Session, *, at: datetime) -> list[UUID]:
    """List people who are here for the registry alone, and whose yes has ended or is used no longer."""
    stopped = wordings(session).stopped_versions(Purpose.REGISTRY, on=at.date())
    return list(
        session.scalars(
            sa.select(Consent.person_id)
            .join(Person, Person.id == Consent.person_id)
            .where(Consent.purpose == Purpose.REGISTRY)
            .where(sa.or_(Consent.ends_on < at.date(), Consent.questionnaire_version_id.in_(stopped)))
            .where(Person.erased_at.is_(None), Person.merged_into_id.is_(None))
            .where(~sa.exists().where(Match.person_id == Consent.person_id))
            .distinct()
        )
    )


def _let_go(database: Database, person_id: UUID, *, at: datetime) -> int:
    """Forget somebody who has no study left, unless they came back or agreed anew in the meantime."""
    with database.transaction(actor="job:purge.screened_out", reason="retention:registry") as session:
        members = people.cluster_of(session, people.root_of(session, person_id))
        has_study = session.scalar(sa.select(Match.id).where(Match.person_id.in_(members)).limit(1)) is not None
        if has_study or _in_registry(session, members, at=at):
            return 0
        privacy.erase_person(session, person_id, at=at, cause=privacy.Cause.RETENTION)
        return 1


def _ended() -> tuple[sa.ColumnElement[bool], ...]:
    """Say in SQL what is over before informed consent: closed or ruled out, and waiting for nothing."""
    is_open = sa.exists().where(Referral.match_id == Match.id, Referral.closed_at.is_(None))
    return (
        sa.or_(Match.triage == Triage.CLOSED, Match.effective_disposition == Disposition.INELIGIBLE),
        Match.triage.not_in(_WAITING),
        ~is_open,
    )


def _forget(session: Session, match_id: UUID, *, at: datetime) -> bool:
    """Forget a person's study if it is still past its time, and the person with the last one."""
    match = session.scalar(sa.select(Match).where(Match.id == match_id, *_ended()).with_for_update())
    if match is None:
        return False
    members = people.cluster_of(session, people.root_of(session, match.person_id))
    matches = sa.select(Match.id).where(Match.person_id.in_(members))
    in_study = matches.where(Match.study_id == match.study_id)
    if session.scalar(in_study.where(~sa.and_(*_ended())).limit(1)) is not None or _is_record(
        session, in_study
    ):
        return False
    elsewhere = matches.where(Match.study_id != match.study_id).limit(1)
    if session.scalar(elsewhere) is None and not _in_registry(session, members, at=at):
        privacy.erase_person(session, match.person_id, at=at, cause=privacy.Cause.RETENTION)
    else:
        privacy.forget_study(session, match.person_id, match.study_id)
    return True


def _is_record(session: Session, matches: sa.Select[UUID]) -> bool:
    referrals = set(session.scalars(sa.select(Referral.id).where(Referral.match_id.in_(matches))))
    return bool(privacy.reached_consent(session, referrals))


def _in_registry(session: Session, members: frozenset[UUID], *, at: datetime) -> bool:
    """Say whether the last word about the registry was a yes that has not ended."""
    last = (
        sa.select(Consent)
        .where(Consent.person_id.in_(members), Consent.purpose == Purpose.REGISTRY)
        .where(Consent.scope == ConsentScope.REGISTRY)
        .order_by(Consent.at.desc(), Consent.id.desc())
        .limit(1)
    )
    word = session.scalar(last)
    return word is not None and wordings(session).holds(word, on=at.date())
