"""Find a person by name, telephone number or email address before anything new is begun."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from recruit.accounts.policy import Scope
from recruit.addresses import clean_line, read_email, read_phone
from recruit.errors import Invalid
from recruit.matching import queries
from recruit.matching.models import Match
from recruit.people import queries as people
from recruit.people.models import ContactKind
from recruit.people.queries import Known
from recruit.studies.models import Study

MOST = 25
_LEAST_DIGITS = 7


@dataclass(frozen=True, slots=True)
class Hit:
    """A person who was found; out of scope nothing but that there is one."""

    person_id: UUID
    known: Known | None
    matches: list[tuple[Match, Study]]


def find(session: Session, typed: str, scope: Scope, *, country: str) -> list[Hit]:
    """Find people by what somebody typed; those out of scope come without a name, after the others.

    :raises Invalid: too little was typed
    """
    words = clean_line(typed, limit=120)
    if len(words) < 3:
        raise Invalid("Type a name, a telephone number or an email address.", field="q")
    roots = {people.root_of(session, key): None for key in _candidates(session, words, country)}
    hits = [_hit(session, root, scope) for root in list(roots)[:MOST]]
    return sorted(hits, key=lambda hit: hit.known is None)


def _candidates(session: Session, words: str, country: str) -> list[UUID]:
    if "@" in words:
        return [person.id for person in people.people_at(session, ContactKind.EMAIL, _email(words))]
    if sum(c.isdigit() for c in words) >= _LEAST_DIGITS:
        number = _phone(words, country)
        return [person.id for person in people.people_at(session, ContactKind.PHONE, number)]
    return people.search_by_name(session, words, limit=MOST)


def _email(words: str) -> str:
    try:
        return read_email(words)
    except Invalid as error:
        raise error.at("q") from None


def _hit(session: Session, root: UUID, scope: Scope) -> Hit:
    rows = queries.matches_of(session, people.cluster_of(session, root))
    visible = [(match, study) for match, study in rows if queries.covered(session, match, scope)]
    named = people.names_of(session, {root}) if visible or scope.is_everything else {}
    return Hit(root, named.get(root), visible)


def _phone(words: str, country: str) -> str:
    try:
        return read_phone(words, country=country).e164
    except Invalid as error:
        raise error.at("q") from None
