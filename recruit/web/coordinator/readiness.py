"""What stands against publishing a draft of the criteria, as a page shows it: what, and where to mend it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit.studies import publishing
from recruit.studies.models import ProtocolVersion
from recruit.studies.publishing import Reason, ReasonCode
from recruit.web import fields, languages
from recruit.web.coordinator import frame, words


@dataclass(frozen=True, slots=True)
class Way:
    """Where something is put right."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One reason in the language of the page, and the places where it is put right."""

    text: str
    ways: tuple[Way, ...]


def parts(session: Session, version: ProtocolVersion) -> dict[str, object]:
    """Give what a page about a draft says before its button."""
    ready = publishing.readiness(session, version, on=frame.today())
    return {
        "reasons": [_shown(one, version) for one in ready.reasons],
        "warnings": [_shown(one, version) for one in ready.warnings],
    }


def _shown(reason: Reason, version: ProtocolVersion) -> Shown:
    saying = reason.saying(languages.current())
    values = dict(saying.values)
    if reason.code is ReasonCode.NOT_IN_LANGUAGE:
        values["language"] = words.language(str(values["language"]))
    text = fields.worded(type(saying)(saying.sentence, values))
    return Shown(text, tuple(_ways(reason, version)))


def _ways(reason: Reason, version: ProtocolVersion) -> list[Way]:
    if reason.code in (ReasonCode.NO_QUESTION, ReasonCode.NOT_IN_LANGUAGE):
        return [Way(_("Questions"), url_for("studies.questions", study_id=version.study_id))]
    numbers = publishing.numbers(version, reason.criteria)
    return [
        Way(
            _("Criterion %(number)s", number=numbers[name]),
            url_for("studies.criterion", version_id=version.id, criterion_id=name),
        )
        for name in reason.criteria
    ]
