"""What a person answered, in the words in which they were asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit.db import found
from recruit.intake.models import Submission
from recruit.intake.submissions import answers_in
from recruit.studies.models import QuestionnaireVersion
from recruit.web.recruiting import clocks, words
from screening.asking.questionnaire import Document
from screening.asking.summary import describe


@dataclass(frozen=True, slots=True)
class Answered:
    """One submission, opened: how it came, and each question with its answer."""

    title: str
    rows: list[dict[str, str]]


def answered(session: Session, submissions: list[Submission], *, zone: str, now: datetime) -> list[Answered]:
    """Open a person's submissions, newest first."""
    return [_answered(session, one, zone=zone, now=now) for one in submissions]


def _answered(session: Session, one: Submission, *, zone: str, now: datetime) -> Answered:
    version = found(session, QuestionnaireVersion, one.questionnaire_version_id)
    document = Document.model_validate(version.document)
    given = answers_in(session, one)
    title = _(
        "Answered %(how)s, %(when)s (questions version %(number)s, result: %(result)s)",
        how=words.ENTRANCES[one.entrance],
        when=clocks.moment(one.submitted_at, zone, now=now),
        number=version.number,
        result=words.RESULTS[one.outcome],
    )
    rows = [
        {
            "key": item.text.say(one.language, one.respondent),
            "value": describe(given[item.id], item, one.language, one.respondent),
        }
        for item in document.items
        if item.id in given
    ]
    return Answered(str(title), [row for row in rows if row["value"]])
