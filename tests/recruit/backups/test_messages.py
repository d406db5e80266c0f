"""Messages that have gone out since the backup, and campaigns that were ended."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from campaigns import pipeline as outreach
from campaigns.audience.models import Audience, AudienceMember, Campaign, CampaignState
from campaigns.outbox import service as outbox
from campaigns.outbox.models import Message, MessageEvent
from campaigns.outbox.states import State
from campaigns.outbox.worker import send_due, sweep
from recruit import backup
from recruit.clock import FixedClock
from recruit.contact.models import Communication
from recruit.contact.policy import MessagePurpose
from recruit.db import found
from recruit.ids import new_id
from recruit.operations import service as operations
from recruit.people.models import PersonContact
from tests.campaigns.scenes import FakeCarrier, OpenStudy, plan
from tests.campaigns.scenes import wording as texts
from tests.conftest import NOON
from tests.recruit.backups.places import DAY, SINCE, SMS, Place, make_place
from tests.recruit.conftest import MakeEmpty


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
