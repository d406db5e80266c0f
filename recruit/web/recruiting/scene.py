"""What every page about one person in one study begins with: who, which study, where, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.accounts.policy import Scope
from recruit.db import Versioned, found, locked
from recruit.errors import Conflict, Invalid, NotFound, Refused
from recruit.intake import once
from recruit.matching import history, queries
from recruit.matching.models import Match
from recruit.matching.place import zone_of
from recruit.people import queries as people
from recruit.people.models import Person
from recruit.people.queries import Known
from recruit.referrals.models import Referral
from recruit.studies.models import Site, Study, StudySite
from recruit.web import identity
from recruit.web.recruiting.reading import Form


class Stale(Conflict):
    """Somebody else changed what this form was about; the page says what, and shows what was typed."""

    def __init__(self, match_id: UUID, version: int) -> None:
        super().__init__("Somebody else changed this while you were typing. Nothing you typed is lost.")
        self.match_id = match_id
        self.version = version


@dataclass(frozen=True, slots=True)
class Scene:
    """One person in one study, opened."""

    match: Match
    person: Person
    members: frozenset[UUID]
    known: Known
    study: Study
    study_site: StudySite | None
    site: Site | None
    zone: str
    referral: Referral | None

    @property
    def site_phone(self) -> str:
        """Give the number to call from and to be called back at."""
        if self.study_site is not None and self.study_site.study_phone:
            return self.study_site.study_phone
        return self.site.phone if self.site is not None else ""


def scope() -> Scope:
    """Give what the account signed in may see as a recruiter."""
    return identity.scope(Role.RECRUITER)


def account_id() -> UUID:
    """Give the account signed in; the gate lets only staff come here."""
    found_id = identity.account_id()
    assert found_id is not None  # noqa: S101 - the gate lets only staff reach these views
    return found_id


def scene_of(session: Session, match_id: UUID) -> Scene:
    """Open a person in a study, where the account may see it.

    :raises NotFound: there is none, or it is somebody else's
    """
    queries.match_in_scope(session, match_id, scope())
    return scene_of_match(session, match_id)


def scene_of_match(session: Session, match_id: UUID) -> Scene:
    """Open a person in a study for somebody let in by another door, such as a referral of their site."""
    match = found(session, Match, match_id)
    root = people.root_of(session, match.person_id)
    person = found(session, Person, root)
    study_site = found(session, StudySite, match.study_site_id) if match.study_site_id else None
    return Scene(
        match=match,
        person=person,
        members=people.cluster_of(session, root),
        known=people.identity_of(session, person),
        study=found(session, Study, match.study_id),
        study_site=study_site,
        site=found(session, Site, study_site.site_id) if study_site else None,
        zone=zone_of(session, match),
        referral=_referral(session, match),
    )


def referral_in_scope(session: Session, referral_id: UUID) -> Referral:
    """Fetch a referral that the account may see.

    :raises NotFound: there is none, or it is another site's
    """
    referral = found(session, Referral, referral_id)
    site_id = found(session, StudySite, referral.study_site_id).site_id
    covers = scope().covers(site_id=site_id, study_id=referral.study_id)
    if not covers or found(session, Person, referral.person_id).erased_at is not None:
        raise NotFound("There is no such referral.")
    return referral


@contextmanager
def writing(form: Form, *, reason: str) -> Iterator[Session]:
    """Open the transaction of a post; what a service refuses is noted in the form, and nothing is written."""
    try:
        with context.transaction(reason=reason) as session:
            yield session
    except (Invalid, Refused) as error:
        form.refuse(error)


def hold_still(session: Session, match_id: UUID, form: Form) -> Match:
    """Lock a match for a change, if it is still as the page showed it.

    :raises NotFound: there is none, or it is somebody else's
    :raises Stale: somebody changed it in the meantime
    """
    queries.match_in_scope(session, match_id, scope())
    match = locked(session, Match, match_id)
    check_version(match, form, match_id=match.id)
    return match


def is_repeated(session: Session, form: Form, step: str, subject: UUID) -> bool:
    """Say whether this very post was carried out before, as by a second click; else note that it is now.

    Another post from the same page is not told from here: it fails at the version of the row.
    """
    key = f"{subject}:{form.version()}:{account_id()}"
    body = once.body_hash(request.form.to_dict(flat=False))
    try:
        return once.claim(session, step, key, body, at=context.now()) is not None
    except Conflict:
        return False


def check_version(row: Versioned, form: Form, *, match_id: UUID) -> None:
    """Compare a row with the version that the page showed; a page that says nothing was not ours.

    :raises Stale: they differ
    """
    if form.version() != row.version:
        raise Stale(match_id, row.version)


def look(person_id: UUID, page: str) -> None:
    """Write down, in a transaction of its own, that this account looked at a person's data."""
    with context.transaction(reason=f"view:{page}") as session:
        history.log_view(session, account_id(), person_id, page=page, at=context.now())


def to_person(match_id: UUID) -> ResponseReturnValue:
    """Go on to the person's page."""
    return redirect(url_for("desk.person.show", match_id=match_id), 303)


def seen_at(text: str) -> datetime | None:
    """Read when a page was shown, as its form says."""
    try:
        at = datetime.fromisoformat(text[:40])
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _referral(session: Session, match: Match) -> Referral | None:
    """Give the open referral of a match, else its last one."""
    return session.scalar(
        sa.select(Referral)
        .where(Referral.match_id == match.id)
        .order_by(Referral.closed_at.is_not(None), Referral.referred_at.desc(), Referral.id.desc())
        .limit(1)
    )
