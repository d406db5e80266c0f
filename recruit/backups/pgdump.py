"""Backups of PostgreSQL, by its own client programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from sqlalchemy.engine import URL

from recruit.backups.contents import DAMAGED, NOT_OURS, REQUIRED, Contents, WrappedKey
from recruit.errors import Refused, Unavailable

SUFFIX = ".dump"
INCOMING = "recruit_incoming"
"""The schema in which a restored database is made ready."""
_ASIDE = "recruit_aside"
_FUNCTIONS = "('audit_row', 'refuse_change')"
_MAGIC = b"PGDMP"


def write(url: URL, target: Path) -> None:
    """Dump a database, which may be busy, as it stands at one moment.

    :raises Unavailable: the server cannot be reached or there is no room
    """
    leftover = f"--exclude-schema={INCOMING}"
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", leftover, f"--file={target}", url=url)


def inspect(path: Path) -> Contents:
    """Look into a dump and read it from end to end.

    :raises Refused: it is something else or is damaged
    """
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise Refused(NOT_OURS)
    try:
        _run("pg_restore", f"--file={os.devnull}", str(path))
        listed = _run("pg_restore", "--list", str(path))
    except Unavailable:
        raise Refused(DAMAGED) from None
    if not all(f" TABLE DATA public {name} " in listed for name in REQUIRED):
        raise Refused(NOT_OURS)
    revision = next((row["version_num"] for row in _rows(path, "alembic_version")), None)
    if revision is None:
        raise Refused(NOT_OURS)
    keys = {row["master_key_id"]: row for row in _rows(path, "data_key")}
    return Contents(revision, tuple(_wrapped_key(row) for row in keys.values()))


def load(source: Path, url: URL) -> URL:
    """Put a dump into a schema of its own beside what is there; give the address under which it is seen.

    A dump names the schema that it came from, so what is there steps aside for the length of the one
    transaction. Whatever interrupts it, the live tables are where they were.

    :raises Unavailable: the server cannot be reached, there is no room, or somebody holds a table
    """
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "restore.sql"
        _run("pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(source))
        before = (
            f"DROP SCHEMA IF EXISTS {INCOMING} CASCADE",
            f"CREATE SCHEMA {INCOMING}",
            f"CREATE SCHEMA {_ASIDE}",
            _moving("public", _ASIDE),
        )
        after = (_moving("public", INCOMING), _moving(_ASIDE, "public"), f"DROP SCHEMA {_ASIDE}")
        _in_one_transaction(
            url,
            *(f"--command={statement}" for statement in before),
            f"--file={script}",
            *(f"--command={statement}" for statement in after),
        )
    options = (*url.normalized_query.get("options", ()), f"-csearch_path={INCOMING}")
    return url.update_query_dict({"options": " ".join(options)})


def swap(url: URL) -> None:
    """Put what was loaded in the place of what is there, in one transaction: whole, or not at all.

    :raises Unavailable: the server cannot be reached, or somebody holds a table
    """
    steps = (_clearing("public"), _moving(INCOMING, "public"), f"DROP SCHEMA {INCOMING}")
    _in_one_transaction(url, *(f"--command={statement}" for statement in steps))


def discard(url: URL) -> None:
    """Remove what was loaded and has not been put in place."""
    _in_one_transaction(url, f"--command=DROP SCHEMA IF EXISTS {INCOMING} CASCADE")


def require_programs() -> None:
    """Make sure that PostgreSQL's client programs are here.

    :raises Refused: naming what to install
    """
    missing = [name for name in ("pg_dump", "pg_restore", "psql") if shutil.which(name) is None]
    if missing:
        raise Refused(
            f"Backups of PostgreSQL need its client programs, and {', '.join(missing)} cannot be found: "
            "install them (Debian and Ubuntu: sudo apt install postgresql-client), then try again."
        )


def _in_one_transaction(url: URL, *steps: str) -> None:
    _run(
        "psql",
        *("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"),
        "--command=SET client_min_messages = warning",
        "--command=SET lock_timeout = '10s'",
        *steps,
        url=url,
    )


def _moving(origin: str, target: str) -> str:
    """Write what moves all tables and our functions from one schema to another."""
    return _for_each(
        origin,
        f"ALTER TABLE {origin}.%I SET SCHEMA {target}",
        f"ALTER FUNCTION {origin}.%I() SET SCHEMA {target}",
    )


def _clearing(schema: str) -> str:
    """Write what drops all tables and our functions."""
    return _for_each(
        schema, f"DROP TABLE IF EXISTS {schema}.%I CASCADE", f"DROP FUNCTION {schema}.%I() CASCADE"
    )


def _for_each(schema: str, table: str, function: str) -> str:
    return f"""
DO $$ DECLARE name text; BEGIN
FOR name IN SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = '{schema}' ORDER BY tablename LOOP
    EXECUTE pg_catalog.format('{table}', name);
END LOOP;
FOR name IN SELECT proname FROM pg_catalog.pg_proc
    WHERE pronamespace = '{schema}'::pg_catalog.regnamespace AND proname IN {_FUNCTIONS} LOOP
    EXECUTE pg_catalog.format('{function}', name);
END LOOP;
END $$"""  # noqa: S608 - names of ours


def _run(program: str, *arguments: str, url: URL | None = None) -> str:
    """Run a client program; the password goes by the environment, where other users cannot read it."""
    environment = dict(os.environ)
    command = [program, *arguments]
    if url is not None:
        if url.password is not None:
            environment["PGPASSWORD"] = str(url.password)
        address = URL.create(
            "postgresql", url.username, None, url.host, url.port, url.database, url.normalized_query
        )
        command += ["--no-password", f"--dbname={address.render_as_string()}"]
    done = subprocess.run(  # noqa: S603 - our own arguments
        command, env=environment, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise Unavailable(f"{program} could not do it: {words[0]}")
    return done.stdout


def _rows(path: Path, table: str) -> Iterator[dict[str, str]]:
    """Read a table out of a dump, as text."""
    columns: list[str] = []
    for line in _run("pg_restore", "--data-only", f"--table={table}", "--file=-", str(path)).splitlines():
        if line.startswith(f"COPY public.{table} ("):
            columns = [name.strip(' "') for name in line[line.index("(") + 1 : line.index(")")].split(",")]
        elif line == r"\.":
            columns = []
        elif columns:
            yield dict(zip(columns, line.split("\t"), strict=True))


def _wrapped_key(row: dict[str, str]) -> WrappedKey:
    try:
        wrapped = bytes.fromhex(row["wrapped"].removeprefix(r"\\x"))
        return WrappedKey(row["master_key_id"], UUID(row["owner_id"]), wrapped)
    except (KeyError, ValueError):
        raise Refused(DAMAGED) from None
