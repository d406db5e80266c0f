"""The schema: what every table promises, and that migrations lead to what the models say."""

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from recruit import revising, schema
from recruit.accounts.models import Role
from recruit.crypto import Keyring
from recruit.db import Base, Database, UtcDateTime
from recruit.errors import Invalid, Refused
from recruit.operations import checks
from recruit.operations import service as operations
from recruit.people import service as people
from recruit.people.models import Basis, ContactKind
from recruit.retention import RULES, Retention
from tests.conftest import NOON
from tests.factories import make_account, make_site, make_study, make_study_site
from tests.recruit.conftest import MakeEmpty
from tests.recruit.schema_dump import describe

TABLES = sorted(Base.metadata.tables.values(), key=lambda table: table.name)
MODELS = sorted((m.class_ for m in Base.registry.mappers), key=lambda model: str(model.__tablename__))
OTHER_KEYS = {
    "installation": "one row, numbered 1",
    "job_lease": "found by the job's name",
    "event_position": "its number is what readers follow",
    "event_waiting": "named after the event that waits",
    "audit_entry": "numbered by the database, in the order of writing",
}

WRITTEN_ONCE = frozenset(
    {"approval_item", "approval_site", "document", "link_hit", "material", "search_token", "site_closed_day"}
    | {"site_hours", "study_fact_key", "study_identifier", "study_import", "study_location"}
    | {"event_waiting", "idempotency_key"}
)
"""Rows that nobody changes: they are written, and at most removed."""
OTHER_VERSIONS = {
    "data_key": "only the wrapper changes, by its key id",
    "draft": "its revision, which pages post",
    "installation": "one row, changed by single statements",
    "job_lease": "a lease, taken by one conditional statement",
    "login_attempt": "marked as succeeded by one statement",
    "login_session": "last seen and ended by one statement each",
    "match_watch": "a day found again by the job, under the lock of its match",
    "message": "its fence, which every claim raises",
    "one_time_link": "used up by one conditional statement",
    "open_call": "one for each person, taken by insertion and removed",
    "provider_callback": "applied once, under the lock of its message",
    "settled_counter": "added to by one statement",
    "question_counter": "added to by one statement",
    "stage_counter": "added to by one statement",
    "verification": "its tries are counted under the lock of its row",
    "version_in_force": "marked as judged under its own lock; replaced only before its day",
}


def name_of(value: object) -> str:
    return str(getattr(value, "__tablename__", getattr(value, "name", "")))


def fill(database: Database) -> None:
    """Put rows into many tables, through the services that do so in earnest."""
    with database.transaction(actor="test", reason="fill") as session:
        operations.ensure(session)
        study, site = make_study(session), make_site(session)
        make_study_site(session, study, site)
        make_account(session, Role.RECRUITER, site_id=site.id)
        person = people.add_person(
            session, people.Identity(given="Ann"), basis=Basis.CALL, language="en", at=NOON
        )
        people.attach_contact(session, person, ContactKind.PHONE, "+15550100123", at=NOON)


class TestTables:
    @pytest.mark.parametrize("model", MODELS, ids=name_of)
    def test_each_says_how_long_its_rows_are_kept(self, model: type[Base]) -> None:
        assert isinstance(model.retention, Retention)
        assert RULES[model.retention].kept

    @pytest.mark.parametrize("model", MODELS, ids=name_of)
    def test_each_that_changes_has_a_version_or_a_reason(self, model: type[Base]) -> None:
        versioned = sa.inspect(model).version_id_col is not None

        known = str(model.__tablename__) in WRITTEN_ONCE | OTHER_VERSIONS.keys()

        assert versioned + known + model.append_only == 1

    @pytest.mark.parametrize("table", TABLES, ids=name_of)
    def test_each_has_a_key_made_by_the_application_or_a_reason(self, table: sa.Table) -> None:
        keys = [(column.name, type(column.type)) for column in table.primary_key.columns]

        assert keys == [("id", sa.Uuid)] or table.name in OTHER_KEYS

    @pytest.mark.parametrize("table", TABLES, ids=name_of)
    def test_each_constraint_and_index_has_a_name_that_both_databases_keep(self, table: sa.Table) -> None:
        constraints: list[sa.Constraint] = list(table.constraints)
        indexes: list[sa.Index] = list(table.indexes)

        names = [str(name or "") for name in (*(c.name for c in constraints), *(i.name for i in indexes))]

        assert all(names)
        assert all(len(name) <= 63 for name in names)
        assert len(names) == len(set(names))

    @pytest.mark.parametrize("table", TABLES, ids=name_of)
    def test_no_time_is_naive_or_the_server_s(self, table: sa.Table) -> None:
        for column in table.columns:
            assert column.server_default is None, column
            assert column.server_onupdate is None, column
            if isinstance(column.type, sa.DateTime | sa.types.TypeDecorator):
                assert isinstance(column.type, UtcDateTime), column

    @pytest.mark.parametrize("table", TABLES, ids=name_of)
    def test_every_sealed_column_is_bytes(self, table: sa.Table) -> None:
        assert all(
            isinstance(column.type, sa.LargeBinary)
            for column in table.columns
            if column.name.endswith(("_sealed", "_token", "_hash")) and not isinstance(column.type, sa.String)
        )

    def test_index_names_are_unique_over_all_tables(self) -> None:
        names = [str(index.name) for table in TABLES for index in table.indexes]

        assert len(names) == len(set(names))

    def test_exceptions_name_tables_that_exist(self) -> None:
        assert {table.name for table in TABLES} >= OTHER_KEYS.keys() | WRITTEN_ONCE | OTHER_VERSIONS.keys()


class TestMigrations:
    def test_lead_to_what_the_models_say(self, make_empty: MakeEmpty) -> None:
        made, moved = make_empty(), make_empty()

        schema.create(made)
        schema.upgrade(moved)

        assert describe(moved) == describe(made)

    def test_nothing_is_left_to_write(self, tmp_path: Path) -> None:
        with pytest.raises(Refused, match="nothing that the migrations do not say"):
            revising.write("check", why="", folder=tmp_path)

    def test_go_up_down_and_up_again_with_rows_in_the_tables(self, make_empty: MakeEmpty) -> None:
        database = make_empty()
        schema.upgrade(database)
        fill(database)
        before = describe(database)

        for revision in ("base", *schema.revisions()[:-1]):
            schema.downgrade(database, revision)
            schema.upgrade(database)
            assert describe(database) == before
        fill(database)

        assert all(finding.is_sound for finding in checks.look(database))

    def test_keep_rows_where_nothing_moves(self, make_empty: MakeEmpty) -> None:
        database = make_empty()
        schema.upgrade(database)
        fill(database)

        schema.upgrade(database)

        with database.reading() as session:
            assert session.scalar(sa.text("SELECT count(*) FROM person")) == 1

    def test_form_one_line_that_the_file_names_tell(self) -> None:
        scripts = ScriptDirectory(str(schema.SCRIPTS))

        walked = [script.revision for script in scripts.walk_revisions()]

        assert tuple(reversed(walked)) == schema.revisions()
        assert scripts.get_heads() == [schema.head()]

    def test_two_upgrades_at_once_make_one_schema(self, make_empty: MakeEmpty, keyring: Keyring) -> None:
        database = make_empty()
        url = database.engine.url.render_as_string(hide_password=False)
        others = [Database(url, keyring=keyring, durable=False) for _ in range(3)]
        problems: list[Exception] = []

        def upgrade(other: Database) -> None:
            try:
                schema.upgrade(other)
            except (sa.exc.SQLAlchemyError, Refused) as problem:
                problems.append(problem)

        threads = [threading.Thread(target=upgrade, args=(other,)) for other in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for other in others:
            other.dispose()

        assert problems == []
        assert schema.is_current(database)


class TestWhereADatabaseStands:
    def test_an_empty_one_stands_nowhere(self, make_empty: MakeEmpty) -> None:
        database = make_empty()

        assert schema.current(database) is None
        assert schema.tables(database) == frozenset()
        assert not schema.is_current(database)

    def test_one_of_a_newer_version_is_left_alone(self, make_empty: MakeEmpty) -> None:
        database = make_empty()
        schema.upgrade(database)
        with database.engine.begin() as connection:
            connection.execute(sa.update(schema.VERSION).values(version_num="9999"))

        with pytest.raises(Refused, match="newer version of the software \\(schema 9999"):
            schema.upgrade(database)

    def test_one_with_somebody_else_s_tables_is_left_alone(self, make_empty: MakeEmpty) -> None:
        database = make_empty()
        theirs = sa.Table("invoice", sa.MetaData(), sa.Column("id", sa.Integer))
        with database.engine.begin() as connection:
            theirs.create(connection)

        with pytest.raises(Refused, match="did not make"):
            schema.upgrade(database)

        assert schema.tables(database) == {"invoice"}

    def test_a_migration_that_fails_changes_nothing(
        self, make_empty: MakeEmpty, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        database = make_empty()

        def fail(_connection: sa.Connection) -> None:
            raise RuntimeError("killed")

        monkeypatch.setattr(schema, "_require_whole_references", fail)
        with pytest.raises(RuntimeError, match="killed"):
            schema.upgrade(database)
        monkeypatch.undo()

        assert schema.tables(database) == frozenset()
        schema.upgrade(database)
        fill(database)


class TestWritingMigrations:
    def test_a_new_column_and_a_new_index_are_found(self, tmp_path: Path) -> None:
        models = sa.MetaData(naming_convention=Base.metadata.naming_convention)
        for table in TABLES:
            table.to_metadata(models)
        changed = models.tables["site_closed_day"]
        changed.append_column(sa.Column("half", sa.Boolean(), nullable=True))
        sa.Index("one_half", sa.text("coalesce(half, 0)"), _table=changed)

        why = 'Some sites are open "half" a day.'
        file = revising.write("Site closed day: add half!", why=why, folder=tmp_path, metadata=models)

        text = file.read_text()
        assert file.name == f"{len(schema.revisions()) + 1:04}_site_closed_day_add_half.py"
        assert f'down_revision = "{schema.head()}"' in text
        assert 'sa.Column("half", sa.Boolean(), nullable=True)' in text
        assert text.count('"one_half"') == 2
        assert "###" not in text
        assert text.startswith('"""Site closed day add half.\n\nSome sites are open \'half\' a day.\n"""\n')

    def test_a_message_without_words_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(Invalid):
            revising.write(" ... ", why="", folder=tmp_path)
