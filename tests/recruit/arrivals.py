"""People who come in through the real stations, for tests of what happens to them next."""

from __future__ import annotations

from datetime import date, datetime
from itertools import count

from sqlalchemy.orm import Session

from recruit import pipeline
from recruit.contact.models import ContactChannel, Purpose
from recruit.db import found
from recruit.intake import drafts
from recruit.intake.models import Entrance, InquiryChannel
from recruit.intake.service import Consented, Contact
from recruit.matching.models import Match
from recruit.people.models import LineType
from recruit.people.service import Identity
from recruit.referrals import service as referrals
from recruit.referrals.models import Referral
from recruit.referrals.service import Report
from recruit.referrals.states import State
from screening.asking.answers import parse
from screening.asking.path import first_unanswered
from screening.slips import Problems
from screening.texts import Respondent
from tests.factories import OpenStudy

FITS: dict[str, dict[str, list[str]]] = {
    "birth": {"month": ["3"], "year": ["1976"]},
    "height": {"cm": ["175"]},
    "weight": {"kg": ["90"]},
    "condition_diabetes": {"answer": ["type_2"]},
    "condition_heart": {"answer": ["none_of_these"]},
    "pregnant": {"answer": ["no"]},
}
"""Answers of somebody who fits ``make_open_study``, as a form posts them."""

UNSURE = {"weight": {"instead": ["dont_know"]}}
AGREED = (
    Consented(Purpose.CHECK_ANSWERS, None, "Use my answers.", "1"),
    Consented(Purpose.CONTACT, ContactChannel.CALL, "Call me.", "1"),
    Consented(Purpose.CONTACT, ContactChannel.SMS, "Text me.", "1"),
)
_numbers = count(100)


def contact_of(
    given: str = "Maria", family: str = "Lopez", *, phone: str = "", birth: date | None = None, **fields: object
) -> Contact:
    """Describe how somebody is reached; every call gives another number unless one is named."""
    values: dict[str, object] = {"postcode": "33101", "line_type": LineType.MOBILE, **fields}
    number = phone or f"+1305555{next(_numbers):04}"
    return Contact(Identity(given=given, family=family, birth=birth), phone=number, **values)  # type: ignore[arg-type]


def arrive(
    session: Session,
    opened: OpenStudy,
    contact: Contact | None = None,
    *,
    at: datetime,
    answers: dict[str, dict[str, list[str]]] | None = None,
    source_code: str = "",
) -> Match:
    """Answer all questions online as somebody who fits, but for these answers, and leave a contact."""
    language = contact.language if contact else "en"
    draft, _token = pipeline.begin(
        session, opened.study, language=language, at=at, entrance=Entrance.ONLINE, source_code=source_code
    )
    drafts.choose_respondent(session, draft.id, Respondent.SELF, at=at)
    given = {**FITS, **(answers or {})}
    view = drafts.open_draft(session, draft)
    while (item := first_unanswered(view.document, view.answers, Respondent.SELF)) is not None:
        read = parse(item, given[item.id], language="en", on=at.date())
        assert not isinstance(read, Problems), read
        view = pipeline.answer(session, draft.id, item.id, read, shown_revision=draft.revision, at=at)
    pipeline.conclude(session, draft.id, at=at)
    _submission, match = pipeline.submit(
        session,
        draft.id,
        contact or contact_of(),
        AGREED,
        at=at,
        study_site_id=opened.study_site.id,
    )
    assert match is not None
    return match


def inquire(session: Session, opened: OpenStudy, contact: Contact | None = None, *, at: datetime) -> Match:
    """Leave only a contact."""
    _inquiry, match = pipeline.inquire(
        session,
        opened.study,
        contact or contact_of(),
        AGREED,
        channel=InquiryChannel.FORM,
        at=at,
        study_site_id=opened.study_site.id,
    )
    return match


def hand_over(session: Session, opened: OpenStudy, match: Match | None = None, *, at: datetime) -> Referral:
    """Refer somebody to the study's site."""
    match = match or arrive(session, opened, at=at)
    return pipeline.refer(session, match.id, opened.study_site.id, at=at)


WAY: dict[State, tuple[State, ...]] = {
    State.REFERRED: (),
    State.ACKNOWLEDGED: (State.ACKNOWLEDGED,),
    State.CONTACT_ATTEMPTED: (State.CONTACT_ATTEMPTED,),
    State.CONTACTED: (State.CONTACTED,),
    State.PHONE_SCREEN_PASSED: (State.CONTACTED, State.PHONE_SCREEN_PASSED),
    State.PHONE_SCREEN_FAILED: (State.PHONE_SCREEN_FAILED,),
    State.VISIT_BOOKED: (State.VISIT_BOOKED,),
    State.VISIT_ATTENDED: (State.VISIT_BOOKED, State.VISIT_ATTENDED),
    State.NO_SHOW: (State.VISIT_BOOKED, State.NO_SHOW),
    State.CONSENTED: (State.VISIT_BOOKED, State.VISIT_ATTENDED, State.CONSENTED),
    State.CONSENT_DECLINED: (State.VISIT_BOOKED, State.VISIT_ATTENDED, State.CONSENT_DECLINED),
    State.IN_SCREENING: (State.VISIT_BOOKED, State.VISIT_ATTENDED, State.CONSENTED, State.IN_SCREENING),
    State.SCREEN_FAILED: (State.VISIT_BOOKED, State.VISIT_ATTENDED, State.CONSENTED, State.SCREEN_FAILED),
    State.ENROLLED: (State.VISIT_BOOKED, State.VISIT_ATTENDED, State.CONSENTED, State.ENROLLED),
    State.RANDOMISED: (State.VISIT_BOOKED, State.VISIT_ATTENDED, State.CONSENTED, State.RANDOMISED),
    State.COMPLETED: (
        State.VISIT_BOOKED, State.VISIT_ATTENDED, State.CONSENTED, State.RANDOMISED, State.COMPLETED,
    ),
    State.DISCONTINUED: (
        State.VISIT_BOOKED, State.VISIT_ATTENDED, State.CONSENTED, State.RANDOMISED, State.DISCONTINUED,
    ),
    State.DEFERRED: (State.DEFERRED,),
    State.RECORDS_PENDING: (State.RECORDS_PENDING,),
    State.NOT_INTERESTED: (State.NOT_INTERESTED,),
    State.COULD_NOT_REACH: (State.COULD_NOT_REACH,),
    State.DUPLICATE: (State.DUPLICATE,),
    State.RETURNED_BY_SITE: (State.RETURNED_BY_SITE,),
    State.TRANSFERRED: (State.TRANSFERRED,),
    State.STUDY_CLOSED: (State.STUDY_CLOSED,),
    State.WITHDRAWN: (State.WITHDRAWN,),
}  # fmt: skip
"""A shortest way to each state."""


def said(state: State, *, on: date, **fields: object) -> Report:
    """Report a state with whatever has to come along."""
    reasons = {
        State.NOT_INTERESTED: "distance",
        State.COULD_NOT_REACH: "no_answer",
        State.RETURNED_BY_SITE: "capacity",
        State.WITHDRAWN: "moved",
        State.DISCONTINUED: "moved",
    }
    values: dict[str, object] = {
        "criterion": "c1" if state in (State.PHONE_SCREEN_FAILED, State.SCREEN_FAILED) else "",
        "reason": reasons.get(state, ""),
        "until": date(2027, 1, 15) if state is State.DEFERRED else None,
        **fields,
    }
    return Report(state, happened_on=on, **values)  # type: ignore[arg-type]


def bring_to(session: Session, referral: Referral, state: State, *, at: datetime) -> Referral:
    """Take a referral to a state by the shortest way, all on one day."""
    for step in WAY[state]:
        referrals.move(session, referral.id, said(step, on=at.date()), at=at)
    return found(session, Referral, referral.id)
