"""The pool's snapshot: read from PostgreSQL, derived, saved, opened, patched, and a page shown from it.

``--data`` is not used: the pool is made up and filled into a database of its own, on the server that
``BENCHMARK_POSTGRESQL`` names (by default the local one); it is dropped afterwards.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks import frame
from benchmarks.workloads import records
from benchmarks.workloads.crowd import TODAY, made_up
from benchmarks.workloads.trials import drawn_protocol
from recruit.matching.snapshot import pool_ledger
from recruit.vocabulary import terms
from screening.language.lowering import LoweredProtocol, lower
from screening.language.questions import Resolver
from screening.planes.columns import Snapshot, open_snapshot, save_snapshot, snapshot_of
from screening.planes.ledger import Ledger
from screening.planes.page import page_of, ranked
from screening.planes.pool import Pool
from screening.verdict import Disposition
from screening.vocabulary import packaged_vocabulary

SEED: Final = 2026
SERVER: Final = os.environ.get("BENCHMARK_POSTGRESQL", "postgresql://127.0.0.1")
DATABASE: Final = f"benchmark_snapshot_{os.getpid()}"
VOCABULARY: Final = packaged_vocabulary()
SHOWN: Final = 50
NOT_RULED_OUT: Final = (Disposition.CANDIDATE, Disposition.POTENTIAL_CANDIDATE)
RAW_COPY: Final = (
    "COPY (SELECT person_id, key, value, observed_lo, observed_hi, recorded_at, source, id FROM fact)"
)


def main() -> None:
    """Fill a database, measure each step from it to a page, and report."""
    options = frame.options("How fast a pool's snapshot is made, opened, patched and shown a page of.")
    report = frame.Report("snapshot")
    with database(SERVER) as url, tempfile.TemporaryDirectory() as folder:
        records.fill(url, made_up(50_000 if options.quick else 1_000_000, seed=SEED))
        report.peer("raw_copy_s", raw_copy_seconds(url))
        made = measure_making(report, url)
        opened = measure_folder(report, made, Path(folder) / "pool")
        pool = Pool(opened, terms=terms())
        measure_patching(report, pool)
        measure_page(report, pool)
    report.at_least("people_per_s", 200_000)
    report.at_most("open_ms", 50)
    report.at_most("patch_ms", 1)
    report.at_most("page_ms", 10)
    report.finish(options, libraries=("numpy", "psycopg", "sqlalchemy"))


@contextmanager
def database(server: str) -> Iterator[str]:
    """Make an empty database, and drop it afterwards."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        try:
            yield f"{server}/{DATABASE}"
        finally:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())


def raw_copy_seconds(url: str) -> float:
    """Time the server's COPY of the same columns, thrown away as they come: the least that any reader takes."""
    with psycopg.connect(url) as connection:
        server = connection.pgconn
        started = time.perf_counter()
        server.exec_(f"{RAW_COPY} TO STDOUT (FORMAT binary)".encode())
        while server.get_copy_data(0)[0] >= 0:
            continue
        took = time.perf_counter() - started
        while server.get_result() is not None:
            continue
    return took


def measure_making(report: frame.Report, url: str) -> Snapshot:
    """Read everybody's facts and derive the columns."""
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    ledgers: list[Ledger] = []
    with Session(engine) as session:
        began = time.process_time()
        read = frame.seconds(lambda: ledgers.append(pool_ledger(session)))
        report.figure("read_own_processor_s", time.process_time() - began)
    engine.dispose()
    made: list[Snapshot] = []
    began = time.process_time()
    derive = frame.seconds(
        lambda: made.append(snapshot_of(ledgers[0], on=TODAY, vocabulary=VOCABULARY, terms=terms()))
    )
    report.figure("derive_processor_s", time.process_time() - began)
    report.figure("people", made[0].people)
    report.figure("facts", len(ledgers[0]))
    report.figure("read_s", read)
    report.figure("derive_s", derive)
    report.figure("people_per_s", made[0].people / (read + derive))
    report.figure("facts_per_s", len(ledgers[0]) / (read + derive))
    return made[0]


def measure_folder(report: frame.Report, snapshot: Snapshot, folder: Path) -> Snapshot:
    """Save the snapshot, and open it as a process does that comes to it later."""
    report.figure("save_s", frame.seconds(lambda: save_snapshot(snapshot, folder)))
    report.figure("snapshot_mb", sum(path.stat().st_size for path in folder.iterdir()) / 1e6)

    def opening() -> Snapshot:
        return open_snapshot(folder, terms=terms(), vocabulary=VOCABULARY)

    report.figure("open_ms", 1000 * frame.median_seconds(opening, repeats=9))
    return opening()


def measure_patching(report: frame.Report, pool: Pool) -> None:
    """Take the facts that a person holds now, for many people in turn; then judge with them."""
    lowered = drawn(0)
    held = {slot: pool.facts(slot) for slot in range(0, pool.snapshot.size, pool.snapshot.size // 200)}
    times = [
        frame.seconds(lambda slot=slot, facts=facts: pool.put(slot, facts))  # type: ignore[misc]
        for slot, facts in held.items()
    ]
    report.figure("patch_ms", 1000 * statistics.median(times))
    judge_all(pool, lowered)
    with_many = frame.median_seconds(lambda: judge_all(pool, lowered), repeats=5)
    for slot in held:
        pool.forget(slot)
    without = frame.median_seconds(lambda: judge_all(pool, lowered), repeats=5)
    report.figure("patched_people", len(held))
    report.figure("patched_judged_ms_each", 1000 * (with_many - without) / len(held))


def judge_all(pool: Pool, lowered: LoweredProtocol) -> None:
    """Judge everybody against a protocol."""
    pool.judge(lowered, on=TODAY, vocabulary=VOCABULARY)


def drawn(number: int) -> LoweredProtocol:
    """Draw a protocol of twenty criteria."""
    return lower(drawn_protocol(number, seed=SEED), resolver=Resolver(VOCABULARY, terms()))


def measure_page(report: frame.Report, pool: Pool) -> None:
    """Show the best fifty by a score, found and explained; and found alone."""
    scores = np.random.default_rng(SEED).random(pool.snapshot.size)
    pages, found = [], []
    for number in range(5):
        lowered = drawn(number)
        result = pool.judge(lowered, on=TODAY, vocabulary=VOCABULARY)
        slots = np.sort(np.concatenate([result.slots(one) for one in NOT_RULED_OUT]))
        show = partial(
            page_of,
            pool,
            lowered,
            result,
            vocabulary=VOCABULARY,
            dispositions=NOT_RULED_OUT,
            scores=scores,
            count=SHOWN,
        )
        find = partial(ranked, slots, scores[slots], after=None, count=SHOWN)
        pages.append(frame.median_seconds(show, repeats=5))
        found.append(frame.median_seconds(find, repeats=5))
    report.figure("page_ms", 1000 * statistics.mean(pages))
    report.figure("page_ranked_ms", 1000 * statistics.mean(found))


if __name__ == "__main__":
    main()
