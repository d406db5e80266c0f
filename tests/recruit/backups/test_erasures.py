"""People who were erased since the backup."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from campaigns.outbox.models import Message
from recruit import backup, privacy
from recruit.contact.models import SuppressionReason
from recruit.events import Event
from recruit.keys import DataKey
from recruit.matching import merging
from recruit.operations import checks
from recruit.people.models import Person, SearchToken
from recruit.referrals.states import State as Referred
from tests.campaigns.scenes import OpenStudy, Reachable, make_reachable, plan
from tests.conftest import NOON
from tests.factories import OpenStudy as FullStudy
from tests.factories import make_open_study as make_full_study
from tests.recruit import lives
from tests.recruit.backups.places import DAY, SINCE, STRANGER, Place, make_place
from tests.recruit.conftest import MakeEmpty


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
