"""One person against all open studies: every criterion's verdict, beside the interpreter and SQL.

``--data`` is not used. ``--protocols 20000`` measures so many protocols besides: they are made one at a time
and let go again, and only some of them are judged by the interpreter too.
"""

import gc
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from random import Random
from typing import Final

from benchmarks import frame
from benchmarks.peers.connections import Database, databases
from benchmarks.peers.criteria import Criteria
from benchmarks.peers.interpreter import verdicts
from benchmarks.workloads.crowd import TODAY
from benchmarks.workloads.open_studies import TERMS, VOCABULARY, protocols
from benchmarks.workloads.visitors import person
from screening.assessment.assess import assess_lowered
from screening.atoms.table import OpenProtocols
from screening.facts import Facts
from screening.language.lowering import LoweredProtocol

SEED: Final = 20261122
COMPARED: Final = 200
"""How many of the protocols that are made one at a time are judged by the interpreter too."""


def main() -> None:
    """Measure and report."""
    options = frame.options(
        "How fast one person is judged against all open studies, with every verdict.",
        numbers={"protocols": "measure so many protocols besides, made ready one at a time"},
    )
    report = frame.Report("one")
    chance = Random(SEED)  # noqa: S311 - made-up studies and people, the same in every run
    sizes = (50, 500) if options.quick else (50, 500, 5000)
    lowered = list(protocols(chance, sizes[-1]))
    people = [person(chance) for _ in range(50 if options.quick else 200)]
    gc.collect()
    gc.freeze()
    if "protocols" in options.numbers:  # before all else, while the process has held no more than its input
        measure_in_passing(report, options.numbers["protocols"], people, quick=options.quick)
    with databases() as reached:
        for size in sizes:
            measure(report, lowered[:size], people, reached, quick=options.quick)
    report.at_most("p99_ms@5000", 2)
    report.at_least("x_interpreter@5000", 80)
    report.at_least("x_sql@5000", 100)
    report.at_most("compile_ms@5000", 1000)
    report.at_most("add_ms@5000", 5)
    report.at_most("remove_ms@5000", 5)
    report.finish(options, libraries=("numpy", "psycopg"))


def measure(
    report: frame.Report,
    lowered: Sequence[LoweredProtocol],
    people: Sequence[Facts],
    reached: Mapping[str, Database],
    *,
    quick: bool,
) -> None:
    """Measure one number of protocols; answers are compared before anything is timed."""
    size = len(lowered)
    report.figure(f"compile_ms@{size}", 1000 * frame.median_seconds(lambda: compiled(lowered), repeats=3))
    opened = compiled(lowered)
    numbered = dict(enumerate(lowered))
    compared = people[: 1 if size > 1000 else 3]
    interpreter = statistics.median(compare(opened, numbered, one) for one in compared)
    ours = measure_judging(report, opened, people, quick=quick)
    for name, change in (("add", added), ("remove", removed)):
        report.figure(f"{name}_ms@{size}", 1000 * statistics.median(change(opened, lowered)))
    report.peer(f"interpreter_ms@{size}", 1000 * interpreter)
    report.figure(f"x_interpreter@{size}", interpreter / ours)
    peers = []
    for name, database in reached.items():
        peer = Criteria(database, lowered, on=TODAY, vocabulary=VOCABULARY, terms=TERMS)
        peers.append(statistics.median(peer.compare(opened, one) for one in people[: 3 if size > 1000 else 10]))
        report.peer(f"{name}_ms@{size}", 1000 * peers[-1])
    report.figure(f"x_sql@{size}", min(peers) / ours)


def measure_in_passing(report: frame.Report, size: int, people: Sequence[Facts], *, quick: bool) -> None:
    """Measure protocols of which only a sample is kept; what the interpreter takes is worked out from that.

    `memory_mb` is by how much the process grew, with the sample.
    """
    before, seconds = frame.peak_megabytes(), 0.0
    opened, kept = OpenProtocols(vocabulary=VOCABULARY, terms=TERMS), dict[int, LoweredProtocol]()
    sampled = {size * place // COMPARED for place in range(COMPARED)}
    for number, one in enumerate(protocols(Random(SEED), size)):  # noqa: S311 - begins as the other sizes do
        seconds += frame.seconds(partial(opened.add, number, one))
        if number in sampled:
            kept[number] = one
    report.figure(f"compile_ms@{size}", 1000 * seconds)
    interpreter = statistics.median(compare(opened, kept, one) for one in people[:3]) * size / len(kept)
    ours = measure_judging(report, opened, people, quick=quick)
    report.figure(f"memory_mb@{size}", frame.peak_megabytes() - before)
    report.peer(f"interpreter_ms@{size}", 1000 * interpreter)
    report.figure(f"x_interpreter@{size}", interpreter / ours)


def measure_judging(
    report: frame.Report, opened: OpenProtocols, people: Sequence[Facts], *, quick: bool
) -> float:
    """Time one call for each person, several times over; give the median seconds."""
    size = len(opened)
    opened.judge(people[0], on=TODAY)
    seconds = [
        frame.seconds(partial(opened.judge, one, on=TODAY)) for _ in range(2 if quick else 5) for one in people
    ]
    report.figure(f"p50_ms@{size}", 1000 * statistics.median(seconds))
    report.figure(f"p99_ms@{size}", 1000 * statistics.quantiles(seconds, n=100)[-1])
    asked = statistics.mean(opened.judge(one, on=TODAY).asked for one in people)
    report.figure(f"asked_of_interpreter@{size}", asked)
    report.figure(f"atoms@{size}", opened.atoms)
    return statistics.median(seconds)


def compiled(lowered: Sequence[LoweredProtocol]) -> OpenProtocols:
    """Make all protocols ready."""
    opened = OpenProtocols(vocabulary=VOCABULARY, terms=TERMS)
    for number, one in enumerate(lowered):
        opened.add(number, one)
    return opened


def added(opened: OpenProtocols, lowered: Sequence[LoweredProtocol]) -> list[float]:
    """Time taking protocols in that were taken out before, with a call after it that finds all in order."""

    def change(number: int) -> None:
        opened.add(number, lowered[number])
        opened.judge(Facts(), on=TODAY)

    times = []
    for number in range(0, len(lowered), max(1, len(lowered) // 20)):
        opened.remove(number)
        opened.judge(Facts(), on=TODAY)
        times.append(frame.seconds(partial(change, number)))
    return times


def removed(opened: OpenProtocols, lowered: Sequence[LoweredProtocol]) -> list[float]:
    """Time taking protocols out, with a call after it; they are taken in again."""

    def change(number: int) -> None:
        opened.remove(number)
        opened.judge(Facts(), on=TODAY)

    times = []
    for number in range(0, len(lowered), max(1, len(lowered) // 20)):
        times.append(frame.seconds(partial(change, number)))
        opened.add(number, lowered[number])
    return times


def compare(opened: OpenProtocols, lowered: Mapping[int, LoweredProtocol], facts: Facts) -> float:
    """Hold verdicts against the interpreter's, and time what it takes without writing reasons.

    :raises AssertionError: when a verdict differs
    """
    standings = opened.judge(facts, on=TODAY)
    for number, one in lowered.items():
        told = assess_lowered(one, facts, on=TODAY, vocabulary=VOCABULARY, terms=TERMS)
        expected = [(verdict.applies, verdict.passes, verdict.is_open) for verdict in told.verdicts]
        found = [(verdict.applies, verdict.passes, verdict.is_open) for verdict in standings.criteria(number)]
        if found != expected or standings.disposition(number) is not told.disposition:
            raise AssertionError(f"protocol {number}: {found} is not {expected}")
    judged = partial(verdicts, facts=facts, on=TODAY, vocabulary=VOCABULARY, terms=TERMS)
    return frame.seconds(lambda: [judged(one) for one in lowered.values()])


if __name__ == "__main__":
    main()
