"""People of a study whose criteria are about to change, for tests of what is said about it beforehand."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from recruit.ids import new_id
from recruit.matching import assessing, service
from recruit.matching.models import Match
from recruit.people.models import Basis, Person
from recruit.people.service import Identity, add_person
from recruit.studies import versions
from recruit.studies.models import ProtocolVersion, StudySite
from recruit.vocabulary import terms, vocabulary_of
from screening.facts import Dated, Flag, Value
from screening.intervals import DateRange
from screening.language.notation import parse
from tests.conftest import NOON
from tests.factories import OpenStudy, approve_everything, publish_criteria
from tests.recruit.matching.told import tell

RULES = (
    ("inclusion", "Adults of up to 75 years", "age between 18 and 75 years"),
    ("exclusion", "Pregnant", "pregnant is yes"),
)
STRICTER = """language 1
    include c1 number "1" text "Adults of up to 40 years" rule age between 18 and 40 years
    exclude c2 number "2" text "Pregnant" rule pregnant is yes"""
WITH_VAPING = f"""{STRICTER}
    exclude c3 number "3" text "Vapes" rule vaping is yes"""
YOUNG, OLD, TOO_OLD = 1995, 1960, 1930


def draft(session: Session, opened: OpenStudy, text: str) -> ProtocolVersion:
    """Begin an amendment of these criteria."""
    vocabulary = vocabulary_of(session, opened.study.id)
    protocol = parse(text, vocabulary=vocabulary, terms=terms())
    return versions.draft_protocol(session, opened.study.id, protocol, at=NOON)


def publish(session: Session, opened: OpenStudy, text: str) -> ProtocolVersion:
    """Publish an amendment and let the board approve it."""
    published = publish_criteria(session, draft(session, opened, text), at=NOON)
    approve_everything(session, opened.study, at=NOON)
    return published


def put_in_force(
    session: Session,
    opened: OpenStudy,
    version: ProtocolVersion,
    *,
    since: date,
    study_site_id: UUID | None = None,
) -> None:
    """Set the day from which a site uses a version."""
    versions.put_in_force(
        session,
        study_site_id or opened.study_site.id,
        protocol_version_id=version.id,
        questionnaire_version_id=opened.questionnaire.id,
        effective_from=since,
        at=NOON,
    )


def somebody(
    session: Session,
    opened: OpenStudy,
    *,
    born: int = YOUNG,
    study_site: StudySite | None = None,
    merged_into: UUID | None = None,
    is_test: bool = False,
    without_site: bool = False,
    **flags: bool,
) -> Match:
    """Bring in somebody born in a year and not pregnant, but for what is said, judged and queued."""
    person = add_person(session, Identity(given="Ann"), basis=Basis.CALL, language="en", at=NOON)
    person.merged_into_id = merged_into
    said: dict[str, Value] = {"birth": Dated(DateRange.month(born, 3)), "pregnant": Flag(False)}
    tell(session, opened.study.id, person.id, said | {key: Flag(value) for key, value in flags.items()})
    place = None if without_site else (study_site or opened.study_site).id
    match = (
        service.ensure_match(
            session, person, opened.study, study_site_id=place, source_link_id=None, at=NOON, is_test=is_test
        )
        if merged_into is None
        else _own_match(session, opened, person)
    )
    assessing.assess_match(session, match, cause="submission", at=NOON)
    service.queue(session, match, at=NOON)
    session.flush()
    return match


def _own_match(session: Session, opened: OpenStudy, person: Person) -> Match:
    match = Match(
        id=new_id(),
        person_id=person.id,
        study_id=opened.study.id,
        study_site_id=opened.study_site.id,
        arrived_at=NOON,
        plan_from=NOON,
    )
    session.add(match)
    session.flush()
    return match
