"""How long it takes to get going: the first set-up, the second start, ``create_app()``."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import frame

NOT_COPIED = (".git", ".venv", "var", "__pycache__", ".mypy_cache", ".ruff_cache", "build", "dist", ".env")
PATIENCE = 600.0  # seconds; a slow line may need minutes for the libraries

TIMED_IMPORT = """
import time
started = time.perf_counter()
{import_and_create}
print(time.perf_counter() - started)
"""
OURS = TIMED_IMPORT.format(import_and_create="import wsgi")  # as a server does
BARE_FLASK = TIMED_IMPORT.format(import_and_create="from flask import Flask; Flask('bare')")


def main() -> None:
    """Measure and report."""
    options = frame.options("How long the first set-up, the second start and create_app() take.")
    report = frame.Report("start")
    repeats = 3 if options.quick else 9
    with tempfile.TemporaryDirectory() as folder:
        settings = demo_settings(Path(folder))
        compiled = byte_code(Path(folder))
        ours = frame.median_printed_seconds(OURS, repeats=repeats, environment={**settings, **compiled})
        report.figure("create_app_ms", 1000 * ours)
        bare = frame.median_printed_seconds(BARE_FLASK, repeats=repeats, environment=compiled)
        report.peer("bare_flask_ms", 1000 * bare)
        if options.quick:
            measure_second_start(report, frame.ROOT, settings, "--no-demo")
        else:
            measure_fresh_copy(report, Path(folder) / "copy")
    report.at_most("second_start_s", 3)
    report.at_most("create_app_ms", 1000)
    report.finish(options, libraries=("flask", "sqlalchemy"))


def demo_settings(folder: Path) -> dict[str, str]:
    """Point the application at an empty database of its own."""
    return {
        "RECRUIT_ENVIRONMENT": "demo",
        "RECRUIT_DATABASE_URL": f"sqlite:///{folder.as_posix()}/start.sqlite3",
        "RECRUIT_SECRET_KEY": "only-for-measuring-and-long-enough-to-be-accepted",
    }


def byte_code(folder: Path) -> dict[str, str]:
    """Let the run that is thrown away write the byte code that an installation has.

    Where this terminal tells Python to write none, every start compiles anew what has changed, and that would
    be measured.
    """
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{folder.as_posix()}/bytecode"}


def measure_fresh_copy(report: frame.Report, copy: Path) -> None:
    """Set up a copy that knows nothing, as a person does who has just cloned the project.

    The installers' caches are left as they are; the settings of this terminal are not taken along.
    """
    shutil.copytree(frame.ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
    report.figure("uses_uv", shutil.which("uv") is not None)
    report.figure("first_setup_s", seconds_until_answer(copy, {}))
    measure_second_start(report, copy, {})


def measure_second_start(report: frame.Report, root: Path, settings: dict[str, str], *arguments: str) -> None:
    """Start where everything is set up already; the median of three.

    With settings of one's own the first start is made here and not counted.
    """
    if settings:
        seconds_until_answer(root, settings, *arguments)
    starts = sorted(seconds_until_answer(root, settings, *arguments) for _ in range(3))
    report.figure("second_start_s", starts[1])


def seconds_until_answer(root: Path, settings: dict[str, str], *arguments: str) -> float:
    """Run ``run.py`` until its first page is there, then stop it.

    :raises TimeoutError: when no page came
    """
    port = free_port()
    started = time.perf_counter()
    with running([sys.executable, "run.py", "--port", str(port), *arguments], root, settings) as process:
        while not answers(port):
            if process.poll() is not None:
                raise ChildProcessError(f"run.py ended with status {process.returncode}")
            if time.perf_counter() - started > PATIENCE:
                raise TimeoutError(f"no answer on port {port} after {PATIENCE:.0f} seconds")
            time.sleep(0.02)
        return time.perf_counter() - started


@contextmanager
def running(command: list[str], root: Path, settings: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a program running for the length of a block; what it says goes to our standard error."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECRUIT_")}
    process = subprocess.Popen(command, cwd=root, env={**environment, **settings}, stdout=sys.stderr)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(port: int) -> bool:
    """Ask for the first page."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def free_port() -> int:
    """Ask the system for a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
