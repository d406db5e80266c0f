"""Who asked since the backup not to be contacted, or took a consent back."""

from __future__ import annotations

from pathlib import Path

from recruit import backup
from recruit.contact import queries as contact_queries
from recruit.contact import service as contact
from recruit.contact.models import Consent
from recruit.db import found
from recruit.matching import merging, stopping
from recruit.matching.models import Match, Triage
from tests.campaigns.scenes import Reachable, make_reachable
from tests.conftest import NOON
from tests.recruit.backups.places import HOUR, SINCE, STRANGER, Place, make_place
from tests.recruit.conftest import MakeEmpty


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
