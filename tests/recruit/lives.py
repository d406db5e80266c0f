"""A person with something in every table that can hold anything about a person, canaries throughout."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import crypto, events
from recruit.accounts.models import Role
from recruit.contact import service as contact
from recruit.contact.models import (
    Communication,
    Consent,
    ConsentScope,
    ContactChannel,
    Direction,
    Purpose,
    SuppressionReason,
    Verification,
)
from recruit.db import Base, Database
from recruit.errors import Unreadable
from recruit.ids import new_id, new_token, token_hash
from recruit.intake.models import (
    Draft,
    DraftStatus,
    Entrance,
    Inquiry,
    InquiryChannel,
    Medium,
    SourceLink,
    Submission,
)
from recruit.keys import DataKey, Owner, vault_of
from recruit.matching.models import AssessmentRow, Match, Note, OpenCall, Override, Triage, Watch
from recruit.people import service as people
from recruit.people.models import Basis, ContactKind, ContactPoint, FactRow, Person
from recruit.referrals.models import Referral
from recruit.referrals.states import CLOSED, State
from recruit.visits.models import Visit
from screening.asking.questionnaire import Outcome
from screening.texts import Respondent
from screening.verdict import Disposition
from tests.conftest import NOON
from tests.factories import OpenStudy, make_account

GIVEN, FAMILY, SAY = "Canaryann", "Canarysmith", "kuh-NAIR-ee"
PHONE, EMAIL = "+15550100777", "canary@birdhouse.example"
WORDS = "cough since the canary flew"
ZIP_CODE = "33177 5"
"""Not as people write one: five digits alone stand in many a key by chance."""
CANARIES = (GIVEN, FAMILY, SAY, PHONE, EMAIL, WORDS, "1971-03-14", ZIP_CODE, "Dr Canarybird")
ARRIVED = NOON - timedelta(days=40)


@dataclass(frozen=True, slots=True)
class Life:
    """One person's way into one study."""

    person_id: UUID
    phone_id: UUID
    email_id: UUID
    match_id: UUID
    submission_id: UUID
    source_id: UUID


def make_source(session: Session, study_id: UUID) -> SourceLink:
    """Make a link that people came by."""
    link = SourceLink(
        id=new_id(),
        code=new_token()[:20],
        study_id=study_id,
        medium=Medium.SOCIAL,
        channel="x",
        created_at=NOON,
    )
    session.add(link)
    session.flush()
    return link


def make_draft(session: Session, open_study: OpenStudy, **fields: object) -> Draft:
    """Make a draft that was last touched at noon."""
    draft_id = new_id()
    vault = vault_of(session)
    vault.create_key(Owner.DRAFT, draft_id)
    values: dict[str, object] = {
        "entrance": Entrance.ONLINE,
        "language": "en",
        "path": [["who", 3], ["birth", 9]],
        "revision": 1,
        "started_at": NOON,
        "last_at": NOON,
        "answers_sealed": vault.seal(draft_id, "draft", "answers_sealed", draft_id, WORDS),
        **fields,
    }
    draft = Draft(
        id=draft_id,
        token_hash=token_hash(new_token()),
        study_id=open_study.study.id,
        study_site_id=open_study.study_site.id,
        protocol_version_id=open_study.protocol.id,
        questionnaire_version_id=open_study.questionnaire.id,
        vocabulary_hash="0" * 64,
        **values,
    )
    session.add(draft)
    session.flush()
    return draft


def live(session: Session, open_study: OpenStudy, *, phone: str = PHONE, email: str = EMAIL) -> Life:
    """Let somebody come in by a link, answer, agree, be called and written about."""
    person = people.add_person(
        session,
        people.Identity(given=GIVEN, family=FAMILY, say=SAY, birth=date(1971, 3, 14)),
        basis=Basis.QUESTIONNAIRE,
        language="en",
        postcode=ZIP_CODE,
        best_time="evenings",
        at=ARRIVED,
    )
    phone_link = people.attach_contact(
        session, person, ContactKind.PHONE, phone, at=ARRIVED, contact_name=GIVEN
    )
    email_link = people.attach_contact(session, person, ContactKind.EMAIL, email, at=ARRIVED)
    life = _enter(session, open_study, person, phone_link.contact_point_id, email_link.contact_point_id)
    _talk(session, open_study, life)
    return life


def _enter(session: Session, at: OpenStudy, person: Person, phone_id: UUID, email_id: UUID) -> Life:
    vault, study = vault_of(session), at.study
    source = make_source(session, study.id)
    draft = make_draft(session, at, person_id=person.id, status=DraftStatus.SUBMITTED, source_link_id=source.id)
    draft.outcome = Outcome.MAY_FIT
    submission = Submission(
        id=(submission_id := new_id()),
        person_id=person.id,
        study_id=study.id,
        study_site_id=at.study_site.id,
        draft_id=draft.id,
        entrance=Entrance.ONLINE,
        respondent=Respondent.SELF,
        protocol_version_id=at.protocol.id,
        questionnaire_version_id=at.questionnaire.id,
        source_link_id=source.id,
        language="en",
        outcome=Outcome.MAY_FIT,
        answers_sealed=vault.seal(person.id, "submission", "answers_sealed", submission_id, WORDS),
        submitted_at=ARRIVED,
    )
    session.add(submission)
    session.flush()
    fact_id = new_id()
    session.add(
        FactRow(
            id=fact_id,
            person_id=person.id,
            key="cough",
            value={"kind": "yes"},
            raw_sealed=vault.seal(person.id, "fact", "raw_sealed", fact_id, WORDS),
            recorded_at=ARRIVED,
            source="participant_online",
            study_id=study.id,
            submission_id=submission_id,
            recorded_by="participant",
        )
    )
    inquiry_id = new_id()
    session.add(
        Inquiry(
            id=inquiry_id,
            person_id=person.id,
            study_id=study.id,
            channel=InquiryChannel.DOCTOR,
            clinician_sealed=vault.seal(person.id, "inquiry", "clinician_sealed", inquiry_id, "Dr Canarybird"),
            received_at=ARRIVED,
        )
    )
    for scope, purpose in ((ConsentScope.STUDY, Purpose.CONTACT), (ConsentScope.STUDY, Purpose.CHECK_ANSWERS)):
        session.add(
            Consent(
                person_id=person.id,
                contact_point_id=phone_id if purpose is Purpose.CONTACT else None,
                channel=ContactChannel.SMS if purpose is Purpose.CONTACT else None,
                purpose=purpose,
                scope=scope,
                study_id=study.id,
                given=True,
                text="We may write to you.",
                text_sha256="0" * 64,
                text_version="1",
                language="en",
                how="online",
                at=ARRIVED,
                recorded_by="participant",
            )
        )
    match = Match(
        id=new_id(),
        person_id=person.id,
        study_id=study.id,
        study_site_id=at.study_site.id,
        first_source_link_id=source.id,
        arrived_at=ARRIVED,
        effective_disposition=Disposition.CANDIDATE,
    )
    session.add(match)
    session.flush()
    return Life(person.id, phone_id, email_id, match.id, submission_id, source.id)


def _talk(session: Session, at: OpenStudy, life: Life) -> None:
    vault, person_id = vault_of(session), life.person_id
    account = make_account(session, Role.RECRUITER)
    for is_record in (True, False):
        note_id = new_id()
        session.add(
            Note(
                id=note_id,
                match_id=life.match_id,
                person_id=person_id,
                is_record=is_record,
                body_sealed=vault.seal(person_id, "note", "body_sealed", note_id, WORDS),
                at=NOON,
            )
        )
    call_id = new_id()
    session.add(
        Communication(
            id=call_id,
            person_id=person_id,
            contact_point_id=life.phone_id,
            direction=Direction.OUT,
            channel=ContactChannel.CALL,
            purpose="first_contact",
            outcome="reached",
            study_id=at.study.id,
            note_sealed=vault.seal(person_id, "communication", "note_sealed", call_id, WORDS),
            at=NOON,
            recorded_by="test",
        )
    )
    session.add(
        Verification(
            person_id=person_id,
            contact_point_id=life.phone_id,
            code_hash=b"0" * 32,
            sent_at=NOON,
            expires_at=NOON + timedelta(minutes=10),
        )
    )
    session.add(OpenCall(person_id=person_id, match_id=life.match_id, account_id=account.id, started_at=NOON))
    session.add(_assessment(at, life))
    session.add(Watch(match_id=life.match_id, look_again_on=NOON.date(), looked_at=NOON))
    override_id = new_id()
    session.add(
        Override(
            id=override_id,
            match_id=life.match_id,
            protocol_version_id=at.protocol.id,
            lineage_id="c1",
            passes=True,
            reason_sealed=vault.seal(person_id, "override", "reason_sealed", override_id, WORDS),
            facts_hash="0" * 64,
            made_at=NOON,
            made_by="test",
        )
    )
    session.flush()


def _assessment(at: OpenStudy, life: Life) -> AssessmentRow:
    return AssessmentRow(
        match_id=life.match_id,
        protocol_version_id=at.protocol.id,
        on_day=NOON.date(),
        zone="UTC",
        disposition=Disposition.CANDIDATE,
        result={"criteria": []},
        fact_ids=[],
        engine_hash="0" * 64,
        vocabulary_hash="0" * 64,
        terms_hash="0" * 64,
        policy_hash="0" * 64,
        cause="submission",
        at=NOON,
    )


def refer(session: Session, at: OpenStudy, life: Life, *states: State, start: date | None = None) -> Referral:
    """Hand somebody to the site and let it report these states, a day after another."""
    day = start or ARRIVED.date()
    referral = Referral(
        id=new_id(),
        person_id=life.person_id,
        study_id=at.study.id,
        study_site_id=at.study_site.id,
        match_id=life.match_id,
        assessment_id=session.scalar(
            sa.select(AssessmentRow.id).where(AssessmentRow.match_id == life.match_id)
        ),
        protocol_version_id=at.protocol.id,
        state=states[-1] if states else State.REFERRED,
        state_since=day,
        referred_at=ARRIVED,
        closed_at=NOON if states and states[-1] in CLOSED else None,
    )
    session.add(referral)
    session.flush()
    for number, state in enumerate((State.REFERRED, *states)):
        report(session, referral, state, on=day + timedelta(days=number))
    session.add(Visit(referral_id=referral.id, starts_at=NOON, booked_at=NOON, booked_by="test"))
    match = session.get_one(Match, life.match_id)
    closed = referral.closed_at is not None
    match.triage, match.closed_at = (Triage.CLOSED if closed else Triage.REFERRED), referral.closed_at
    session.flush()
    return referral


def report(session: Session, referral: Referral, state: State, *, on: date) -> events.Event:
    """Write down that a referral reached a state."""
    return events.record(
        session,
        f"referral.{state.value}",
        subject=("referral", referral.id),
        happened_on=on,
        at=NOON,
        study_id=referral.study_id,
    )


def merge(session: Session, person_id: UUID, *, into: UUID) -> None:
    """Say that two entries are one person."""
    session.get_one(Person, person_id).merged_into_id = into
    session.flush()


def close(session: Session, life: Life, *, at: datetime) -> None:
    """Take somebody out of the queue."""
    match = session.get_one(Match, life.match_id)
    match.triage, match.closed_at, match.closed_reason = Triage.CLOSED, at, "ruled_out"
    session.flush()


def stop(session: Session, contact_point_id: UUID) -> None:
    """Let the holder of a number write STOP."""
    token = session.get_one(ContactPoint, contact_point_id).address_token
    contact.suppress(
        session, token, ContactChannel.SMS, SuppressionReason.STOP, source="reply", at=NOON - timedelta(days=1)
    )


def found_canaries(database: Database) -> list[str]:
    """Look for canaries in every value of every row, as it lies there and opened with every key there is."""
    found = []
    with database.reading() as session:
        keys = [
            database.keyring.unwrap(row.master_key_id, row.wrapped, owner=row.owner_id)
            for row in session.scalars(sa.select(DataKey))
        ]
        for table in Base.metadata.sorted_tables:
            for row in session.execute(sa.select(table)).mappings():
                for column, value in row.items():
                    for text in _readings(keys, table.name, str(column), row.get("id"), value):
                        found += [f"{table.name}.{column}: {canary}" for canary in CANARIES if canary in text]
    return found


def _readings(keys: list[bytes], table: str, column: str, row: object, value: object) -> Iterator[str]:
    if not isinstance(value, bytes):
        yield str(value)
        return
    yield value.decode("latin-1")
    if isinstance(row, UUID):
        for key in keys:
            try:
                yield crypto.unseal(key, table, column, row, value).decode("utf-8", "replace")
            except Unreadable:
                continue


def rows_about(database: Database, person_ids: set[UUID]) -> dict[str, int]:
    """Count the rows of each table that name one of these people, directly or by a match, referral or point."""
    counts: dict[str, int] = {}
    with database.reading() as session:
        for table in Base.metadata.sorted_tables:
            columns = [column for column in table.columns if column.name in ("person_id", "owner_id")]
            for column in columns:
                query = sa.select(sa.func.count()).select_from(table).where(column.in_(person_ids))
                counts[table.name] = counts.get(table.name, 0) + (session.scalar(query) or 0)
    return {name: count for name, count in counts.items() if count}
