"""A small complete world for bad input to meet: a study that asks everything, and people on every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from campaigns.audience import service as audience
from campaigns.audience.criteria import Criteria
from campaigns.audience.service import NewCampaign, make_campaign
from campaigns.context import EXTENSION
from campaigns.links.service import NewLink, create_link
from campaigns.outbox.models import Message
from campaigns.outbox.states import State as SendState
from recruit import pipeline
from recruit.accounts import service as accounts
from recruit.accounts import sessions
from recruit.accounts.models import Account, Role
from recruit.accounts.policy import Permit, Scope
from recruit.clock import civil_day
from recruit.contact.models import ContactChannel, Purpose
from recruit.contact.policy import Reason
from recruit.db import Database, found
from recruit.intake import drafts
from recruit.intake.models import Entrance, Medium
from recruit.intake.service import Consented, Contact
from recruit.matching import calling, holds
from recruit.matching import service as matching
from recruit.matching.models import Match
from recruit.matching.plan import CallOutcome
from recruit.materials import service as materials
from recruit.materials.models import MaterialKind, MaterialState
from recruit.people.models import LineType, PersonContact
from recruit.people.service import Identity
from recruit.referrals.models import Referral
from recruit.referrals.service import Report
from recruit.referrals.states import State
from recruit.studies import versions
from recruit.studies.models import HoldReason, ProtocolVersion
from recruit.studies.models import QuestionnaireVersion as Questionnaire
from recruit.visits import service as visits
from recruit.visits.models import Visit
from recruit.visits.service import Appointment
from recruit.web import itempage
from screening.asking.answers import parse
from screening.asking.questionnaire import Document, EarlierWords
from screening.asking.responses import Answer
from screening.language.protocol import read_protocol
from screening.slips import Problems
from screening.texts import Respondent
from tests.conftest import NOON
from tests.factories import OpenStudy, approve_everything, make_account, make_open_study
from tests.recruit import rewording
from tests.recruit.web.public.visitor import FITTING, Fields, ask_instead
from tests.screening.questionnaire.documents import both, choices, make_document, option, typed, yes_no

EVERY_ITEM: Mapping[str, Fields] = {
    "page": {},
    "age": {"answer": "50"},
    "yes": {"answer": "yes"},
    "one": {"answer": "a"},
    "many": {"answer": ["a", "b"]},
    "coded": {"answer": "a"},
    "whole": {"answer": "3"},
    "decimal": {"answer": "2.5"},
    "quantity": {"answer": "7", "unit": "%"},
    "height": {"answer-ft": "5", "answer-in": "11"},
    "weight": {"answer-lb": "200"},
    "day": {"answer-month": "5", "answer-year": "2001"},
    "words": {"answer": "a few words"},
    "zip": {"answer": "33101"},
}
"""A fitting answer to each kind of question there is."""

TWILIO_TOKEN = "a-token-of-nobody"
VISIT_FORMS = ("reschedule", "cancel", "book")
TESTING = "test"
"""How the browser calls itself in which a test signs somebody in."""
_numbers = count(100)


def _front_doors() -> dict[Role, list[str]]:
    return {role: ["/staff/", "/staff/me"] for role in Role}


@dataclass(frozen=True)
class World:
    """An application with something in every area."""

    app: Flask
    database: Database
    study: OpenStudy
    every: OpenStudy
    doctor: str
    staff: dict[Role, Account] = field(default_factory=dict)
    doors: dict[Role, list[str]] = field(
        default_factory=lambda: {one: ["/staff/", "/staff/me"] for one in Role}
    )
    """Pages from which each role reaches the others; some ways lead only through a search."""


def every_item() -> Document:
    """Give a questionnaire with a question of every kind."""
    listed = [option("a"), option("b")]
    units = [{"code": "%", "text": both("percent")}, {"code": "mmol/mol", "text": both("mmol/mol")}]
    return make_document(
        typed("statement", "page"),
        typed("age", "age"),
        yes_no("yes", allow_unknown=True, allow_decline=True),
        choices("single", "one", *listed),
        choices("multiple", "many", *listed),
        choices("coded_list", "coded", *listed),
        typed("integer", "whole", limits={"most": "90"}, soft_check={"most": "9"}),
        typed("decimal", "decimal"),
        typed("quantity", "quantity", units=units),
        typed("height", "height"),
        typed("weight", "weight"),
        typed("date", "day"),
        typed("short_text", "words"),
        typed("zip", "zip"),
    )


def make_world(app: Flask, database: Database) -> World:
    """Make two studies that take people, and a doctor's link."""
    with database.transaction(actor="test") as session:
        study = make_open_study(session, registry_allowed=True)
        every = make_open_study(session)
        doctor = create_link(
            session, NewLink(study_id=study.study.id, medium=Medium.DOCTOR, channel="Dr. Lee"), at=NOON
        )
    ask_instead(database, every, every_item())
    return World(app, database, study, every, doctor.code)


def answered(
    session: Session, place: OpenStudy, fitting: Mapping[str, Fields], *, upto: str = "", **how: object
) -> tuple[UUID, str]:
    """Begin a draft and answer all questions, or those before one; return it with its token."""
    draft, token = pipeline.begin(session, place.study, language="en", at=NOON, **how)  # type: ignore[arg-type]
    drafts.choose_respondent(session, draft.id, Respondent.SELF, at=NOON)
    document = drafts.open_draft(session, draft).document
    drafts.save_answers(
        session, draft.id, [(item, said, NOON) for item, said in _answers(document, fitting, upto=upto)]
    )
    return draft.id, token


def _answers(document: Document, fitting: Mapping[str, Fields], *, upto: str) -> list[tuple[str, Answer]]:
    said: list[tuple[str, Answer]] = []
    for item in document.items:
        if item.id == upto:
            break
        if item.id not in fitting:
            continue
        posted = itempage.read_form(MultiDict(fitting[item.id]))
        read = parse(item, posted, language="en", on=civil_day(NOON, "America/New_York"))
        assert not isinstance(read, Problems), (item.id, read)
        said.append((item.id, read))
    return said


def concluded(session: Session, place: OpenStudy) -> tuple[UUID, str]:
    """Answer everything so that it fits, and ask for the result."""
    draft_id, token = answered(session, place, FITTING)
    pipeline.conclude(session, draft_id, at=NOON)
    return draft_id, token


def submitted(session: Session, place: OpenStudy) -> tuple[str, Match]:
    """Let somebody leave a contact after a fitting result."""
    draft_id, token = concluded(session, place)
    number = next(_numbers)
    contact = Contact(
        Identity(given=f"Ana{number}", family="Ruiz"), phone=f"+1212555{number:04}", line_type=LineType.MOBILE
    )
    consents = [
        Consented(
            Purpose.CONTACT,
            ContactChannel.CALL,
            "Call me",
            "1",
            questionnaire_version_id=place.questionnaire.id,
        ),
        Consented(Purpose.CONTACT, ContactChannel.SMS, "Text me", "1"),
        Consented(Purpose.CHECK_ANSWERS, None, "Use my answers", "1"),
    ]
    _, match = pipeline.submit(session, draft_id, contact, consents, at=NOON)
    assert match is not None
    return token, match


def people_on_every_step(session: Session, world: World) -> None:
    """Bring people to the queue, a call, a closed entry, a referral, a visit, and questions over the phone."""
    place, recruiter = world.study, world.staff[Role.RECRUITER]
    waiting, called, closed, referred, booked = (submitted(session, place)[1] for _ in range(5))
    pipeline.call(session, called.id, CallOutcome.NO_ANSWER, at=NOON)
    matching.write_note(
        session, waiting.id, "Call after work", is_record=False, account_id=recruiter.id, at=NOON
    )
    matching.close(session, closed.id, reason="not_interested", at=NOON)
    calling.open_call(session, waiting.id, recruiter.id, at=NOON)
    rewording.use(session, place, rewording.other_words(session, place, EarlierWords.ASK_AGAIN))
    referrals = [_refer(session, place, match) for match in (referred, booked)]
    attempted = Report(State.CONTACT_ATTEMPTED, happened_on=NOON.date())
    pipeline.report(session, referrals[0].id, attempted, at=NOON - timedelta(hours=3))
    came, coming = (_booked(session, one, hours) for one, hours in zip(referrals, (-1, 72), strict=True))
    asked = [_asked(session, world, upto=upto) for upto in ("weight", "")]
    blank, _ = pipeline.begin(session, place.study, language="en", at=NOON, **_asking(recruiter))
    world.doors[Role.RECRUITER] += [
        *(f"/staff/desk/matches/{match.id}" for match in (waiting, called, closed, referred, booked)),
        *(f"/staff/desk/matches/{match.id}/call" for match in (waiting, called)),
        f"/staff/desk/referrals/{came.referral_id}",
        *(f"/staff/desk/referrals/{coming.referral_id}?visit={coming.id}&do={do}" for do in VISIT_FORMS),
        *(f"/staff/desk/questions/{draft_id}" for draft_id in (blank.id, *asked)),
        f"/staff/desk/questions/{asked[0]}/3",
        f"/staff/desk/questions/{asked[1]}/contact",
        "/staff/desk/new/questions",
    ]


def _booked(session: Session, referral: Referral, hours: int) -> Visit:
    appointment = Appointment(NOON + timedelta(hours=hours), place="Room 4")
    return visits.book(session, referral.id, appointment, at=NOON - timedelta(hours=2))


def _asking(recruiter: Account) -> dict[str, Any]:
    return {"entrance": Entrance.ASSISTED_CALL, "started_by": recruiter.id}


def _asked(session: Session, world: World, *, upto: str) -> UUID:
    return answered(session, world.study, FITTING, upto=upto, **_asking(world.staff[Role.RECRUITER]))[0]


def _refer(session: Session, place: OpenStudy, match: Match) -> Referral:
    return pipeline.refer(session, match.id, place.study_site.id, at=NOON - timedelta(hours=4))


def work_in_hand(session: Session, world: World) -> None:
    """Leave drafts of everything a coordinator writes, and a hold."""
    place, study_id = world.study, world.study.study.id
    protocol = found(session, ProtocolVersion, place.protocol.id)
    versions.draft_protocol(session, study_id, read_protocol(protocol.document), at=NOON)
    asked = found(session, Questionnaire, place.questionnaire.id)
    versions.draft_questionnaire(session, study_id, Document.model_validate(asked.document), at=NOON)
    material = materials.create(session, study_id, MaterialKind.POSTER, "Poster", at=NOON)
    poster = materials.write(session, material.id, "en", "A study near you.", subject="A study", at=NOON)
    world.doors[Role.COORDINATOR] += [
        f"/staff/studies/{study_id}",
        f"/staff/studies/{study_id}/questions",
        f"/staff/studies/{study_id}/criteria",
        f"/staff/material-versions/{poster.id}",
    ]
    other = make_open_study(session)
    holds.place(session, reason=HoldReason.SAFETY, study_id=other.study.id, at=NOON)


def outreach(session: Session, world: World) -> None:
    """Leave a link, a campaign that waits, and one on its way."""
    place, study_id = world.study, world.study.study.id
    create_link(session, NewLink(study_id=study_id, medium=Medium.POSTER, channel="Library"), at=NOON)
    material = materials.create(session, study_id, MaterialKind.SMS, "News", at=NOON)
    text = materials.write(
        session, material.id, "en", "News: {link} {operator} {phone}. Reply STOP to stop.", at=NOON
    )
    for state in (MaterialState.INTERNAL_REVIEW, MaterialState.SUBMITTED):
        materials.move(session, text.id, state, at=NOON)
    approve_everything(session, place.study, at=NOON)
    everywhere = Scope(frozenset({(None, None)}))
    for name in ("News", "More"):
        _, match = submitted(session, place)
        owned = sa.select(PersonContact).where(PersonContact.person_id == match.person_id)
        for contact in session.scalars(owned):
            contact.verified_at = NOON
        session.flush()
        new = NewCampaign(name, study_id, text.id, Criteria(reference=match.id))
        campaign = make_campaign(session, new, everywhere, key=name, at=NOON)
        if name == "More":
            wording = world.app.extensions[EXTENSION].wording
            audience.start(
                session, campaign.id, everywhere, wording=wording, public_url="http://localhost", at=NOON
            )
            session.execute(sa.update(Message).values(state=SendState.HELD, reason=Reason.OTHER_EPOCH.value))
        world.doors[Role.MARKETER].append(f"/staff/marketing/messages/{campaign.id}")


def other_staff(session: Session, world: World) -> None:
    """Let somebody be invited, somebody signed in, somebody deactivated, and everybody's old browser open."""
    for account in world.staff.values():
        sessions.open_session(session, account, agent="left open", lasts=timedelta(hours=8), at=NOON)
    accounts.invite(
        session, email="new@example.org", name="New", permits=(Permit(Role.RECRUITER, None, None),), at=NOON
    )
    working, gone = (make_account(session, Role.RECRUITER) for _ in range(2))
    sessions.open_session(session, working, agent="left open", lasts=timedelta(hours=8), at=NOON)
    accounts.deactivate(session, gone.id, at=NOON)
    world.doors[Role.ADMIN] += [f"/staff/admin/staff/{account.id}" for account in (gone, working)]


def count_of(session: Session, model: type) -> int:
    """Count the rows of a table."""
    return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0
