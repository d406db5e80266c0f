"""The pool against protocols: bit planes against the interpreter, other engines and the speed of memory.

Everybody is judged by every criterion of every protocol, and nothing is kept
from one protocol to the next. Distance is no criterion of the language and so
is not measured. Another engine takes part by being listed in ``PEERS``.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import frame
from benchmarks.peers.databases import DuckDB, PostgreSQL
from benchmarks.peers.interpreter import passes
from benchmarks.peers.peer import Found, Loaded, Peer
from benchmarks.peers.polars import Polars
from benchmarks.workloads.crowd import TODAY, made_up
from benchmarks.workloads.trials import drawn_protocol
from screening.assessment.assess import assess_lowered
from screening.combinations import packaged_terms
from screening.language.criteria import Age, Attested, Coded, Is, Number, When
from screening.language.lowering import LoweredProtocol, lower
from screening.language.questions import Resolver
from screening.planes.bits import count, positions
from screening.planes.columns import Snapshot, open_snapshot, save_snapshot, snapshot_of
from screening.planes.ledger import Ledger
from screening.planes.pool import Pool, PoolResult
from screening.sql.tables import tables_of
from screening.terms import CodeSet
from screening.vocabulary import packaged_vocabulary

SEED: Final = 2026
VOCABULARY: Final = packaged_vocabulary()
TERMS: Final = packaged_terms()
COMPARED: Final = 400
"""How many people are judged by the interpreter too, for each protocol that is compared."""


Times = tuple[float, float]

PEERS: dict[str, Callable[[], Peer[Any]]] = {"postgresql": PostgreSQL, "duckdb": DuckDB, "polars": Polars}
"""Engines by the name in their figure, ``x_NAME``."""


PEERS_JUDGE: Final = 20
"""How many of the protocols they judge: the slowest takes seconds for each, twice."""


def main() -> None:
    """Make a pool, judge it, compare, and report."""
    options = frame.options("How fast a pool is judged against protocols.")
    report = frame.Report("bulk")
    people, protocols = (100_000, 20) if options.quick else (1_000_000, 100)
    lowered = [
        lower(drawn_protocol(number, seed=SEED), resolver=Resolver(VOCABULARY, TERMS))
        for number in range(protocols)
    ]
    ledger = made_up(people, seed=SEED)
    with tempfile.TemporaryDirectory() as folder:
        pool = measure_snapshot(report, ledger, Path(folder) / "snapshot")
        ours = measure_planes(report, pool, lowered, quick=options.quick)
        measure_interpreter(report, pool, lowered, ours)
        measure_peers(report, lowered, pool, ours)
    report.at_least("x_interpreter", 500)
    report.at_least("x_postgresql", 60)
    report.at_least("x_duckdb", 15)
    report.at_least("x_polars", 1.5)
    report.at_least("share_of_floor", 0.2)
    report.finish(options, libraries=("numpy", *(one for one in ("duckdb", "polars") if find_spec(one))))


def measure_snapshot(report: frame.Report, ledger: Ledger, folder: Path) -> Pool:
    """Derive the columns, save them, and go on with what was opened from the folder."""
    made: list[Snapshot] = []
    report.figure(
        "derive_s",
        frame.seconds(lambda: made.append(snapshot_of(ledger, on=TODAY, vocabulary=VOCABULARY, terms=TERMS))),
    )
    report.figure("save_s", frame.seconds(lambda: save_snapshot(made[0], folder)))
    opened: list[Snapshot] = []
    report.figure("open_ms", 1000 * frame.seconds(lambda: opened.append(open_snapshot(folder, terms=TERMS))))
    report.figure("snapshot_mb", sum(path.stat().st_size for path in folder.iterdir()) / 1e6)
    report.figure("people", opened[0].people)
    report.figure("facts", len(ledger))
    return Pool(opened[0], terms=TERMS)


def judged(pool: Pool, lowered: LoweredProtocol) -> PoolResult:
    """Judge everybody against a protocol."""
    return pool.judge(lowered, on=TODAY, vocabulary=VOCABULARY)


def measure_planes(
    report: frame.Report, pool: Pool, protocols: Sequence[LoweredProtocol], *, quick: bool
) -> list[PoolResult]:
    """Time each protocol with nothing kept, then one that is kept, then that with one person put."""
    results = [judged(pool, one) for one in protocols]  # columns are read from disk once
    pool.judged_one_by_one = 0
    times = []
    for one in protocols:
        pool.cache.clear()
        times.append(frame.seconds(lambda one=one: judged(pool, one)))  # type: ignore[misc]
    report.figure("ms_per_protocol", 1000 * statistics.mean(times))
    report.figure("p50_ms_per_protocol", 1000 * statistics.median(times))
    report.figure("slowest_protocol_ms", 1000 * max(times))
    atoms = sum(len(one.atoms) for one in protocols)
    report.figure("hard_share_of_verdicts", pool.judged_one_by_one / (atoms * pool.snapshot.people))
    floor = statistics.mean(bytes_read(pool.snapshot, one) for one in protocols)
    rate = frame.stream_gigabytes_per_second(quick=quick) * 1e9
    report.figure("bytes_per_person", floor / pool.snapshot.people)
    report.figure("floor_ms", 1000 * floor / rate)
    report.figure("share_of_floor", floor / rate / statistics.mean(times))
    plain = statistics.mean(bytes_read(pool.snapshot, one, plain=True) for one in protocols)
    report.figure("plain_bytes_per_person", plain / pool.snapshot.people)
    report.figure("share_of_plain_floor", plain / rate / statistics.mean(times))
    judged(pool, protocols[-1])
    report.figure("kept_ms", 1000 * frame.median_seconds(lambda: judged(pool, protocols[-1]), repeats=5))
    facts = pool.snapshot.ledger.facts(7)
    report.figure("put_us", 1e6 * frame.median_seconds(lambda: pool.put(7, facts), repeats=9))
    judged(pool, protocols[-1])
    with_one = frame.median_seconds(lambda: judged(pool, protocols[-1]), repeats=5)
    report.figure("kept_with_one_put_ms", 1000 * with_one)
    pool.forget(7)
    return results


def bytes_read(snapshot: Snapshot, lowered: LoweredProtocol, *, plain: bool = False) -> int:
    """Count the bytes of all columns, planes and postings that a protocol's leaves speak of, each once.

    As they are kept; or `plain`, with numbers of eight bytes and days of four
    instead of places of two.
    """
    days = {id(column.seen.codes) for column in snapshot.columns.values()}
    columns: dict[int, int] = {}
    for atom in lowered.atoms:
        for part in _parts_read(snapshot, atom.leaf):
            wide = plain and part.dtype == np.uint16
            size = part.size * (4 if id(part) in days else 8) if wide else part.nbytes
            columns[part.ctypes.data] = max(size, columns.get(part.ctypes.data, 0))
    return sum(columns.values())


def _parts_read(snapshot: Snapshot, leaf: object) -> Iterator[NDArray[np.generic]]:
    match leaf:
        case Number() | Age() | When():
            key = VOCABULARY["birth" if isinstance(leaf, Age) else leaf.key]
            column = snapshot.columns[key.name]
            measure = column.measure(key.unit or "", key)
            yield measure.lo.codes
            if measure.hi is not None:
                yield measure.hi.codes
            if key.validity is not None:
                yield column.seen.codes
        case Is() | Attested():
            column = snapshot.columns[leaf.key]
            yield column.by_value
            yield column.seen.codes
        case Coded():
            yield from _postings_read(snapshot, leaf)


def _postings_read(snapshot: Snapshot, leaf: Coded) -> Iterator[NDArray[np.generic]]:
    postings = snapshot.postings
    wanted = CodeSet.of(TERMS, leaf.codes, leaf.but)
    overlaps, _ = postings.table.against(wanted)
    for part in postings.slices(np.flatnonzero(overlaps)):
        yield from (postings.slots[part], postings.status[part], postings.seen_lo[part])
        if leaf.window is not None or leaf.for_at_least is not None:
            yield from (postings.starts_lo[part], postings.starts_hi[part])
    for denials in postings.denials:
        if denials.pattern.codes.overlaps(wanted):
            yield from (denials.slots, denials.seen_lo)


def measure_interpreter(
    report: frame.Report, pool: Pool, protocols: Sequence[LoweredProtocol], ours: Sequence[PoolResult]
) -> None:
    """Judge some people one by one, compare, and say what everybody would take."""
    chance = np.random.default_rng(SEED)
    slots = np.sort(chance.choice(pool.snapshot.people, COMPARED, replace=False)).tolist()
    people = {slot: pool.snapshot.ledger.facts(slot) for slot in slots}
    for one, result in zip(protocols[:10], ours[:10], strict=True):
        for slot, facts in people.items():
            told = assess_lowered(one, facts, on=TODAY, vocabulary=VOCABULARY, terms=TERMS)
            if told.disposition is not result.disposition(slot):
                raise AssertionError(
                    f"the planes say {result.disposition(slot)} of {slot}, not {told.disposition}"
                )
    report.figure("compared", len(people) * 10)
    bare = frame.seconds(
        lambda: [
            passes(one, facts, on=TODAY, vocabulary=VOCABULARY, terms=TERMS)
            for one in protocols[:5]
            for facts in people.values()
        ]
    )
    full = frame.seconds(
        lambda: [
            assess_lowered(one, facts, on=TODAY, vocabulary=VOCABULARY, terms=TERMS)
            for one in protocols[:5]
            for facts in people.values()
        ]
    )
    everybody = 1000 * pool.snapshot.people / (5 * len(people))
    report.peer("interpreter_ms", bare * everybody)
    report.peer("interpreter_with_reasons_ms", full * everybody)
    report.figure("x_interpreter", bare * everybody / report.figures["ms_per_protocol"])
    report.figure("x_interpreter_with_reasons", full * everybody / report.figures["ms_per_protocol"])


def measure_peers(
    report: frame.Report, protocols: Sequence[LoweredProtocol], pool: Pool, ours: Sequence[PoolResult]
) -> None:
    """Time the other engines that can be reached, in turn with ours, their answers compared slot by slot.

    What is compared with the goals is every criterion judged for everybody. Only finding those who are
    left, where a criterion may be skipped once another has ruled somebody out, has figures of its own.
    """
    tables = tables_of(pool.snapshot, vocabulary=VOCABULARY)
    for name, make in PEERS.items():
        peer = make()
        if (reason := peer.load(Loaded(tables, TODAY, VOCABULARY, TERMS))) is not None:
            print(f"  {name} takes no part: {reason}")
            continue
        try:
            sample = list(zip(protocols, ours, strict=True))[:PEERS_JUDGE]
            turns = [turn(peer, pool, one, told) for one, told in sample]
        finally:
            peer.close()
        report.figure(f"{name}_protocols", len(turns))
        mine, every, left = (
            [statistics.mean(side) for side in zip(*times, strict=True)] for times in zip(*turns, strict=True)
        )
        report.peer(f"{name}_ms", 1000 * every[0])
        report.peer(f"{name}_left_ms", 1000 * left[0])
        report.figure(f"x_{name}", every[0] / mine[0])
        report.figure(f"x_{name}_left", left[0] / mine[0])
        if peer.is_here:
            report.peer(f"{name}_processor_ms", 1000 * every[1])
            report.figure(f"x_{name}_processor", every[1] / mine[1])


def taken(action: Callable[[], object]) -> Times:
    """Give the seconds that an action takes, by the clock and of this process on all processors."""
    before = time.process_time()
    return frame.seconds(action), time.process_time() - before


def turn(peer: Peer[Any], pool: Pool, lowered: LoweredProtocol, ours: PoolResult) -> tuple[Times, Times, Times]:
    """Give the seconds that the planes, and another engine in two ways, take for a protocol.

    :raises AssertionError: when the two differ on anybody
    """
    prepared = peer.prepare(lowered)
    found: list[Found] = []
    sums: list[list[int]] = []
    pool.cache.clear()
    mine = taken(lambda: judged(pool, lowered))
    every = taken(lambda: sums.append(peer.judge(prepared)))
    left = taken(lambda: found.append(peer.not_ineligible(prepared)))
    expected = positions(ours.not_ineligible)
    if not np.array_equal(found[0].slots, np.setdiff1d(expected, found[0].doubtful)):
        raise AssertionError(f"{type(peer).__name__} and the planes differ")
    if not len(found[0].doubtful) and sums[0] != sums_of(pool, lowered):
        raise AssertionError(f"{type(peer).__name__} and the planes differ on a criterion")
    for slot in found[0].doubtful.tolist():
        facts = pool.snapshot.ledger.facts(slot)
        told = assess_lowered(lowered, facts, on=TODAY, vocabulary=VOCABULARY, terms=TERMS).disposition
        if told is not ours.disposition(slot):
            raise AssertionError(f"the planes say {ours.disposition(slot)} of {slot}, not {told}")
    return mine, every, left


def sums_of(pool: Pool, lowered: LoweredProtocol) -> list[int]:
    """Add up each criterion for everybody, 1 for "passes" and -1 for "rules out"."""
    planes = [
        pool.criterion(lowered, one.criterion.id, on=TODAY, vocabulary=VOCABULARY).passes
        for one in lowered.criteria
    ]
    return [count(must) + count(may) - pool.snapshot.people for must, may in planes]


if __name__ == "__main__":
    main()
