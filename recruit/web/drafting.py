"""The browser's draft: its token is all that the cookie holds."""

from __future__ import annotations

from uuid import UUID

from flask import session as cookie
from flask import url_for
from sqlalchemy.orm import Session

from recruit import context
from recruit.errors import NotFound
from recruit.intake import drafts, overtaken
from recruit.intake.drafts import Opened
from recruit.intake.models import DraftStatus
from screening.asking.path import urgent_item

_DRAFT, _INQUIRY = "draft", "inquiry"


class QuestionsChanged(NotFound):
    """The questions that this browser's draft began with are not used any more."""

    def __init__(self, study_url: str) -> None:
        super().__init__("The questions of this study have changed since you began. Please start again.")
        self.study_url = study_url


class DraftGone(NotFound):
    """There is no draft behind this browser's cookie; it ended, or its time is over."""

    code = "draft_gone"


def remember(token: str) -> None:
    """Let this browser come back to a draft."""
    cookie[_DRAFT] = token
    cookie.pop(_INQUIRY, None)


def remember_inquiry(inquiry_id: UUID) -> None:
    """Let this browser see what came of the contact it left."""
    cookie[_INQUIRY] = str(inquiry_id)
    cookie.pop(_DRAFT, None)


def forget() -> None:
    """Let this browser know nothing any more."""
    cookie.pop(_DRAFT, None)
    cookie.pop(_INQUIRY, None)


def inquiry_id() -> UUID | None:
    """Give the inquiry that this browser left."""
    value = cookie.get(_INQUIRY)
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def opened(session: Session) -> Opened:
    """Open this browser's draft as it goes on today.

    :raises DraftGone: there is none, or it was ended
    :raises QuestionsChanged: its questions are not used any more
    """
    found = held(session)
    if found is None:
        raise DraftGone("Your answers are no longer here. Please start again.")
    try:
        return overtaken.brought_up(session, found, at=context.now())
    except overtaken.Overtaken:
        url = url_for("public.study", language=found.draft.language, slug=found.study.slug)
        raise QuestionsChanged(url) from None


def going_on(session: Session) -> Opened | None:
    """Give this browser's draft where there is one that can be gone on with."""
    try:
        return opened(session)
    except (DraftGone, QuestionsChanged):
        return None


def held(session: Session) -> Opened | None:
    """Give this browser's draft as it was left, where there is one that was not ended."""
    token = cookie.get(_DRAFT)
    try:
        found = drafts.find(session, token, at=context.now()) if isinstance(token, str) else None
    except NotFound:
        return None
    return None if found is None or found.draft.status is DraftStatus.STOPPED else found


def place_of(found: Opened, item_id: str) -> int:
    """Give the number under which a question is found: its place in the document, so that no id is in a URL."""
    return next(n for n, item in enumerate(found.document.items, 1) if item.id == item_id)


def language_of(found: Opened, wanted: str) -> str:
    """Give the language to go on in: the one wanted where the questions are approved in it."""
    languages = found.languages or found.document.languages
    return wanted if wanted in languages else languages[0]


def next_url(found: Opened, language: str) -> str:
    """Say where somebody goes on: the first thing that is still open."""
    draft = found.draft
    if draft.status is DraftStatus.SUBMITTED:
        return url_for("public.contact.thanks", language=language)
    if draft.respondent is None:
        return url_for("public.questions.who", language=language)
    if urgent_item(found.document, found.answers, found.respondent) is not None:
        return url_for("public.questions.safety", language=language)
    item = found.journey.next
    if item is not None:
        return url_for("public.questions.question", language=language, number=place_of(found, item.id))
    if draft.outcome is not None and draft.status is DraftStatus.COMPLETED:
        return url_for("public.questions.result", language=language)
    return url_for("public.questions.check", language=language)
