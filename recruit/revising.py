"""Writing migrations: what the models say now, against what the migrations so far lead to."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
import textwrap
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from recruit import schema
from recruit.crypto import Keyring
from recruit.db import Base, Database
from recruit.errors import Invalid, Refused

if TYPE_CHECKING:
    from alembic.operations.ops import MigrationScript
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection

VERSIONS = schema.SCRIPTS / "versions"


def write(message: str, *, why: str, folder: Path = VERSIONS, metadata: sa.MetaData = Base.metadata) -> Path:
    """Write the next migration, numbered, with its reason in its docstring, and give its file.

    The difference is taken on an empty database that all migrations so far were run on, so that no
    installation's own state flows into it.

    :raises Invalid: the message gives no file name
    :raises Refused: the models say nothing new
    """
    words = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")
    if not words:
        raise Invalid("Say in a few words what the migration does.")
    number = f"{len(schema.revisions()) + 1:04}"
    with tempfile.TemporaryDirectory() as place:
        keyring = Keyring.from_settings("", secret_key="of an empty database")  # noqa: S106 - seals nothing
        database = Database(f"sqlite:///{place}/empty.sqlite3", keyring=keyring, durable=False)
        try:
            if schema.revisions():
                schema.upgrade(database)
            with database.engine.connect() as connection:
                file = _write(connection, number, words, folder=folder, metadata=metadata)
        finally:
            database.dispose()
    _tidy(file, why=why)
    return file


def _write(connection: Connection, number: str, words: str, *, folder: Path, metadata: sa.MetaData) -> Path:
    from alembic import command

    config = schema.configuration(connection)
    if folder != VERSIONS:
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", f"{VERSIONS}\n{folder}".replace("%", "%%"))
    config.set_main_option("truncate_slug_length", "120")
    config.attributes.update(metadata=metadata, process_revision_directives=_complete)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*expression-based index")
        command.revision(config, message=words, rev_id=number, autogenerate=True, version_path=str(folder))
    return folder / f"{number}_{words}.py"


def _complete(context: MigrationContext, _revision: object, directives: list[MigrationScript]) -> None:
    """Add the indexes over expressions, which SQLite cannot tell Alembic about.

    :raises Refused: there is nothing to write
    """
    from alembic.operations.ops import CreateIndexOp, DropIndexOp

    script = directives[0]
    if script.upgrade_ops is None or script.downgrade_ops is None:
        raise Refused("The models could not be compared.")
    for index in _missing_expressions(context):
        script.upgrade_ops.ops.append(CreateIndexOp.from_index(index))
        script.downgrade_ops.ops.insert(0, DropIndexOp.from_index(index))
    if script.upgrade_ops.is_empty():
        raise Refused("The models say nothing that the migrations do not say already.")


def _missing_expressions(context: MigrationContext) -> list[sa.Index]:
    if context.connection is None:
        return []
    catalogue = sa.table("sqlite_master", sa.column("name"), sa.column("type"))
    metadata: sa.MetaData = context.opts["target_metadata"]
    present = set(context.connection.scalars(sa.select(catalogue.c.name).where(catalogue.c.type == "index")))
    indexes = (index for table in metadata.sorted_tables for index in table.indexes)
    over_expressions = (index for index in indexes if len(index.columns) < len(index.expressions))
    return sorted((index for index in over_expressions if index.name not in present), key=lambda i: str(i.name))


def _tidy(file: Path, *, why: str) -> None:
    """Add the reason, take Alembic's remarks out, and lay the file out where the tool for that is installed."""
    first, *lines = file.read_text(encoding="utf-8").splitlines()
    reason = textwrap.fill(" ".join(why.replace('"', "'").split()), 108)
    kept = [line for line in lines if not line.strip().startswith("# ###")]
    head = first.removesuffix('"""') + f'\n\n{reason}\n"""'
    file.write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")
    if importlib.util.find_spec("ruff") is not None:
        for step in (("format",), ("check", "--fix-only"), ("format",)):
            subprocess.run([sys.executable, "-m", "ruff", *step, "--quiet", str(file)], check=False)  # noqa: S603 - ours
