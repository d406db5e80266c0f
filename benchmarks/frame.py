"""What every benchmark shares: its options, its clock, its report."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import numpy

ROOT = Path(__file__).resolve().parents[1]
STREAM_BYTES = 256 * 1024 * 1024  # far more than any cache holds


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asked for on the command line."""

    data: Path | None
    quick: bool
    json: Path | None
    numbers: Mapping[str, int] = field(default_factory=dict)


def options(
    claim: str, arguments: list[str] | None = None, *, numbers: Mapping[str, str] | None = None
) -> Options:
    """Read the options that all benchmarks have; ``claim`` says what this one measures.

    ``numbers`` are whole numbers that only this one takes, each with what it is for.
    """
    parser = argparse.ArgumentParser(description=claim)
    parser.add_argument("--data", type=Path, metavar="DIR", help="the data to measure on")
    parser.add_argument("--quick", action="store_true", help="coarser, in under 20 seconds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as well")
    for name, purpose in (numbers or {}).items():
        parser.add_argument(f"--{name}", type=int, metavar="N", help=purpose)
    read = parser.parse_args(arguments)
    if read.data is not None and not read.data.is_dir():
        parser.error(f"there is no folder {read.data}")
    given = {name: getattr(read, name) for name in numbers or {} if getattr(read, name) is not None}
    for name, number in given.items():
        if number < 1:
            parser.error(f"--{name} takes a whole number from 1 on, not {number}")
    return Options(read.data, read.quick, read.json, given)


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound for one figure."""

    bound: float
    at_most: bool

    def met(self, figure: float) -> bool:
        """Say whether a figure keeps the bound."""
        return figure <= self.bound if self.at_most else figure >= self.bound


@dataclass(slots=True)
class Report:
    """The figures of one benchmark beside its peers' and its goals."""

    name: str
    figures: dict[str, float] = field(default_factory=dict)
    peers: dict[str, float] = field(default_factory=dict)
    goals: dict[str, Goal] = field(default_factory=dict)

    def figure(self, key: str, value: float) -> None:
        """Record a figure of ours."""
        self.figures[key] = float(value)

    def peer(self, key: str, value: float) -> None:
        """Record what another way to the same end takes, measured in this run."""
        self.peers[key] = float(value)

    def at_most(self, key: str, bound: float) -> None:
        """Set the goal that a figure stays at or under a bound."""
        self.goals[key] = Goal(bound, at_most=True)

    def at_least(self, key: str, bound: float) -> None:
        """Set the goal that a figure reaches a bound."""
        self.goals[key] = Goal(bound, at_most=False)

    def finish(self, options: Options, *, libraries: Iterable[str] = ()) -> None:
        """Print the report, and write it where ``--json`` says.

        A goal for a figure that was not measured, as with ``--quick``, is left out.
        """
        measured = {key: goal for key, goal in self.goals.items() if key in self.figures}
        rate = stream_gigabytes_per_second(quick=options.quick)
        versions = {**machine(), **{name: metadata.version(name) for name in libraries}}
        print(f"{self.name}{' (quick)' if options.quick else ''}")
        _print_rows("figures", {key: _shown(value, measured.get(key)) for key, value in self.figures.items()})
        _print_rows("peers", {key: _shown(value, None) for key, value in self.peers.items()})
        _print_rows("versions", versions)
        _print_rows("machine", {"stream read": f"{rate:.1f} GB/s", "processors": str(os.cpu_count())})
        if options.json is not None:
            content = {
                "name": self.name,
                "quick": options.quick,
                "figures": self.figures,
                "peers": self.peers,
                "goals": {key: _as_json(goal, self.figures[key]) for key, goal in measured.items()},
                "versions": versions,
                "stream_gb_per_s": rate,
            }
            options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _shown(value: float, goal: Goal | None) -> str:
    if goal is None:
        return f"{value:,.4g}"
    side = "at most" if goal.at_most else "at least"
    return f"{value:<12,.4g} goal: {side} {goal.bound:,.4g}, {'met' if goal.met(value) else 'short'}"


def _as_json(goal: Goal, figure: float) -> dict[str, float | bool]:
    return {"at_most" if goal.at_most else "at_least": goal.bound, "met": goal.met(figure)}


def _print_rows(heading: str, rows: Mapping[str, str]) -> None:
    if rows:
        print(f"  {heading}")
    for key, text in rows.items():
        print(f"    {key:<28} {text}")


def machine() -> dict[str, str]:
    """Name what a figure depends on besides our code and its libraries."""
    return {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}


def stream_gigabytes_per_second(*, quick: bool = False) -> float:
    """Measure how fast this machine reads memory from end to end, on one processor.

    The floor under every scan: no engine looks at a column faster than this.
    """
    size = STREAM_BYTES // (4 if quick else 1)
    column = numpy.ones(size // 8, dtype=numpy.uint64)
    return size / median_seconds(lambda: numpy.bitwise_or.reduce(column), repeats=5) / 1e9


def peak_megabytes() -> float:
    """Give the most memory that this process has held at any time; not known on Windows."""
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


def median_seconds(action: Callable[[], object], *, repeats: int, warm_up: int = 1) -> float:
    """Time an action several times and take the median; the first runs are thrown away."""
    for _ in range(warm_up):
        action()
    return statistics.median(seconds(action) for _ in range(repeats))


def seconds(action: Callable[[], object]) -> float:
    """Time an action once."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def median_printed_seconds(code: str, *, repeats: int, environment: Mapping[str, str] | None = None) -> float:
    """Run code in fresh interpreters; it prints the seconds that it measured inside, and we take the median.

    The first run is thrown away: it reads from disk and may write byte code.

    :raises subprocess.CalledProcessError: when the code fails; its own words are on the terminal
    """
    figures = []
    for _ in range(repeats + 1):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        figures.append(float(done.stdout.split()[-1]))
    return statistics.median(figures[1:])
