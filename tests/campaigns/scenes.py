"""Make what outreach is about: people who can be written to, approved texts, carriers that misbehave."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from random import Random
from threading import Lock
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session

from campaigns.outbox import service as outbox
from campaigns.outbox.service import NewMessage
from campaigns.outbox.states import State
from campaigns.providers.base import (
    Accepted,
    Answer,
    Limited,
    Outgoing,
    Sighting,
    Unclear,
    body_hash,
)
from campaigns.wording import Wording
from recruit.contact import service as contact
from recruit.contact.models import ConsentScope, ContactChannel, Purpose
from recruit.contact.policy import MessagePurpose
from recruit.ids import new_id
from recruit.matching.models import Match, Triage
from recruit.materials.models import (
    Approval,
    ApprovalItem,
    ApprovedKind,
    Determination,
    Material,
    MaterialKind,
    MaterialState,
    MaterialVersion,
)
from recruit.people import service as people
from recruit.people.models import Basis, ContactKind, Person, PersonContact
from recruit.people.service import Identity
from recruit.studies.models import Study, StudySite
from tests.conftest import NOON
from tests.factories import AT, make_site, make_study, make_study_site

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
_numbers = count(1000)


@dataclass(frozen=True)
class Reachable:
    """Somebody who agreed to texts about a study, on a verified number."""

    person: Person
    link: PersonContact
    match: Match

    @property
    def point_id(self) -> UUID:
        return self.link.contact_point_id


@dataclass
class OpenStudy:
    """A study that takes people at one site, with an approved text."""

    study: Study
    study_site: StudySite
    text: MaterialVersion


def make_open_study(
    session: Session, *, body: str = "We may have news for you. Reply STOP to stop."
) -> OpenStudy:
    study = make_study(session)
    study_site = make_study_site(session, study, make_site(session))
    return OpenStudy(study, study_site, make_text(session, study, body=body))


def make_text(
    session: Session,
    study: Study,
    *,
    name: str = "Invitation",
    body: str = "We may have news for you. Reply STOP to stop.",
    language: str = "en",
    valid_until: date | None = date(2027, 1, 4),
) -> MaterialVersion:
    """Make a text that is approved in these bytes for the whole study."""
    material = Material(id=new_id(), study_id=study.id, kind=MaterialKind.SMS, name=name, created_at=AT)
    sha256 = hashlib.sha256(body.encode()).hexdigest()
    version = MaterialVersion(
        id=new_id(),
        material_id=material.id,
        number=1,
        language=language,
        body=body,
        variables=["link", "operator", "phone"],
        sha256=sha256,
        state=MaterialState.APPROVED,
        created_at=AT,
        created_by="test",
    )
    approval = Approval(
        id=new_id(),
        study_id=study.id,
        irb_name="Central IRB",
        submission_number="S-1",
        determination=Determination.APPROVED,
        decided_on=date(2026, 1, 4),
        valid_from=date(2026, 1, 5),
        valid_until=valid_until,
        recorded_at=AT,
        recorded_by="test",
    )
    session.add_all([material, approval])
    session.flush()
    session.add(version)
    session.add(
        ApprovalItem(
            approval_id=approval.id,
            subject_kind=ApprovedKind.MATERIAL_VERSION,
            subject_id=version.id,
            language=language,
            sha256=sha256,
        )
    )
    session.flush()
    return version


def make_reachable(
    session: Session,
    place: OpenStudy,
    *,
    number: str = "",
    verified: bool = True,
    agreed: bool = True,
    language: str = "en",
    postcode: str = "10001",
    source_link_id: UUID | None = None,
    arrived_at: datetime = AT,
    is_test: bool = False,
) -> Reachable:
    person = people.add_person(
        session,
        Identity(given="Marisol", family="Quintero"),
        basis=Basis.QUESTIONNAIRE,
        language=language,
        at=AT,
        postcode=postcode,
        is_test=is_test,
    )
    link = people.attach_contact(
        session, person, ContactKind.PHONE, number or f"+1212555{next(_numbers):04}", at=AT, preferred=True
    )
    link.verified_at = AT if verified else None
    if agreed:
        agree(session, person, place.study, link.contact_point_id)
    match = Match(
        id=new_id(),
        person_id=person.id,
        study_id=place.study.id,
        study_site_id=place.study_site.id,
        triage=Triage.TO_CALL,
        first_source_link_id=source_link_id,
        last_source_link_id=source_link_id,
        arrived_at=arrived_at,
        is_test=is_test,
    )
    session.add(match)
    session.flush()
    return Reachable(person, link, match)


def agree(
    session: Session, person: Person, study: Study, contact_point_id: UUID, *, given: bool = True
) -> None:
    contact.give_consent(
        session,
        person.id,
        Purpose.CONTACT,
        ConsentScope.STUDY,
        channel=ContactChannel.SMS,
        contact_point_id=contact_point_id,
        study_id=study.id,
        text="You may text me about this study.",
        text_version="1",
        language="en",
        how="web_form",
        at=AT,
        given=given,
    )


def plan(
    session: Session,
    place: OpenStudy,
    somebody: Reachable,
    *,
    key: str = "",
    purpose: MessagePurpose = MessagePurpose.STUDY,
    at: datetime = NOON,
    expires_at: datetime = datetime(2027, 1, 1, tzinfo=UTC),
    body: str = "",
) -> UUID:
    """Plan one message about a study to somebody."""
    message_id = outbox.plan(
        session,
        NewMessage(
            dedupe_key=key or f"test:{new_id()}",
            purpose=purpose,
            channel=ContactChannel.SMS,
            contact_point_id=somebody.point_id,
            person_id=somebody.person.id,
            language="en",
            body=body or place.text.body,
            expires_at=expires_at,
            material_sha256=place.text.sha256,
            material_version_id=place.text.id,
            study_id=place.study.id,
        ),
        at=at,
    )
    assert message_id is not None
    return message_id


def wording() -> Wording:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=False)  # noqa: S701 - plain texts
    return Wording(environment, "Trial Recruit", "+1 555 010 0100")


@dataclass(frozen=True)
class Carried:
    """What a carrier really has, whatever it answered."""

    sid: str
    outgoing: Outgoing
    at: datetime


class Killed(BaseException):
    """A worker's process ends here, as by a power cut: nothing after this line runs."""


@dataclass
class FakeCarrier:
    """A carrier with state that limits, breaks, loses answers and kills its caller, by a seed.

    What happens to the n-th try of a number depends on the seed, the number and n only, so that runs with
    threads see the same faults.
    """

    seed: int = 0
    limited: float = 0.0
    broken: float = 0.0
    broken_but_made: float = 0.0
    lost: float = 0.0
    killed_before: float = 0.0
    killed_after: float = 0.0
    now: datetime = NOON
    name: str = "fake"
    carried: list[Carried] = field(default_factory=list)
    kills: int = 0
    _tries: dict[UUID, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def send(self, outgoing: Outgoing) -> Answer:
        with self._lock:
            attempt = self._tries[outgoing.message_id] = self._tries.get(outgoing.message_id, 0) + 1
        chance = Random(f"{self.seed}:{outgoing.to}:{attempt}").random()  # noqa: S311 - a test's dice
        faults: tuple[tuple[float, Callable[[Outgoing], Answer]], ...] = (
            (self.killed_before, self._kill),
            (self.limited, lambda _: Limited(1)),
            (self.broken, lambda _: Unclear("http 500")),
            (self.broken_but_made, lambda out: self._taken_but(out, "http 500")),
            (self.lost, lambda out: self._taken_but(out, "ReadTimeout")),
            (self.killed_after, lambda out: self._taken_but(out, "") and self._kill(out)),
        )
        for share, happens in faults:
            if chance < share:
                return happens(outgoing)
            chance -= share
        return Accepted(self._take(outgoing))

    def find(self, outgoing: Outgoing, *, since: datetime) -> tuple[Sighting, ...] | Unclear:
        with self._lock:
            return tuple(
                Sighting(one.sid, State.ACCEPTED, body_hash(one.outgoing.body), one.at)
                for one in self.carried
                if one.outgoing.to == outgoing.to and one.at >= since
            )

    def texts_to(self, number: str) -> int:
        return sum(one.outgoing.to == number for one in self.carried)

    def _take(self, outgoing: Outgoing) -> str:
        with self._lock:
            sid = f"SM{len(self.carried):032x}"
            self.carried.append(Carried(sid, outgoing, self.now))
            return sid

    def _taken_but(self, outgoing: Outgoing, what: str) -> Answer:
        self._take(outgoing)
        return Unclear(what)

    def _kill(self, outgoing: Outgoing) -> Answer:
        with self._lock:
            self.kills += 1
        raise Killed
