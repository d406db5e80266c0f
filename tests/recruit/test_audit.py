"""The trail is written by the database itself, in every way a row can change, and cannot be undone."""

from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recruit import events
from recruit.audit import triggers
from recruit.audit.models import AuditEntry
from recruit.db import Base, Database, Row
from recruit.ids import new_id
from recruit.operations.models import Installation
from recruit.studies.models import ProtocolVersion, Site, VersionStatus
from tests.conftest import NOON
from tests.factories import make_site, make_study

SECRET = "Ann Canary-Smith"


def trail(session: Session, row_id: UUID) -> list[AuditEntry]:
    query = sa.select(AuditEntry).where(AuditEntry.row_id == row_id.hex).order_by(AuditEntry.id)
    return list(session.scalars(query))


def site_in(database: Database) -> UUID:
    with database.transaction(actor="account:1", reason="site:add", request_id="r1") as session:
        return make_site(session, name="Harbor Clinic").id


class TestTrail:
    def test_says_who_why_and_in_which_request(self, database: Database) -> None:
        site_id = site_in(database)

        with database.reading() as session:
            entry = trail(session, site_id)[0]

        assert (entry.table_name, entry.operation, entry.row_version) == ("site", "INSERT", 1)
        assert (entry.actor, entry.reason, entry.request_id) == ("account:1", "site:add", "r1")
        assert entry.recorded_at.tzinfo is not None

    @pytest.mark.parametrize("way", ["orm", "bulk", "raw"])
    def test_names_the_changed_columns_whichever_way_they_changed(self, database: Database, way: str) -> None:
        site_id = site_in(database)

        with database.transaction(actor="account:2", reason="site:edit") as session:
            if way == "orm":
                site = session.scalars(sa.select(Site).where(Site.id == site_id)).one()
                site.name, site.city = SECRET, "Boston"
            elif way == "bulk":
                session.execute(
                    sa.update(Site).where(Site.id == site_id).values(name=SECRET, city="Boston", version=2)
                )
            else:
                session.connection().exec_driver_sql("UPDATE site SET name='Ann C', city='Boston', version=2")

        with database.reading() as session:
            entry = trail(session, site_id)[-1]
        assert (entry.operation, entry.actor, entry.row_version) == ("UPDATE", "account:2", 2)
        assert sorted(entry.columns.split(",")) == ["city", "name", "version"]

    @pytest.mark.parametrize("way", ["orm", "bulk", "raw"])
    def test_records_deletions_whichever_way(self, database: Database, way: str) -> None:
        with database.transaction(actor="test") as session:
            study_id = make_study(session).id

        with database.transaction(actor="account:3", reason="study:drop") as session:
            if way == "orm":
                session.delete(session.get(triggers_model("Study"), study_id))
            elif way == "bulk":
                session.execute(sa.delete(triggers_model("Study")))
            else:
                session.connection().exec_driver_sql("DELETE FROM study")

        with database.reading() as session:
            entry = trail(session, study_id)[-1]
        assert (entry.operation, entry.actor, entry.reason) == ("DELETE", "account:3", "study:drop")

    def test_bulk_inserts_leave_one_entry_each(self, database: Database) -> None:
        rows = [{"site_id": new_id(), "day": NOON.date(), "reason": "holiday"} for _ in range(10)]
        site_id = site_in(database)
        rows = [
            {**row, "site_id": site_id, "day": NOON.date().replace(day=n + 1)} for n, row in enumerate(rows)
        ]

        with database.transaction(actor="test") as session:
            session.execute(sa.insert(triggers_model("SiteClosedDay")), rows)

        with database.reading() as session:
            query = sa.select(sa.func.count()).where(AuditEntry.table_name == "site_closed_day")
            assert session.scalar(query) == 10

    def test_never_holds_a_value(self, database: Database) -> None:
        site_id = site_in(database)
        with database.transaction(actor="test") as session:
            session.execute(sa.update(Site).where(Site.id == site_id).values(name=SECRET))
            session.execute(
                sa.update(Site).where(Site.id == site_id).values(name="Other", phone="+15550100199")
            )

        with database.reading() as session:
            written = [
                str(value)
                for row in session.execute(sa.select(AuditEntry.__table__)).mappings()
                for value in row.values()
            ]

        assert not [text for text in written if "Canary" in text or "Harbor" in text or "5550100199" in text]

    def test_an_unchanged_row_names_no_column(self, database: Database) -> None:
        site_id = site_in(database)

        with database.transaction(actor="test") as session:
            session.execute(sa.update(Site).where(Site.id == site_id).values(name=Site.name))

        with database.reading() as session:
            assert trail(session, site_id)[-1].columns == ""


class TestWithoutAnActor:
    def test_a_write_is_refused_even_on_a_connection_that_somebody_used(self, database: Database) -> None:
        site_in(database)

        with pytest.raises(IntegrityError), database.engine.begin() as connection:
            connection.execute(sa.update(Site).values(city="Nowhere"))

        with database.reading() as session:
            assert session.scalar(sa.select(Site.city)) == ""

    def test_reading_in_between_changes_nothing(self, database: Database) -> None:
        site_in(database)
        with database.reading() as session:
            session.scalar(sa.select(Site.id))

        with pytest.raises(IntegrityError), database.engine.begin() as connection:
            connection.execute(sa.delete(Installation))


class TestGuards:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE event SET type = 'site.closed'",
            "DELETE FROM event",
            "UPDATE event_position SET position = position + 100",
            "DELETE FROM event_position",
        ],
    )
    def test_events_and_their_order_can_be_neither_changed_nor_deleted(
        self, database: Database, statement: str
    ) -> None:
        with database.transaction(actor="test") as session:
            events.record(session, "site.opened", subject=("site", new_id()), happened_on=NOON.date(), at=NOON)
        with database.transaction(actor="test") as session:
            events.sequence(session, limit=10)

        with pytest.raises(IntegrityError, match="append-only"), database.transaction(actor="test") as session:
            session.connection().exec_driver_sql(statement)

    @pytest.mark.parametrize("statement", ["UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry"])
    def test_the_trail_can_be_neither_changed_nor_deleted(self, database: Database, statement: str) -> None:
        site_in(database)

        with pytest.raises(IntegrityError, match="append-only"), database.transaction(actor="test") as session:
            session.connection().exec_driver_sql(statement)

    def test_the_trail_cannot_be_overwritten_by_replacing_a_row(self, database: Database) -> None:
        if not database.is_sqlite:
            pytest.skip("only SQLite has INSERT OR REPLACE")
        site_in(database)
        replace = (
            "INSERT OR REPLACE INTO audit_entry (id, table_name, row_id, operation, columns, actor, reason, "
            "request_id, recorded_at) SELECT id, 'x', 'x', 'x', '', 'x', '', '', recorded_at FROM audit_entry"
        )

        with pytest.raises(IntegrityError, match="append-only"), database.transaction(actor="test") as session:
            session.connection().exec_driver_sql(replace)

    @pytest.mark.parametrize("table", ["audit_entry", "event, event_position", "site_hours"])
    def test_tables_cannot_be_emptied_at_one_stroke(self, database: Database, table: str) -> None:
        if database.is_sqlite:
            pytest.skip("SQLite has no TRUNCATE, and its DELETE fires the triggers")
        site_in(database)

        with pytest.raises(IntegrityError, match="one stroke"), database.transaction(actor="test") as session:
            session.connection().exec_driver_sql(f"TRUNCATE {table}")

    def test_a_published_version_is_frozen_and_stays_so(self, database: Database) -> None:
        with database.transaction(actor="test") as session:
            version = ProtocolVersion(
                study_id=make_study(session).id,
                number=1,
                document={"criteria": []},
                sha256="0" * 64,
                created_at=NOON,
                created_by="test",
            )
            session.add(version)
            session.flush()
            version.document = {"criteria": ["still a draft"]}
            session.flush()
            version.status, version.published_at = VersionStatus.PUBLISHED, NOON

        with database.transaction(actor="test") as session:
            session.execute(sa.update(ProtocolVersion).values(label="typo corrected", status="withdrawn"))
            session.execute(sa.update(ProtocolVersion).values(status="draft"))
        changed = sa.update(ProtocolVersion).values(document={"criteria": ["another"]})

        with pytest.raises(IntegrityError, match="frozen"), database.transaction(actor="test") as session:
            session.execute(changed)


class TestCoverage:
    def test_every_audited_table_has_its_three_triggers(self, database: Database) -> None:
        with database.reading() as session:
            present = triggers.installed(session.connection())

        for mapper in Base.registry.mappers:
            model: type[Base] = mapper.class_
            wanted = {f"audit_{model.__tablename__}_{step}" for step in ("insert", "update", "delete")}
            assert (wanted <= present) is model.audited, model

    def test_every_trigger_that_the_models_ask_for_is_there_under_its_whole_name(
        self, database: Database
    ) -> None:
        expected = triggers.expected(database.engine.dialect.name)

        with database.reading() as session:
            present = triggers.installed(session.connection())

        assert present == expected
        assert max(len(name) for name in expected) <= 63

    def test_only_tables_with_a_reason_go_without_a_trail(self) -> None:
        unaudited = {m.class_.__tablename__ for m in Base.registry.mappers if not m.class_.audited}

        assert unaudited >= {"audit_entry", "event", "event_position"}
        assert not unaudited & {"person", "consent", "referral", "account", "grant", "hold", "suppression"}


def triggers_model(name: str) -> type[Row]:
    """Find a model by its class name."""
    return next(m.class_ for m in Base.registry.mappers if m.class_.__name__ == name)
