"""A study with criteria, and people in its pool, for tests of what is counted over all of them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from recruit.contact.models import Consent, ConsentScope, Purpose
from recruit.db import Database
from recruit.matching.models import Match
from recruit.people.models import Basis, Person
from recruit.people.service import Identity, add_person
from recruit.studies import versions
from recruit.studies.models import ProtocolVersion, Site, Study, StudySite
from recruit.vocabulary import terms, vocabulary_of
from screening.facts import Dated, Flag
from screening.intervals import DateRange
from screening.language.notation import parse
from tests.conftest import NOON
from tests.factories import make_site, make_study, make_study_site
from tests.recruit.matching.told import tell

CRITERIA = """language 1
    include c1 number "1" text "Adults of up to 75 years" rule age between 18 and 75 years
    exclude c2 number "2" text "Pregnant" rule pregnant is yes
    exclude c3 number "3" text "Vapes" rule vaping is yes
    include c4 number "4" text "The site finds them fit" rule site("fit")"""
YOUNG, OLD, TOO_OLD = 1995, 1960, 1930
MIAMI, NEW_YORK = "33101", "10001"


@dataclass(frozen=True, slots=True)
class Pooled:
    """A study with one site in Miami and a draft of criteria."""

    study: Study
    site: Site
    study_site: StudySite
    protocol: ProtocolVersion


def make_pooled(session: Session, text: str = CRITERIA) -> Pooled:
    """Make a study with criteria written in the notation."""
    study, site = make_study(session), make_site(session)
    place = make_study_site(session, study, site)
    protocol = parse(text, vocabulary=vocabulary_of(session, study.id), terms=terms())
    return Pooled(study, site, place, versions.draft_protocol(session, study.id, protocol, at=NOON))


def somebody(
    session: Session,
    pooled: Pooled,
    merged_into: UUID | None = None,
    *,
    born: int = YOUNG,
    postcode: str = MIAMI,
    **flags: bool,
) -> Person:
    """Bring somebody into a study who was born in a year and is not pregnant, but for what is said."""
    person = add_person(
        session, Identity(given="Ann"), basis=Basis.CALL, language="en", at=NOON, postcode=postcode
    )
    person.merged_into_id = merged_into
    flags = {"pregnant": False, **flags}
    tell(session, pooled.study.id, person.id, {"birth": Dated(DateRange.month(born, 3))})
    tell(session, pooled.study.id, person.id, {key: Flag(value) for key, value in flags.items()})
    session.add(Match(person_id=person.id, study_id=pooled.study.id, arrived_at=NOON))
    session.flush()
    return person


def bring(
    database: Database,
    pooled: Pooled,
    number: int,
    *,
    born: int = YOUNG,
    postcode: str = MIAMI,
    **flags: bool,
) -> list[UUID]:
    """Bring in so many people who are alike."""
    with database.transaction(actor="test") as session:
        alike = [somebody(session, pooled, None, born=born, postcode=postcode, **flags) for _ in range(number)]
        return [one.id for one in alike]


def register(session: Session, person_id: UUID, *, given: bool = True, later: int = 0) -> None:
    """Write down that somebody stays in the registry, or no longer does."""
    session.add(
        Consent(
            person_id=person_id,
            purpose=Purpose.REGISTRY,
            scope=ConsentScope.REGISTRY,
            given=given,
            text="Keep me.",
            text_sha256="0" * 64,
            text_version="1",
            language="en",
            how="test",
            at=NOON.replace(minute=later),
            recorded_by="test",
        )
    )
    session.flush()
