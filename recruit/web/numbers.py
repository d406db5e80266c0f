"""The numbers of a questionnaire version as staff see them: for coordinators and for marketers alike."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from recruit.intake import numbers
from recruit.intake.models import SourceLink
from recruit.intake.numbers import Numbers, Question, Some, Wanted
from recruit.studies.models import QuestionnaireVersion
from recruit.studies.reading import document_of
from recruit.web import languages
from screening.asking.questionnaire import Outcome
from screening.floor import FLOOR

OUTCOMES = {
    Outcome.MAY_FIT: _l("May fit"),
    Outcome.NEED_TO_TALK: _l("We need to talk"),
    Outcome.NOT_THIS_STUDY: _l("Not this study"),
    Outcome.LATER: _l("Later"),
    Outcome.WAITLIST: _l("Waitlist"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One question with its words and its number among them."""

    number: int
    words: str
    of: Question


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows: numbers, and the choices by which they can be narrowed."""

    version: QuestionnaireVersion
    numbers: Numbers
    rows: tuple[Row, ...]
    bars: list[dict[str, object]]
    sources: list[dict[str, str]]
    tongues: list[dict[str, str]]
    source: str
    tongue: str
    floor: int = FLOOR


def shown(session: Session, version: QuestionnaireVersion) -> Shown:
    """Count a version's drafts as the address asks: by source, by language."""
    document = document_of(version)
    links = _links(session, version.id)
    tongues = numbers.languages_of(session, version.id)
    source, tongue = request.args.get("source", ""), request.args.get("language", "")
    link = next((key for key in links if str(key) == source), None)
    wanted = Wanted(link, tongue if tongue in tongues else "")
    counted = numbers.numbers_of(session, version.id, document, wanted)
    reader = languages.current() if languages.current() in document.languages else document.languages[0]
    said = {item.id: item.text.say(reader) for item in document.items}
    rows = tuple(Row(place, said[one.item], one) for place, one in enumerate(counted.questions, 1))
    return Shown(
        version,
        counted,
        rows,
        [
            {"label": f"{row.number}. {row.words}", "value": round(100 * row.of.left_share), "note": "%"}
            for row in rows
            if row.of.left_share
        ],
        [
            {"value": "", "text": str(_("All"))},
            *({"value": str(key), "text": text} for key, text in links.items()),
        ],
        [
            {"value": "", "text": str(_("All"))},
            *({"value": one, "text": languages.LANGUAGES.get(one, one)} for one in tongues),
        ],
        str(link or ""),
        wanted.language,
    )


def some(one: Some) -> str:
    """Write a number as it may be shown."""
    if one.is_few:
        return str(_("fewer than %(floor)s", floor=FLOOR))
    return str(_("about %(number)s", number=one.about)) if one.about else "0"


def plain(one: Some) -> str:
    """Write a number for a table that says itself that its numbers are rounded."""
    return some(one) if one.is_few else str(one.about)


def _links(session: Session, version_id: UUID) -> dict[UUID, str]:
    rows = session.scalars(
        sa.select(SourceLink)
        .where(SourceLink.id.in_(numbers.sources_of(session, version_id)))
        .order_by(SourceLink.channel, SourceLink.campaign, SourceLink.id)
    )
    return {
        row.id: " · ".join(part for part in (row.channel, row.campaign, row.content) if part) for row in rows
    }
