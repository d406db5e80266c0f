"""What a restore must not undo: a no, an erasure, an account that was closed, a message that went out."""

from __future__ import annotations

import base64
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from campaigns import pipeline as outreach
from campaigns.app import create_app
from campaigns.audience.models import Audience, AudienceMember, Campaign, CampaignState
from campaigns.outbox import service as outbox
from campaigns.outbox.models import Message, MessageEvent
from campaigns.outbox.states import State
from campaigns.outbox.worker import send_due, sweep
from recruit import backup, privacy, rotation, schema
from recruit.accounts import service as accounts
from recruit.accounts import sessions
from recruit.accounts.models import Account, AccountStatus, Grant, LoginSession, OneTimeLink, Role
from recruit.accounts.policy import Permit
from recruit.audit.models import AuditEntry
from recruit.clock import FixedClock
from recruit.contact import queries as contact_queries
from recruit.contact import service as contact
from recruit.contact.models import Communication, Consent, ContactChannel, Suppression, SuppressionReason
from recruit.contact.policy import MessagePurpose
from recruit.contact.service import OwnAct
from recruit.crypto import Keyring
from recruit.db import Base, Database, found
from recruit.errors import Refused
from recruit.events import Event
from recruit.ids import new_id
from recruit.keys import DataKey
from recruit.matching import merging, stopping
from recruit.matching.models import Match, Triage
from recruit.operations import checks
from recruit.operations import service as operations
from recruit.people import queries as people
from recruit.people.models import ContactKind, ContactPoint, Person, PersonContact, SearchToken
from recruit.referrals.states import State as Referred
from recruit.settings import Environment, Settings
from tests.campaigns.scenes import FakeCarrier, OpenStudy, Reachable, make_open_study, make_reachable, plan
from tests.campaigns.scenes import wording as texts
from tests.conftest import NOON, SECRET
from tests.factories import OpenStudy as FullStudy
from tests.factories import make_account
from tests.factories import make_open_study as make_full_study
from tests.recruit import lives
from tests.recruit.conftest import MakeEmpty

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SINCE = NOON + HOUR
"""When things happen that the backup does not know."""
SMS = ContactChannel.SMS
NUMBER, STRANGER = "+12125550111", "+12125550199"


@dataclass
class Place:
    """An installation in use, with somebody in it and a backup of that moment."""

    app: Flask
    database: Database
    folder: Path
    study: OpenStudy
    ann: Reachable
    copy: Path

    def write(self, change: Callable[[Session], object]) -> None:
        """Let something happen that the backup does not know."""
        with self.database.transaction(actor="account:1", reason="test") as session:
            change(session)

    def restore(self) -> backup.Restored:
        """Put the backup in the database's place, a day later."""
        return backup.restore(
            self.database, self.copy, replace=True, folder=self.folder / "aside", at=NOON + DAY
        )

    def run(self, *arguments: str) -> Result:
        """Run a command of ``flask db``."""
        return self.app.test_cli_runner().invoke(args=["db", *arguments])

    def closed(self, number: str = NUMBER) -> SuppressionReason | None:
        """Say how a number is closed for texts, asking as the gates do."""
        with self.database.reading() as session:
            token = people.address_token(session, ContactKind.PHONE, number)
            return contact_queries.closed_for(session, token, SMS)

    def stop(self, number: str = NUMBER, *, at: datetime = SINCE) -> None:
        """Let somebody text STOP."""

        def close(session: Session) -> None:
            token = people.address_token(session, ContactKind.PHONE, number)
            contact.suppress(session, token, SMS, SuppressionReason.STOP, source="reply", at=at)

        self.write(close)

    def start(self, number: str = NUMBER, *, at: datetime) -> None:
        """Let somebody text START."""

        def lift(session: Session) -> None:
            token = people.address_token(session, ContactKind.PHONE, number)
            assert contact.lift(session, token, SMS, act=OwnAct.TEXTED_START, at=at)

        self.write(lift)

    def count(self, model: type[Base], *conditions: sa.ColumnElement[bool]) -> int:
        """Count the rows of a table."""
        with self.database.reading() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(model).where(*conditions)) or 0

    def person(self, person_id: UUID) -> Person:
        """Fetch a person."""
        with self.database.reading() as session:
            return found(session, Person, person_id)

    def account(self, account_id: UUID) -> Account:
        """Fetch an account."""
        with self.database.reading() as session:
            return found(session, Account, account_id)


def make_place(database: Database, folder: Path, *, before: Callable[[Session, OpenStudy], object]) -> Place:
    """Put a database to use, let ``before`` happen, and back it up."""
    settings = Settings(
        environment=Environment.TEST,
        database_url=database.engine.url.render_as_string(hide_password=False),
        secret_key=SECRET,
        backup_folder=str(folder / "backups"),
        log_level="ERROR",
    )
    app = create_app(settings, clock=FixedClock(NOON + DAY), database=database)
    with database.transaction(actor="test") as session:
        operations.ensure(session)
        study = make_open_study(session)
        ann = make_reachable(session, study, number=NUMBER)
        before(session, study)
    made = backup.write(database, folder / "copy", at=NOON)
    return Place(app, database, folder, study, ann, made.path)


@pytest.fixture
def place(make_migrated: MakeEmpty, tmp_path: Path) -> Place:
    return make_place(make_migrated(), tmp_path, before=lambda _session, _study: None)


class TestClosedAddresses:
    def test_a_stop_since_the_backup_is_still_a_stop(self, place: Place) -> None:
        place.stop()
        place.stop(STRANGER)

        done = place.restore()

        assert place.closed() is SuppressionReason.STOP
        assert place.closed(STRANGER) is SuppressionReason.STOP
        assert done.carried.addresses_closed == 2

    def test_it_keeps_its_day_and_its_source_and_the_trail_names_the_restore(self, place: Place) -> None:
        place.stop()

        place.restore()

        with place.database.reading() as session:
            row = session.scalars(sa.select(Suppression)).one()
            written = session.execute(
                sa.select(AuditEntry.actor, AuditEntry.reason).where(AuditEntry.table_name == "suppression")
            ).one()
        assert (row.at, row.source) == (SINCE, "reply")
        assert tuple(written) == ("cli:db restore", "restore:carry-over")

    def test_what_its_holder_opened_again_since_stays_open(self, place: Place, tmp_path: Path) -> None:
        place.stop(at=NOON - DAY)
        made = backup.write(place.database, tmp_path / "with-stop", at=NOON)
        place.start(at=SINCE)
        place.copy = made.path

        done = place.restore()

        assert place.closed() is None
        assert done.carried.addresses_opened == 1

    def test_a_stop_after_a_start_is_a_stop(self, place: Place, tmp_path: Path) -> None:
        place.stop(at=NOON - DAY)
        made = backup.write(place.database, tmp_path / "with-stop", at=NOON)
        place.start(at=SINCE)
        place.stop(at=SINCE + HOUR)
        place.copy = made.path

        place.restore()

        assert place.closed() is SuppressionReason.STOP

    def test_a_backup_that_is_the_newer_one_keeps_its_own_word(self, place: Place, tmp_path: Path) -> None:
        """Restoring the older one and then the newer one again must not bring a lifted stop back."""
        place.stop(at=NOON - DAY)
        older = backup.write(place.database, tmp_path / "older", at=NOON).path
        place.start(at=SINCE)
        newer = backup.write(place.database, tmp_path / "newer", at=NOON).path
        with place.database.transaction(actor="test") as session:
            session.execute(sa.update(Suppression).values(lifted_at=None, lifted_by=None))

        place.copy = newer
        place.restore()

        assert older.exists()
        assert place.closed() is None

    def test_it_holds_for_an_address_whose_fingerprint_has_changed_since(
        self, make_migrated: MakeEmpty, tmp_path: Path
    ) -> None:
        """Between backup and restore the master key was changed, and every fingerprint with it."""
        database = make_migrated()
        database.keyring = ring("k1")
        place = make_place(database, tmp_path, before=lambda _session, _study: None)
        database.keyring = ring("k2", "k1")
        rotation.rotate(database, at=SINCE)
        place.stop()

        place.restore()

        with database.reading() as session:
            point = session.scalars(sa.select(ContactPoint)).one()
            assert contact_queries.closed_for(session, point.address_token, SMS) is SuppressionReason.STOP


def ring(*names: str) -> Keyring:
    entries = (f"{name}:{base64.b64encode(sha256(name.encode()).digest()).decode()}" for name in names)
    return Keyring.from_settings(",".join(entries), secret_key="")


class TestErasures:
    def test_who_was_erased_since_is_erased_again_with_key_and_search_tokens(
        self, make_migrated: MakeEmpty, tmp_path: Path
    ) -> None:
        life: list[lives.Life] = []
        place = make_place(
            make_migrated(),
            tmp_path,
            before=lambda session, _study: life.append(lives.live(session, make_full_study(session))),
        )
        person_id = life[0].person_id
        place.write(lambda session: privacy.erase_person(session, person_id, at=SINCE))

        done = place.restore()

        assert place.person(person_id).erased_at == SINCE
        assert place.count(DataKey, DataKey.owner_id.in_([person_id, life[0].phone_id])) == 0
        assert place.count(SearchToken, SearchToken.person_id == person_id) == 0
        assert lives.found_canaries(place.database) == []
        assert place.closed(lives.PHONE) is SuppressionReason.ERASED
        assert done.carried.people_erased == 1
        assert all(finding.is_sound for finding in checks.look(place.database))

    def test_messages_to_them_go_too(self, make_migrated: MakeEmpty, tmp_path: Path) -> None:
        place = make_place(make_migrated(), tmp_path, before=lambda _session, _study: None)
        place.write(lambda session: plan(session, place.study, place.ann))
        place.copy = backup.write(place.database, tmp_path / "with-message", at=NOON).path
        place.write(lambda session: privacy.erase_person(session, place.ann.person.id, at=SINCE))

        place.restore()

        assert place.count(Message) == 0
        assert place.person(place.ann.person.id).erased_at == SINCE

    def test_the_trail_and_the_events_say_so_with_its_day(self, place: Place) -> None:
        place.write(
            lambda session: privacy.erase_person(
                session, place.ann.person.id, at=SINCE, cause=privacy.Cause.RETENTION
            )
        )

        place.restore()

        with place.database.reading() as session:
            event = session.scalars(sa.select(Event).where(Event.type == "person.erased")).one()
        assert (event.happened_at, event.actor, event.payload["cause"]) == (
            SINCE,
            "cli:db restore",
            "retention",
        )
        assert place.closed() is None

    def test_who_was_erased_before_the_backup_is_not_counted(self, place: Place, tmp_path: Path) -> None:
        place.write(lambda session: privacy.erase_person(session, place.ann.person.id, at=SINCE))
        place.copy = backup.write(place.database, tmp_path / "after", at=NOON).path

        done = place.restore()

        assert done.carried.people_erased == 0
        assert place.count(Event, Event.type == "person.erased") == 1

    def test_who_came_after_the_backup_is_simply_not_there(self, place: Place) -> None:
        place.write(lambda session: erase_newcomer(session, place.study))

        done = place.restore()

        assert done.carried.people_erased == 0
        assert place.closed(STRANGER) is SuppressionReason.ERASED

    def test_a_record_that_had_to_stay_and_that_the_backup_does_not_hold_is_named(
        self, make_migrated: MakeEmpty, tmp_path: Path
    ) -> None:
        """Consent was given after the backup, erasure was asked for after that."""
        place_in: list[FullStudy] = []
        life: list[lives.Life] = []

        def come(session: Session, _study: OpenStudy) -> None:
            place_in.append(make_full_study(session))
            life.append(lives.live(session, place_in[0]))

        place = make_place(make_migrated(), tmp_path, before=come)
        place.write(lambda session: lives.refer(session, place_in[0], life[0], Referred.CONSENTED))
        place.write(lambda session: privacy.erase_person(session, life[0].person_id, at=SINCE))
        assert place.person(life[0].person_id).erased_at is None

        done = place.restore()

        assert place.person(life[0].person_id).erased_at == SINCE
        assert (done.carried.people_erased, done.carried.records_elsewhere) == (1, 1)

    def test_an_entry_that_was_found_to_be_somebody_else_is_not_erased_with_them(
        self, make_migrated: MakeEmpty, tmp_path: Path
    ) -> None:
        others: list[Reachable] = []

        def merged(session: Session, study: OpenStudy) -> None:
            others.append(make_reachable(session, study, number=STRANGER))
            ann_id = session.scalars(sa.select(Person.id).where(Person.id != others[0].person.id)).one()
            merging.merge(session, others[0].person.id, into=ann_id, at=NOON - DAY)

        place = make_place(make_migrated(), tmp_path, before=merged)
        other_id = others[0].person.id
        place.write(lambda session: merging.unmerge(session, other_id, at=SINCE))
        place.write(lambda session: privacy.erase_person(session, place.ann.person.id, at=SINCE))

        place.restore()

        assert place.person(place.ann.person.id).erased_at == SINCE
        assert place.person(other_id).erased_at is None
        assert place.count(SearchToken, SearchToken.person_id == other_id) > 0


def erase_newcomer(session: Session, study: OpenStudy) -> None:
    newcomer = make_reachable(session, study, number=STRANGER)
    session.flush()
    privacy.erase_person(session, newcomer.person.id, at=SINCE)


class TestNoes:
    def test_do_not_contact_is_carried_over_and_nobody_is_told_to_call(self, place: Place) -> None:
        place.write(lambda session: stopping.do_not_contact(session, place.ann.person.id, at=SINCE))

        done = place.restore()

        assert place.person(place.ann.person.id).do_not_contact_at == SINCE
        with place.database.reading() as session:
            assert found(session, Match, place.ann.match.id).triage is Triage.CLOSED
        assert done.carried.do_not_contact == 1

    def test_it_holds_for_an_entry_that_was_merged_with_theirs_afterwards(
        self, make_migrated: MakeEmpty, tmp_path: Path
    ) -> None:
        others: list[Reachable] = []
        place = make_place(
            make_migrated(),
            tmp_path,
            before=lambda session, study: others.append(make_reachable(session, study, number=STRANGER)),
        )
        other_id = others[0].person.id
        place.write(lambda session: stopping.do_not_contact(session, place.ann.person.id, at=SINCE))
        place.write(lambda session: merging.merge(session, other_id, into=place.ann.person.id, at=SINCE + HOUR))

        place.restore()

        assert place.person(other_id).do_not_contact_at == SINCE

    def test_a_withdrawn_consent_is_withdrawn(self, place: Place) -> None:
        place.write(
            lambda session: contact.withdraw_consent(session, place.ann.person.id, how="phone", at=SINCE)
        )

        done = place.restore()

        with place.database.reading() as session:
            last = contact_queries.standing_consents(session, [place.ann.person.id])
        assert [(consent.given, consent.at, consent.how) for consent in last] == [(False, SINCE, "phone")]
        assert done.carried.consents_withdrawn == 1

    def test_a_withdrawal_that_the_backup_knows_is_not_written_twice(
        self, place: Place, tmp_path: Path
    ) -> None:
        place.write(
            lambda session: contact.withdraw_consent(session, place.ann.person.id, how="phone", at=SINCE)
        )
        place.copy = backup.write(place.database, tmp_path / "after", at=NOON).path

        done = place.restore()

        assert place.count(Consent) == 2
        assert done.carried.consents_withdrawn == 0


class TestAccounts:
    @pytest.fixture
    def staff(self, make_migrated: MakeEmpty, tmp_path: Path) -> tuple[Place, UUID, UUID]:
        """Give a place with an administrator and a recruiter, both signed in."""
        made: list[Account] = []

        def invite(session: Session, _study: OpenStudy) -> None:
            for role in (Role.ADMIN, Role.RECRUITER):
                made.append(make_account(session, role, password_hash="old"))
                sessions.open_session(session, made[-1], agent="x", lasts=DAY * 30, at=NOON)

        place = make_place(make_migrated(), tmp_path, before=invite)
        return place, made[0].id, made[1].id

    def test_nobody_is_signed_in_afterwards(self, staff: tuple[Place, UUID, UUID]) -> None:
        place, _, _ = staff

        place.restore()

        assert place.count(LoginSession, LoginSession.ended_at.is_(None)) == 0
        assert place.count(LoginSession, LoginSession.ended_reason == "restored") == 2

    def test_no_one_time_link_of_before_opens_anything(
        self, staff: tuple[Place, UUID, UUID], tmp_path: Path
    ) -> None:
        place, _, recruiter = staff
        place.write(lambda session: accounts.renew_link(session, recruiter, at=NOON + DAY))
        place.copy = backup.write(place.database, tmp_path / "with-link", at=NOON).path

        place.restore()

        assert place.count(OneTimeLink, OneTimeLink.expires_at > NOON + DAY) == 0

    def test_an_account_that_was_deactivated_stays_so(self, staff: tuple[Place, UUID, UUID]) -> None:
        place, _, recruiter = staff
        place.write(lambda session: accounts.deactivate(session, recruiter, at=SINCE))

        done = place.restore()

        assert place.account(recruiter).status is AccountStatus.DEACTIVATED
        assert done.carried.accounts_deactivated == 1

    def test_a_role_that_was_taken_away_stays_taken(self, staff: tuple[Place, UUID, UUID]) -> None:
        place, _, recruiter = staff

        def take(session: Session) -> None:
            accounts.give(session, recruiter, Permit(Role.MARKETER, None, None), at=SINCE)
            grant = contact_grant(session, recruiter)
            accounts.take(session, recruiter, grant, at=SINCE)

        place.write(take)

        done = place.restore()

        with place.database.reading() as session:
            assert sessions.permits_of(session, recruiter).roles == frozenset()
        assert done.carried.roles_ended == 1

    def test_a_password_that_was_changed_works_no_more(self, staff: tuple[Place, UUID, UUID]) -> None:
        place, _, recruiter = staff
        place.write(
            lambda session: accounts.set_password(
                session, found(session, Account, recruiter), password_hash="new", at=SINCE
            )
        )

        done = place.restore()

        assert place.account(recruiter).password_hash == "new"
        assert done.carried.passwords_changed == 1

    def test_the_only_administrator_of_the_backup_keeps_no_password_if_they_were_deactivated(
        self, staff: tuple[Place, UUID, UUID]
    ) -> None:
        place, admin, _ = staff

        def replace(session: Session) -> None:
            make_account(session, Role.ADMIN)
            accounts.deactivate(session, admin, at=SINCE)

        place.write(replace)

        done = place.restore()

        assert place.account(admin).password_hash is None
        assert done.carried.last_administrators == 1


def contact_grant(session: Session, account_id: UUID) -> UUID:
    """Name the grant of a recruiter."""
    return session.scalars(
        sa.select(Grant.id).where(Grant.account_id == account_id, Grant.role == Role.RECRUITER)
    ).one()


class TestMessages:
    @pytest.fixture
    def campaign(self, make_migrated: MakeEmpty, tmp_path: Path) -> tuple[Place, UUID]:
        """Give a place with a running campaign to one person that has planned nothing yet."""
        made: list[UUID] = []

        def begin(session: Session, study: OpenStudy) -> None:
            made.append(make_campaign(session, study))

        return make_place(make_migrated(), tmp_path, before=begin), made[0]

    def send(self, place: Place, *, at: datetime) -> FakeCarrier:
        """Do what the job does: plan what campaigns lack, sweep, send what is due."""
        carrier, clock = FakeCarrier(), FixedClock(at)
        outreach.plan(place.database, wording=texts(), public_url="http://localhost", at=at)
        sweep(place.database, {SMS: carrier}, clock=clock)
        send_due(place.database, {SMS: carrier}, clock=clock)
        return carrier

    def look_around(self, place: Place) -> None:
        """Switch sending on and let the campaign run again, as somebody does who has looked around."""

        def go_on(session: Session) -> None:
            operations.switch_sending(session, on=True)
            session.execute(sa.update(Campaign).values(state=CampaignState.STARTED))

        place.write(go_on)

    def test_what_waited_in_the_backup_and_has_gone_out_since_is_not_sent_again(self, place: Place) -> None:
        place.write(lambda session: plan(session, place.study, place.ann))
        place.copy = backup.write(place.database, place.folder / "queued", at=NOON).path
        assert len(self.send(place, at=SINCE).carried) == 1

        done = place.restore()
        self.look_around(place)

        assert self.send(place, at=NOON + 2 * DAY).carried == []
        with place.database.reading() as session:
            assert session.scalars(sa.select(Message.state)).one() is State.ACCEPTED
        assert done.carried.messages == 1

    def test_a_campaign_does_not_write_twice_to_whom_it_has_written_since(
        self, campaign: tuple[Place, UUID]
    ) -> None:
        place, _ = campaign
        assert len(self.send(place, at=SINCE).carried) == 1

        place.restore()
        self.look_around(place)

        assert self.send(place, at=NOON + 3 * DAY).carried == []
        assert place.count(Message) == 1
        assert place.count(Communication, Communication.purpose == MessagePurpose.INVITATION.value) == 1

    def test_what_waits_for_somebody_who_has_said_stop_since_is_closed(self, place: Place) -> None:
        place.write(lambda session: plan(session, place.study, place.ann))
        place.copy = backup.write(place.database, place.folder / "queued", at=NOON).path
        with place.database.engine.begin() as connection:
            connection.execute(sa.delete(MessageEvent))
            connection.execute(sa.delete(Message))
        place.stop()

        place.restore()

        with place.database.reading() as session:
            message = session.scalars(sa.select(Message)).one()
        assert (message.state, message.reason) == (State.SUPPRESSED, "stopped")

    def test_a_running_campaign_is_paused(self, campaign: tuple[Place, UUID]) -> None:
        place, campaign_id = campaign

        done = place.restore()

        with place.database.reading() as session:
            assert found(session, Campaign, campaign_id).state is CampaignState.PAUSED
        assert done.carried.campaigns_paused == 1

    def test_a_campaign_that_was_cancelled_stays_cancelled(self, campaign: tuple[Place, UUID]) -> None:
        place, campaign_id = campaign
        place.write(
            lambda session: session.execute(
                sa.update(Campaign).values(state=CampaignState.CANCELLED, ended_at=SINCE)
            )
        )

        place.restore()

        with place.database.reading() as session:
            row = found(session, Campaign, campaign_id)
        assert (row.state, row.ended_at) == (CampaignState.CANCELLED, SINCE)

    def test_what_waits_in_the_backup_and_never_went_out_waits_for_a_person(self, place: Place) -> None:
        place.write(lambda session: plan(session, place.study, place.ann))
        place.copy = backup.write(place.database, place.folder / "queued", at=NOON).path

        place.restore()
        self.look_around(place)

        assert self.send(place, at=NOON + 2 * DAY).carried == []
        with place.database.reading() as session:
            message = session.scalars(sa.select(Message)).one()
        assert (message.state, message.reason) == (State.HELD, "other_epoch")
        place.write(lambda session: outbox.decide_held(session, message.id, send_again=True, at=NOON + 2 * DAY))


def make_campaign(session: Session, study: OpenStudy) -> UUID:
    link = session.scalars(sa.select(PersonContact)).one()
    audience = Audience(
        id=new_id(),
        study_id=study.study.id,
        channel=SMS,
        criteria={},
        handed_over=False,
        size=1,
        left_out={},
        frozen_at=NOON,
        frozen_by="test",
    )
    session.add(audience)
    session.flush()
    session.add(
        AudienceMember(
            audience_id=audience.id, person_id=link.person_id, contact_point_id=link.contact_point_id
        )
    )
    campaign = Campaign(
        id=new_id(),
        name="Autumn",
        study_id=study.study.id,
        audience_id=audience.id,
        material_version_id=study.text.id,
        material_sha256=study.text.sha256,
        purpose=MessagePurpose.INVITATION,
        state=CampaignState.STARTED,
        request_key=new_id().bytes,
        created_at=NOON,
        created_by="test",
        expires_at=NOON + DAY * 14,
        started_at=NOON,
        started_by="test",
    )
    session.add(campaign)
    session.flush()
    return campaign.id


class TestWhatIsSaid:
    def test_how_many_of_each_were_carried_over(self, place: Place) -> None:
        place.stop()
        place.write(lambda session: stopping.do_not_contact(session, place.ann.person.id, at=SINCE))

        done = place.run("restore", str(place.copy), "--replace")

        assert done.exit_code == 0, done.output
        assert "addresses closed (STOP, wrong number, bounced, erased): 1" in done.output
        assert "people marked do not contact: 1" in done.output
        assert "consents withdrawn: 1" in done.output
        assert "people erased again: 0" in done.output
        assert "could be carried over" not in done.output

    def test_where_erasures_stand_is_said(self, place: Place) -> None:
        place.write(lambda session: privacy.erase_person(session, place.ann.person.id, at=SINCE))

        done = place.run("restore", str(place.copy), "--replace")

        assert "people erased again: 1" in done.output
        assert "stands in the trail by `cli:db restore`, reason `restore:carry-over`" in done.output

    def test_an_empty_database_has_nothing_to_carry_over_and_that_is_said(
        self, place: Place, make_empty: MakeEmpty
    ) -> None:
        fresh = make_empty()

        done = backup.restore(fresh, place.copy, replace=False, folder=place.folder, at=NOON + DAY)

        assert done.carried.why_nothing == "there was no database here before"

    def test_a_database_of_a_newer_version_is_not_read(self, place: Place) -> None:
        place.stop()
        with place.database.engine.begin() as connection:
            connection.execute(sa.update(schema.VERSION).values(version_num="9999"))

        done = place.run("restore", str(place.copy), "--replace")

        assert done.exit_code == 0, done.output
        assert (
            "Nothing could be carried over from the database that was replaced (its schema, 9999, is not"
            in (done.output)
        )
        assert "before you switch sending on" in done.output
        assert place.closed() is None
        assert list((place.folder / "backups").iterdir())

    def test_a_database_of_somebody_else_needs_the_word_replace(
        self, place: Place, make_empty: MakeEmpty
    ) -> None:
        theirs = make_empty()
        with theirs.engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE invoice (id INTEGER)"))

        with pytest.raises(Refused, match="holds data"):
            backup.restore(theirs, place.copy, replace=False, folder=place.folder, at=NOON + DAY)


class TestDamagedSqlite:
    @pytest.fixture(autouse=True)
    def only_here(self, place: Place) -> None:
        if not place.database.is_sqlite:
            pytest.skip("about SQLite")

    def file_of(self, place: Place) -> Path:
        return Path(place.database.engine.url.database or "")

    def test_a_file_that_is_no_database_any_more_is_put_aside_and_replaced(self, place: Place) -> None:
        place.stop()
        place.database.dispose()
        self.file_of(place).write_bytes(b"\x00garbage" * 4000)

        done = place.run("restore", str(place.copy), "--replace")

        assert done.exit_code == 0, done.output
        assert "Nothing could be carried over from the database that was replaced (it cannot be read)" in (
            done.output
        )
        assert place.person(place.ann.person.id).erased_at is None
        assert [file.read_bytes()[:8] for file in (place.folder / "backups").iterdir()] == [b"\x00garbage"]
        assert all(finding.is_sound for finding in checks.look(place.database))

    def test_without_the_word_replace_it_stays(self, place: Place) -> None:
        place.database.dispose()
        self.file_of(place).write_bytes(b"\x00garbage" * 4000)

        done = place.run("restore", str(place.copy))

        assert done.exit_code == 1
        assert "Restore with --replace" in done.output

    def test_a_damaged_page_costs_no_more_than_its_own_rows(self, place: Place) -> None:
        place.stop()
        place.database.dispose()
        with sqlite3.connect(self.file_of(place)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            query = "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = 'consent'"
            page = connection.execute(query).fetchone()[0]
            size = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.close()
        with self.file_of(place).open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)

        done = place.run("restore", str(place.copy), "--replace")

        assert done.exit_code == 0, done.output
        assert "Could not be read there, and so not carried over: withdrawn consents." in done.output
        assert place.closed() is SuppressionReason.STOP
        assert all(finding.is_sound for finding in checks.look(place.database))
        kept = list((place.folder / "backups").iterdir())
        assert [stat.S_IMODE(file.stat().st_mode) for file in kept] == [0o600]

    def test_a_table_that_cannot_be_read_is_named_and_the_others_are_carried(self, place: Place) -> None:
        place.stop()
        with place.database.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE event RENAME COLUMN happened_at TO was")

        done = place.run("restore", str(place.copy), "--replace")

        assert done.exit_code == 0, done.output
        assert "Could not be read there, and so not carried over: erasures." in done.output
        assert place.closed() is SuppressionReason.STOP


KILLED = """
import importlib, os, signal
from datetime import datetime
from pathlib import Path
from campaigns import models
from recruit import backup
from recruit.crypto import Keyring
from recruit.db import Database

holder = importlib.import_module({module!r})
step = getattr(holder, {step!r})

def die(*arguments, **named):
    if {after}:
        step(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(holder, {step!r}, die)
database = Database({url!r}, keyring=Keyring.from_settings("", secret_key={secret!r}))
backup.restore(
    database, Path({source!r}), replace=True, folder=Path({folder!r}), at=datetime.fromisoformat({at!r})
)
"""


class TestKilled:
    def die(self, place: Place, module: str, step: str, *, after: bool) -> None:
        """Run a restore in a process of its own that is killed before or after one of its steps."""
        place.database.dispose()
        script = KILLED.format(
            module=module,
            step=step,
            after=after,
            url=place.database.engine.url.render_as_string(hide_password=False),
            secret=SECRET,
            source=str(place.copy),
            folder=str(place.folder / "killed"),
            at=(NOON + DAY).isoformat(),
        )
        root = Path(__file__).parents[2]
        died = subprocess.run([sys.executable, "-c", script], cwd=root, env=os.environ, check=False)
        assert died.returncode == -signal.SIGKILL

    def swap_of(self, place: Place) -> tuple[str, str]:
        sqlite = "recruit.backups.sqlitefile", "load"
        return sqlite if place.database.is_sqlite else ("recruit.backups.pgdump", "swap")

    @pytest.mark.parametrize("step", ["mark_restored", "carry_over", "swap"])
    def test_before_the_swap_it_leaves_the_old_database_and_the_next_restore_works(
        self, place: Place, step: str
    ) -> None:
        place.stop()
        holder = {
            "mark_restored": ("recruit.operations.service", "mark_restored"),
            "carry_over": ("recruit.backups.carrying", "carry_over"),
            "swap": self.swap_of(place),
        }[step]

        self.die(place, *holder, after=False)

        assert place.closed() is SuppressionReason.STOP
        with place.database.reading() as session:
            assert operations.sending_is_on(session)
        place.restore()
        assert place.closed() is SuppressionReason.STOP
        with place.database.reading() as session:
            assert not operations.sending_is_on(session)
        assert all(finding.is_sound for finding in checks.look(place.database))
        assert not [file for file in place.folder.iterdir() if file.name[0] == "."]

    def test_right_after_the_swap_everything_is_there(self, place: Place) -> None:
        place.stop()
        place.write(lambda session: stopping.do_not_contact(session, place.ann.person.id, at=SINCE))

        self.die(place, *self.swap_of(place), after=True)

        assert place.closed() is SuppressionReason.STOP
        assert place.person(place.ann.person.id).do_not_contact_at == SINCE
        with place.database.reading() as session:
            assert not operations.sending_is_on(session)

    def test_a_draft_of_a_process_that_had_our_number_is_in_nobody_s_way(self, place: Place) -> None:
        """As in a container, where every process has the same number."""
        if not place.database.is_sqlite:
            pytest.skip("about files")
        live = Path(place.database.engine.url.database or "")
        live.with_name(f".{live.name}.{os.getpid()}").write_bytes(b"half a draft")
        place.stop()

        place.restore()

        assert place.closed() is SuppressionReason.STOP

    def test_what_it_left_behind_is_in_no_later_backup(self, place: Place) -> None:
        if place.database.is_sqlite:
            pytest.skip("a draft beside the file, and no part of it")
        with place.database.engine.begin() as connection:
            connection.execute(sa.text("CREATE SCHEMA recruit_incoming"))
            connection.execute(sa.text("CREATE TABLE recruit_incoming.leftover (id INTEGER)"))

        made = backup.write(place.database, place.folder / "later", at=NOON)

        assert b"leftover" not in made.path.read_bytes()

    def test_a_failure_while_carrying_over_leaves_everything_as_it_was(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place.stop()
        place.write(lambda session: privacy.erase_person(session, place.ann.person.id, at=SINCE))

        def fail(*_arguments: object, **_named: object) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(privacy, "erase_person", fail)
        with pytest.raises(RuntimeError, match="a bug"):
            place.restore()

        assert place.closed() is SuppressionReason.STOP
        assert place.person(place.ann.person.id).erased_at == SINCE
        with place.database.reading() as session:
            assert operations.sending_is_on(session)
        if not place.database.is_sqlite:
            with place.database.engine.connect() as connection:
                assert "recruit_incoming" not in sa.inspect(connection).get_schema_names()
