"""People come in: by questionnaire, by a form with nothing but a contact, by telephone, at the door."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from sqlalchemy.orm import Session

from recruit import pipeline
from recruit.clock import civil_day
from recruit.contact.models import ContactChannel
from recruit.contact.wordings import purpose_of
from recruit.db import found
from recruit.demo import answers
from recruit.demo.answers import Figure
from recruit.demo.catalogue import Prior
from recruit.demo.population import People, Somebody
from recruit.demo.world import Place, Source, Stage, World, acting
from recruit.intake import drafts
from recruit.intake.models import Entrance, InquiryChannel
from recruit.intake.service import Consented, Contact, respondent_role
from recruit.matching.models import Match
from recruit.people.models import LineType
from recruit.studies.models import Study
from screening.asking.questionnaire import ConsentPurpose, Document, Outcome
from screening.asking.responses import Answer
from screening.texts import Respondent

CALL, SMS, EMAIL = ContactChannel.CALL, ContactChannel.SMS, ContactChannel.EMAIL
_HOW = {Entrance.ONLINE: "web_form", Entrance.KIOSK: "web_form"}


@dataclass(frozen=True, slots=True)
class Ways:
    """How somebody may be reached, and what else they agreed to."""

    channels: tuple[ContactChannel, ...] = (CALL, SMS, EMAIL)
    line: LineType = LineType.MOBILE
    voicemail: bool = False
    registry: bool = False


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is about to come in."""

    stage: Stage
    place: Place
    at: datetime
    language: str = "en"
    respondent: Respondent = Respondent.SELF
    entrance: Entrance = Entrance.ONLINE
    source: Source | None = None
    ways: Ways = Ways()
    staff: UUID | None = None


@dataclass(frozen=True, slots=True)
class Came:
    """Who came in, and the match that the desk works on; nothing where they only joined the registry."""

    visitor: Visitor
    match: Match | None
    person_id: UUID
    outcome: Outcome | None
    at: datetime


def pick_ways(chance: Random, entrance: Entrance, *, registry_allowed: bool) -> Ways:
    """Draw how somebody wants to be reached."""
    luck = chance.random()
    if luck < 0.07:
        ways: tuple[ContactChannel, ...] = (CALL,)
        line = LineType.LANDLINE
    elif luck < 0.17:
        ways, line = (CALL, EMAIL), LineType.MOBILE
    elif luck < 0.45 or entrance is not Entrance.ONLINE:
        ways, line = (CALL, SMS), LineType.MOBILE
    else:
        ways, line = (CALL, SMS, EMAIL), LineType.MOBILE
    registry = registry_allowed and chance.random() < 0.45
    return Ways(ways, line, voicemail=chance.random() < 0.4, registry=registry)


def helped(visitor: Visitor, entrance: Entrance, staff: UUID) -> Visitor:
    """Let a member of staff ask the questions, by telephone or at the desk; no link brings such a person."""
    return replace(visitor, entrance=entrance, staff=staff, source=None)


def by_questionnaire(
    session: Session,
    world: World,
    people: People,
    visitor: Visitor,
    *,
    who: Somebody | None = None,
    someone: Figure | None = None,
    given: dict[str, Answer] | None = None,
    misses: dict[str, Prior] | None = None,
) -> Came | None:
    """Answer the questionnaire and leave a contact; nothing where the result offers no contact."""
    on = civil_day(visitor.at, visitor.place.data.zone)
    data, document = visitor.stage.data, visitor.stage.document
    someone = someone or answers.figure(
        data, world.chance, language=visitor.language, respondent=visitor.respondent, on=on, misses=misses
    )
    given = given or answers.draw(document, data, someone)
    who = who or people.somebody(
        sex=someone.sex, born=someone.born, language=visitor.language, near=visitor.place.data
    )
    actor = f"account:{visitor.staff}" if visitor.staff else "participant"
    with acting(session, actor, "questionnaire"):
        draft_id, at = answer_all(session, world, visitor, given)
        outcome = pipeline.conclude(session, draft_id, at=at)
        wants = visitor.ways.registry and data.registry_allowed
        if outcome is Outcome.NOT_THIS_STUDY and not wants:
            return None
        at += timedelta(seconds=world.chance.randrange(30, 150))
        submission, match = pipeline.submit(
            session,
            draft_id,
            contact_of(visitor, who, people, world.chance),
            consents(
                visitor.stage.version_id, document, visitor, registry_only=outcome is Outcome.NOT_THIS_STUDY
            ),
            at=at,
            study_site_id=visitor.place.study_site_id,
            how=_HOW.get(visitor.entrance, "phone"),
        )
    return Came(visitor, match, submission.person_id, outcome, at)


def answer_all(
    session: Session, world: World, visitor: Visitor, given: dict[str, Answer]
) -> tuple[UUID, datetime]:
    """Begin a questionnaire and give these answers, a few seconds apart."""
    study = found(session, Study, visitor.stage.study_id)
    draft, _ = pipeline.begin(
        session,
        study,
        language=visitor.language,
        at=visitor.at,
        entrance=visitor.entrance,
        source_code=visitor.source.code if visitor.source else "",
        started_by=visitor.staff,
    )
    at = visitor.at
    if len(visitor.stage.document.respondents) > 1:
        drafts.choose_respondent(session, draft.id, visitor.respondent, at=at)
    said = []
    for item_id, answer in given.items():
        at += timedelta(seconds=world.chance.randrange(4, 25))
        said.append((item_id, answer, at))
    drafts.save_answers(session, draft.id, said)
    return draft.id, at


def by_contact(
    session: Session,
    world: World,
    people: People,
    visitor: Visitor,
    channel: InquiryChannel,
    *,
    who: Somebody | None = None,
    clinician: str = "",
) -> Came:
    """Leave nothing but a contact."""
    who = who or people.somebody(
        sex=world.chance.choice(("female", "male")),
        born=None,
        language=visitor.language,
        near=visitor.place.data,
    )
    study = found(session, Study, visitor.stage.study_id)
    by_hand = channel in (InquiryChannel.HAND, InquiryChannel.MISSED_CALL)
    actor = f"account:{visitor.staff}" if by_hand and visitor.staff else "participant"
    with acting(session, actor, "inquiry"):
        inquiry, match = pipeline.inquire(
            session,
            study,
            contact_of(visitor, who, people, world.chance),
            consents(visitor.stage.version_id, visitor.stage.document, visitor, answered=False),
            channel=channel,
            at=visitor.at,
            how="doctor_form" if channel is InquiryChannel.DOCTOR else "web_form",
            study_site_id=visitor.place.study_site_id,
            source_link_id=visitor.source.link_id if visitor.source else None,
            clinician=clinician,
        )
    return Came(visitor, match, inquiry.person_id, None, visitor.at)


def contact_of(visitor: Visitor, who: Somebody, people: People, chance: Random) -> Contact:
    """Write down what somebody leaves; for a child the parent's name stands beside."""
    ways = visitor.ways
    parent = ""
    if visitor.respondent is not Respondent.SELF:
        other = people.somebody(
            sex=chance.choice(("female", "female", "male")),
            born=None,
            language=visitor.language,
            near=visitor.place.data,
            family=who.identity.family,
        )
        parent = f"{other.identity.given} {other.identity.family}"
    return Contact(
        who.identity,
        phone=who.phone if CALL in ways.channels or SMS in ways.channels else "",
        line_type=ways.line,
        email=who.email if EMAIL in ways.channels else "",
        contact_name=parent,
        role=respondent_role(visitor.respondent),
        postcode=who.postcode,
        best_time=who.best_time,
        language=visitor.language,
    )


def consents(
    version_id: UUID,
    document: Document,
    visitor: Visitor,
    *,
    registry_only: bool = False,
    answered: bool = True,
) -> list[Consented]:
    """Give the agreements that somebody ticks, in the approved words of a version."""
    ways = visitor.ways
    wanted: list[tuple[ConsentPurpose, Iterable[ContactChannel | None]]] = []
    if not registry_only:
        wanted.append((ConsentPurpose.CONTACT, ways.channels))
    if answered:
        wanted.append((ConsentPurpose.CHECK_ANSWERS, (None,)))
    if ways.voicemail and not registry_only:
        wanted.append((ConsentPurpose.VOICEMAIL, (ContactChannel.VOICEMAIL,)))
    if ways.registry or registry_only:
        wanted.append((ConsentPurpose.REGISTRY, ways.channels))
    texts = {one.purpose: one for one in document.consents}
    given = []
    for purpose, channels in wanted:
        if purpose in texts:
            words = texts[purpose].text.say(visitor.language, visitor.respondent)
            own, text = purpose_of(purpose), texts[purpose]
            given += [
                Consented(own, channel, words, text.version, text.months, version_id) for channel in channels
            ]
    return given
