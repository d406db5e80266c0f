"""The pool against protocols: bit planes against the interpreter, other engines and the speed of memory.

Everybody is judged by every criterion of every protocol, and nothing is kept
from one protocol to the next. Distance is no criterion of the language and so
is not measured. Another engine takes part by being listed in ``PEERS``.
"""

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks import frame
from benchmarks.workloads.crowd import TODAY, made_up
from benchmarks.workloads.trials import drawn_protocol
from screening.assessment.assess import assess_lowered, is_open
from screening.assessment.evidence import Scene
from screening.assessment.leaves import find_leaves
from screening.facts import Facts
from screening.language.criteria import Age, Attested, Coded, Is, Number, When
from screening.language.lowering import LoweredProtocol, lower, value_of
from screening.language.questions import Resolver
from screening.planes.bits import positions
from screening.planes.columns import Snapshot, open_snapshot, save_snapshot, snapshot_of
from screening.planes.ledger import Ledger
from screening.planes.pool import Pool, PoolResult
from screening.terms import CodeSet, PrefixTerms
from screening.verdict import Kleene
from screening.vocabulary import packaged_vocabulary

SEED: Final = 2026
VOCABULARY: Final = packaged_vocabulary()
TERMS: Final = PrefixTerms()
COMPARED: Final = 400
"""How many people are judged by the interpreter too, for each protocol that is compared."""


class Peer(Protocol):
    """Another engine over the same pool, every criterion of it for everybody."""

    def load(self, pool: Ledger, *, on: date) -> str | None:
        """Take the pool in, or say why that cannot be done here; not timed."""

    def not_ineligible(self, lowered: LoweredProtocol) -> NDArray[np.int32]:
        """List the slots of those whom no criterion rules out."""


PEERS: dict[str, Callable[[], Peer]] = {}
"""Engines by the name in their figure, ``x_NAME``."""


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
        measure_peers(report, ledger, lowered, pool, ours)
    report.at_least("x_interpreter", 500)
    report.at_least("x_postgresql", 60)
    report.at_least("x_duckdb", 15)
    report.at_least("share_of_floor", 0.2)
    report.finish(options, libraries=("numpy",))


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
    days = {id(column.seen_lo) for column in snapshot.columns.values()}
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
            yield measure.lo
            if not measure.is_exact:
                yield measure.hi
            if key.validity is not None:
                yield column.seen_lo
        case Is() | Attested():
            column = snapshot.columns[leaf.key]
            yield column.by_value
            yield column.seen_lo
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
        lambda: [values_alone(one, facts) for one in protocols[:5] for facts in people.values()]
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


def values_alone(lowered: LoweredProtocol, facts: Facts) -> list[tuple[Kleene, bool]]:
    """Judge one person as the interpreter does, without the reasons."""
    scene = Scene(facts, TODAY, VOCABULARY, TERMS, lowered.protocol.anchor_days(TODAY))
    findings = find_leaves(lowered.atoms, scene)
    values = [finding.value for finding in findings]
    opens = [is_open(atom, found, VOCABULARY) for atom, found in zip(lowered.atoms, findings, strict=True)]
    judged_all = []
    for one in lowered.criteria:
        best = value_of(one.passes, values, open_atoms=opens, favour=Kleene.MET)
        worst = value_of(one.passes, values, open_atoms=opens, favour=Kleene.NOT_MET)
        judged_all.append((value_of(one.passes, values), best is not worst))
    return judged_all


def measure_peers(
    report: frame.Report,
    ledger: Ledger,
    protocols: Sequence[LoweredProtocol],
    pool: Pool,
    ours: Sequence[PoolResult],
) -> None:
    """Time the other engines that can be reached, their answers compared with ours."""
    for name, make in PEERS.items():
        peer = make()
        if (reason := peer.load(ledger, on=TODAY)) is not None:
            print(f"  {name} takes no part: {reason}")
            continue
        times, mine = [], []
        for one, result in zip(protocols, ours, strict=True):
            pool.cache.clear()
            mine.append(frame.seconds(lambda one=one: judged(pool, one)))  # type: ignore[misc]
            took, found = timed(peer, one)
            times.append(took)
            if not np.array_equal(np.sort(found), positions(result.not_ineligible)):
                raise AssertionError(f"{name} and the planes differ")
        report.peer(f"{name}_ms", 1000 * statistics.mean(times))
        report.figure(f"x_{name}", statistics.mean(times) / statistics.mean(mine))


def timed(peer: Peer, lowered: LoweredProtocol) -> tuple[float, NDArray[np.int32]]:
    """Let another engine judge a protocol; give the seconds it took and its answer."""
    found: list[NDArray[np.int32]] = []
    took = frame.seconds(lambda: found.append(peer.not_ineligible(lowered)))
    return took, found[0]


if __name__ == "__main__":
    main()
