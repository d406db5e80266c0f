"""Backups of PostgreSQL, by its own client programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import UUID

from sqlalchemy.engine import URL

from recruit.backups.contents import DAMAGED, NOT_OURS, REQUIRED, Contents, WrappedKey
from recruit.errors import Refused, Unavailable

SUFFIX = ".dump"
_MAGIC = b"PGDMP"


def write(url: URL, target: Path) -> None:
    """Dump a database, which may be busy, as it stands at one moment.

    :raises Unavailable: the server cannot be reached or there is no room
    """
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}", url=url)


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


def load(source: Path, url: URL, *, replaced: Iterable[str], afterwards: Iterable[str]) -> None:
    """Put a dump in the place of these tables, in one transaction: whole, or not at all.

    :param afterwards: SQL that runs in the same transaction, before anybody can see what was loaded
    :raises Unavailable: the server cannot be reached, there is no room, or somebody holds a table
    """
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "restore.sql"
        _run("pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(source))
        steps = [f"--command={statement}" for statement in _clearing(replaced)]
        steps += [f"--file={script}", *(f"--command={statement}" for statement in afterwards)]
        _run("psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", *steps, url=url)


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


def _clearing(tables: Iterable[str]) -> Iterator[str]:
    yield "SET lock_timeout = '10s'"
    for table in sorted(tables):
        yield f'DROP TABLE IF EXISTS public."{table}" CASCADE'
    yield "DROP FUNCTION IF EXISTS public.audit_row(), public.refuse_change() CASCADE"


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
