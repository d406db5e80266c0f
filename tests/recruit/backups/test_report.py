"""What a restore says of what it carried over, and what it does not touch."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from recruit import backup, privacy, schema
from recruit.errors import Refused
from recruit.matching import stopping
from tests.conftest import NOON
from tests.recruit.backups.places import DAY, SINCE, Place
from tests.recruit.conftest import MakeEmpty


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
