"""Every benchmark keeps to the common frame; nothing here waits for a figure."""

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from benchmarks import frame
from benchmarks.peers.connections import SQLite
from benchmarks.peers.criteria import Criteria
from benchmarks.workloads.crowd import TODAY
from benchmarks.workloads.open_studies import TERMS, VOCABULARY, protocols
from benchmarks.workloads.visitors import person
from screening.atoms.table import OpenProtocols
from tests.architecture.source import ROOT

SCRIPTS = sorted(path.name for path in (ROOT / "benchmarks").glob("*.py") if path.stem != "frame")


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_benchmark_has_the_common_options(script: str) -> None:
    done = subprocess.run(
        [sys.executable, f"benchmarks/{script}", "--help"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )

    for option in ("--data DIR", "--quick", "--json FILE"):
        assert option in done.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_benchmark_is_in_the_table(script: str) -> None:
    table = (ROOT / "benchmarks" / "README.md").read_text()

    assert f"benchmarks/{script}" in table


class TestReport:
    def test_figures_stand_beside_their_goals(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        report = frame.Report("sums")
        report.figure("sums_ms", 12.5)
        report.peer("other_ms", 20)
        report.at_most("sums_ms", 10)
        report.at_least("x_other", 2)

        report.finish(frame.Options(None, quick=True, json=tmp_path / "sums.json"), libraries=["numpy"])

        written = json.loads((tmp_path / "sums.json").read_text())
        assert written["name"] == "sums"
        assert written["figures"] == {"sums_ms": 12.5}
        assert written["peers"] == {"other_ms": 20}
        assert written["goals"] == {"sums_ms": {"at_most": 10, "met": False}}
        assert written["versions"].keys() == {"python", "system", "numpy"}
        assert "goal: at most 10, short" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("goal", "figure", "met"),
        [
            (frame.Goal(10, at_most=True), 10, True),
            (frame.Goal(10, at_most=True), 10.1, False),
            (frame.Goal(10, at_most=False), 10, True),
            (frame.Goal(10, at_most=False), 9.9, False),
        ],
    )
    def test_a_goal_is_met_on_its_side_of_the_bound(self, goal: frame.Goal, figure: float, met: bool) -> None:
        assert goal.met(figure) is met


def test_times_are_medians_without_the_warm_up() -> None:
    calls: list[int] = []

    frame.median_seconds(lambda: calls.append(1), repeats=3, warm_up=2)

    assert len(calls) == 5


def test_seconds_printed_by_a_fresh_interpreter_are_their_median(tmp_path: Path) -> None:
    code = (
        "import os, pathlib; count = pathlib.Path(os.environ['COUNT']);"
        "count.open('a').write('x'); print('noise', [99, 5, 1, 3][len(count.read_text()) - 1])"
    )

    seconds = frame.median_printed_seconds(code, repeats=3, environment={"COUNT": str(tmp_path / "count")})

    assert seconds == 3


def test_a_folder_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        frame.options("Claim.", ["--data", "nowhere/at/all"])

    assert "there is no folder nowhere/at/all" in capsys.readouterr().err


def test_a_number_that_a_script_takes_is_a_whole_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = {"protocols": "how many"}
    monkeypatch.setattr(sys, "argv", ["one.py", "--protocols", "7"])
    assert frame.options("", numbers=numbers).numbers == {"protocols": 7}

    monkeypatch.setattr(sys, "argv", ["one.py", "--protocols", "0"])
    with pytest.raises(SystemExit):
        frame.options("", numbers=numbers)
    assert "from 1 on, not 0" in capsys.readouterr().err


def test_the_criteria_in_sql_say_what_the_vector_says() -> None:
    chance = Random(1)  # noqa: S311 - made-up studies and people, the same in every run
    lowered = list(protocols(chance, 20))
    opened = OpenProtocols(vocabulary=VOCABULARY, terms=TERMS)
    for number, one in enumerate(lowered):
        opened.add(number, one)
    peer = Criteria(SQLite(), lowered, on=TODAY, vocabulary=VOCABULARY, terms=TERMS)

    for _ in range(20):
        assert peer.compare(opened, person(chance)) > 0
