"""What public pages show of a study: only texts that an approval covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.clock import civil_day
from recruit.db import found
from recruit.errors import NotFound
from recruit.materials import queries as materials
from recruit.materials.models import MaterialKind
from recruit.materials.queries import Shelf
from recruit.studies import queries as studies
from recruit.studies.models import Site, Study, StudySite, StudyStatus
from recruit.studies.queries import OpenSite
from recruit.studies.reading import document_of
from screening.asking.questionnaire import Document

FALLBACK = "en"
PAGE_TEXTS = (
    MaterialKind.STUDY_PAGE,
    MaterialKind.NOT_RECRUITING,
    MaterialKind.PAYMENT,
    MaterialKind.TRAVEL,
    MaterialKind.QUESTIONS_ANSWERED,
)


@dataclass(frozen=True, slots=True)
class ApprovedText:
    """An approved text in the language that it is in, which may not be the one asked for."""

    title: str
    body: str
    language: str


@dataclass(frozen=True, slots=True)
class StudyPage:
    """A study as its public page shows it; without places it takes nobody now."""

    study: Study
    text: ApprovedText | None
    not_recruiting: ApprovedText | None
    payment: ApprovedText | None
    travel: ApprovedText | None
    answers: ApprovedText | None
    places: tuple[OpenSite, ...]
    document: Document | None
    phone: str

    def tongue(self, wanted: str) -> str:
        """Give the language in which people can be asked: the one wanted where it is approved."""
        languages = self.places[0].languages if self.places else ()
        return wanted if wanted in languages or not languages else languages[0]


def study_page(session: Session, slug: str, *, language: str, at: datetime) -> StudyPage:
    """Collect a study's public page.

    :raises NotFound: there is no such study, or it is not open
    """
    if not slug.isprintable():
        raise NotFound("There is no such study.")
    study = studies.study_by_slug(session, slug)
    if study.status is not StudyStatus.OPEN:
        raise NotFound("There is no such study.")
    places = tuple(studies.open_sites(session, study, at=at))
    where = _approved_where(session, study, places)

    days = _days(session, where, at=at)
    shelf = materials.shelf(session, study.id, *PAGE_TEXTS)

    def text(kind: MaterialKind) -> ApprovedText | None:
        return _approved(shelf, kind, language=language, days=days)

    return StudyPage(
        study=study,
        text=text(MaterialKind.STUDY_PAGE),
        not_recruiting=None if places else text(MaterialKind.NOT_RECRUITING),
        payment=text(MaterialKind.PAYMENT),
        travel=text(MaterialKind.TRAVEL),
        answers=text(MaterialKind.QUESTIONS_ANSWERED),
        places=places,
        document=document_of(places[0].in_force.questionnaire) if places else None,
        phone=places[0].study_site.study_phone if places else "",
    )


def recruiting(session: Session, *, language: str, at: datetime) -> list[StudyPage]:
    """List the studies that take people now, by their names in the address."""
    slugs = session.scalars(
        sa.select(Study.slug)
        .where(Study.status == StudyStatus.OPEN, Study.is_test.is_(False))
        .order_by(Study.slug)
    )
    pages = [study_page(session, slug, language=language, at=at) for slug in slugs]
    return [page for page in pages if page.places]


def approved_text(
    session: Session,
    study_id: UUID,
    kind: MaterialKind,
    *,
    language: str,
    study_site_ids: tuple[UUID | None, ...],
    at: datetime,
) -> ApprovedText | None:
    """Give the text in use whose exact bytes are approved today, in this language or else in English.

    An approval at one of the sites is enough.
    """
    days = _days(session, study_site_ids, at=at)
    return _approved(materials.shelf(session, study_id, kind), kind, language=language, days=days)


def _approved(
    shelf: Shelf, kind: MaterialKind, *, language: str, days: Mapping[UUID | None, date]
) -> ApprovedText | None:
    for tongue in dict.fromkeys((language, FALLBACK)):
        for study_site_id, day in days.items():
            row = shelf.pick(kind, tongue, on=day, study_site_id=study_site_id)
            if row is not None:
                return ApprovedText(row.subject, row.body, tongue)
    return None


def _days(session: Session, study_site_ids: Sequence[UUID | None], *, at: datetime) -> dict[UUID | None, date]:
    """Give the day that it is at each site."""
    return {one: civil_day(at, _zone(session, one)) for one in study_site_ids}


def _zone(session: Session, study_site_id: UUID | None) -> str:
    return studies.zone_of(session, study_site_id) if study_site_id is not None else "America/New_York"


def _approved_where(session: Session, study: Study, places: tuple[OpenSite, ...]) -> tuple[UUID | None, ...]:
    if places:
        return tuple(place.study_site.id for place in places)
    return tuple(session.scalars(sa.select(StudySite.id).where(StudySite.study_id == study.id))) or (None,)


def site_of(session: Session, study_site_id: UUID) -> tuple[StudySite, Site]:
    """Give a study site with its site."""
    study_site = found(session, StudySite, study_site_id)
    return study_site, found(session, Site, study_site.site_id)
