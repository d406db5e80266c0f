"""``run.py`` on a small tree of its own, with an installer that installs nothing."""

import ast
import errno
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import run

FAKE_UV = """\
#!{python}
import os, pathlib, sys
arguments = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(" ".join(arguments) + "\\n")
if arguments[0] == "venv":
    home = pathlib.Path(arguments[-1])
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python").symlink_to({python!r})
    (home / "pyvenv.cfg").write_text("home = {home}\\nversion_info = {version}\\n")
elif os.environ.get("FAIL_WITH"):
    print(os.environ["FAIL_WITH"])
    sys.exit(1)
"""

FAKE_SERVER = """\
import json, os, sys
settings = {name: value for name, value in os.environ.items() if name.startswith("RECRUIT_")}
print(json.dumps({"arguments": sys.argv[1:], "settings": settings, "folder": os.getcwd()}))
"""

FAKE_TOOL = """\
import os, sys
print({name!r}, *sys.argv[1:])
sys.exit({name!r} == os.environ.get("BROKEN"))
"""


@dataclass(frozen=True, slots=True)
class Tree:
    """A copy of ``run.py`` with little around it."""

    root: Path
    bin: Path

    def start(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run it as a person would, with nothing but the fake installer on the PATH."""
        return subprocess.run(
            [sys.executable, "run.py", *arguments],
            cwd=self.root,
            env={"PATH": str(self.bin), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def serve(self, *arguments: str, **environment: str) -> dict[str, dict[str, str]]:
        """Start the server and read what it was given."""
        done = self.start("--port", str(free_port()), *arguments, **environment)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def installed(self) -> list[str]:
        """List what the installer was asked to install so far."""
        log = self.root.parent / "uv.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line.split()[-1] for line in lines if line.startswith("pip install")]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return make_tree(tmp_path / "project", tmp_path / "bin")


def make_tree(root: Path, programs: Path) -> Tree:
    """Lay out a project whose tools only say that they were called."""
    (root / "campaigns").mkdir(parents=True)
    (root / "importlinter").mkdir()
    shutil.copy(run.ROOT / "run.py", root)
    (root / "pyproject.toml").write_text("[project]\n")
    (root / "constraints.txt").write_text("flask==3.1.3\n")
    (root / "campaigns" / "serve.py").write_text(FAKE_SERVER)
    for name in ("ruff", "mypy", "pytest"):
        (root / f"{name}.py").write_text(FAKE_TOOL.format(name=name))
    lint = FAKE_TOOL.format(name="lint-imports").replace("\n", "\n    ").rstrip()
    (root / "importlinter" / "cli.py").write_text(f"def lint_imports_command():\n    {lint}\n")
    programs.mkdir()
    base = Path(run.BASE_PYTHON)
    version = ".".join(str(part) for part in sys.version_info[:3])
    uv = programs / "uv"
    log = str(root.parent / "uv.log")
    uv.write_text(FAKE_UV.format(python=str(base), log=log, home=base.parent, version=version))
    uv.chmod(0o755)
    return Tree(root, programs)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield int(holder.getsockname()[1])


class TestInstalling:
    def test_the_first_start_installs_and_the_second_does_not(self, tree: Tree) -> None:
        tree.serve()
        tree.serve()

        assert tree.installed() == ["."]

    def test_an_installation_that_failed_is_repeated(self, tree: Tree) -> None:
        failed = tree.start("test", "-q", FAIL_WITH="No space left on device (os error 28)")
        repeated = tree.start("test", "-q")

        assert (failed.returncode, repeated.returncode) == (1, 0)
        assert failed.stderr.strip() == run.DISK_FULL
        assert tree.installed() == [".[dev]", ".[dev]"]

    def test_an_installation_that_failed_later_takes_the_old_one_s_stamp_away(self, tree: Tree) -> None:
        tree.serve()
        (tree.root / "constraints.txt").write_text("flask==3.1.4\n")
        tree.start("--port", str(free_port()), FAIL_WITH="disk quota exceeded")
        (tree.root / "constraints.txt").write_text("flask==3.1.3\n")

        tree.serve()

        assert tree.installed() == [".", ".", "."]

    def test_new_locked_versions_are_installed(self, tree: Tree) -> None:
        tree.serve()
        (tree.root / "constraints.txt").write_text("flask==3.1.4\n")

        tree.serve()

        assert tree.installed() == [".", "."]

    def test_what_the_tests_need_serves_as_well(self, tree: Tree) -> None:
        tree.start("test", "-q")

        tree.serve()

        assert tree.installed() == [".[dev]"]

    def test_a_moved_project_gets_a_new_environment(self, tree: Tree) -> None:
        tree.serve()
        (tree.root / ".venv" / "left-over").touch()
        moved = Tree(tree.root.rename(tree.root.with_name("moved")), tree.bin)

        moved.serve()

        assert not (moved.root / ".venv" / "left-over").exists()
        assert tree.installed() == [".", "."]

    def test_an_environment_of_another_python_is_replaced(self, tree: Tree) -> None:
        tree.serve()
        (tree.root / ".venv" / "pyvenv.cfg").write_text("version = 3.10.2\n")
        (tree.root / ".venv" / "trial-recruit.stamp").unlink()
        (tree.root / ".venv" / "left-over").touch()

        tree.serve()

        assert not (tree.root / ".venv" / "left-over").exists()

    def test_an_environment_whose_python_is_gone_is_replaced(self, tree: Tree) -> None:
        tree.serve()
        (tree.root / ".venv" / "bin" / "python").unlink()
        (tree.root / ".venv" / "bin" / "python").symlink_to(tree.root / "gone")

        given = tree.serve()

        assert given["settings"]["RECRUIT_ENVIRONMENT"] == "demo"
        assert tree.installed() == [".", "."]

    def test_an_environment_made_by_hand_is_kept(self, tree: Tree) -> None:
        tree.serve()
        (tree.root / ".venv" / "trial-recruit.stamp").unlink()
        (tree.root / ".venv" / "left-over").touch()

        tree.serve()

        assert (tree.root / ".venv" / "left-over").exists()


class TestChoosingAnInstaller:
    """With the outside world replaced, since neither a network nor its absence can be asked for."""

    @pytest.fixture
    def commands(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
        seen: list[str] = []

        def answer(command: list[str]) -> tuple[int, str]:
            seen.append(" ".join(command))
            return (1, "error: dns error") if "/uv" in command[0] else (0, "")

        monkeypatch.setattr(run, "PYTHON", tmp_path / "python")
        monkeypatch.setattr(run, "run_quietly", answer)
        return seen

    def test_pip_is_tried_where_uv_does_not_get_through(
        self, commands: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")

        run.install("")

        assert [command.split()[0] for command in commands] == [
            "/bin/uv",
            run.BASE_PYTHON,
            str(run.PYTHON),
        ]

    def test_pip_installs_the_locked_versions_where_there_is_no_uv(
        self, commands: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutil, "which", lambda name: None)

        run.install("dev")

        assert commands[0].endswith(f"-m venv {run.VENV}")
        assert commands[1].endswith("--quiet -c constraints.txt -e .[dev]")

    def test_a_python_without_venv_is_told_what_to_install(self, tree: Tree) -> None:
        (tree.bin / "uv").unlink()
        code = (
            "import runpy, sys; sys.modules['ensurepip'] = None; sys.argv = ['run.py', 'test'];"
            "runpy.run_path('run.py', run_name='__main__')"
        )

        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tree.root,
            env={"PATH": str(tree.bin)},
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 1
        assert done.stderr.strip() == run.NO_VENV


class TestExplaining:
    @pytest.mark.parametrize(
        ("output", "sentence"),
        [
            ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left", run.DISK_FULL),
            ("failed to write: Disk quota exceeded (os error 122)", run.DISK_FULL),
            ("error: failed to create directory `x`: Read-only file system (os error 30)", run.NOT_WRITABLE),
            ("[Errno 13] Permission denied: '.venv'", run.NOT_WRITABLE),
            (
                "connection broken by 'SSLError(SSLCertVerificationError: CERTIFICATE_VERIFY_FAILED",
                run.BAD_CERTIFICATE,
            ),
            ("invalid peer certificate: UnknownIssuer", run.BAD_CERTIFICATE),
            (
                "Failed to establish a new connection: [Errno -3] Temporary failure in name resolution",
                run.NO_NETWORK,
            ),
            ("error sending request for url\n  Caused by: dns error", run.NO_NETWORK),
            ("ProxyError('Cannot connect to proxy.', ...)", run.NO_NETWORK),
            ("ReadTimeoutError: Read timed out.", run.NO_NETWORK),
            ("ERROR: No matching distribution found for flask==9", run.INSTALL_FAILED),
        ],
    )
    def test_what_an_installer_prints_becomes_advice(self, output: str, sentence: str) -> None:
        assert run.explain(output) == sentence

    @pytest.mark.parametrize(
        ("number", "sentence"),
        [
            (errno.EROFS, run.NOT_WRITABLE),
            (errno.EACCES, run.NOT_WRITABLE),
            (errno.ENOSPC, run.DISK_FULL),
        ],
    )
    def test_a_folder_that_takes_no_files_is_explained(
        self,
        number: int,
        sentence: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def refuse(extra: str) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(run, "prepare_environment", refuse)

        status = run.main(["test"])

        assert status == 1
        assert capsys.readouterr().err.strip() == sentence

    def test_an_unforeseen_failure_keeps_its_traceback(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(extra: str) -> None:
            raise OSError(errno.EIO, "the disk is broken")

        monkeypatch.setattr(run, "prepare_environment", fail)

        with pytest.raises(OSError, match="the disk is broken"):
            run.main(["test"])

    @pytest.mark.parametrize("sentence", [cause for cause, _ in run.CAUSES] + [run.NO_VENV, run.INSTALL_FAILED])
    def test_every_piece_of_advice_is_one_sentence(self, sentence: str) -> None:
        assert sentence.endswith("then run the same command again.")
        assert ". " not in sentence


class TestOldInterpreters:
    def test_the_file_parses_on_python_3_6(self) -> None:
        ast.parse((run.ROOT / "run.py").read_text(), feature_version=(3, 6))

    def test_a_newer_interpreter_is_named_where_there_is_one(self) -> None:
        sentence = run.too_old("3.9.18", "python3.12")

        assert sentence == (
            "Trial Recruit needs Python 3.11 or newer and this is Python 3.9.18: run python3.12 run.py."
        )

    def test_otherwise_it_says_what_to_install(self) -> None:
        assert "install Python 3.11 or newer" in run.too_old("3.9.18", "")

    def test_a_name_on_the_path_that_does_not_run_is_no_interpreter(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for minor, status in ((13, 127), (12, 0)):
            program = tmp_path / f"python3.{minor}"
            program.write_text(f"#!/bin/sh\nexit {status}\n")
            program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

        assert run.newer_python() == "python3.12"


class TestServing:
    def test_the_server_gets_the_demo_s_settings(self, tree: Tree) -> None:
        port = free_port()
        done = tree.start("--port", str(port), "--fresh", "--no-demo")

        given = json.loads(done.stdout.splitlines()[-1])

        assert given["arguments"] == ["--port", str(port), "--fresh", "--no-demo"]
        assert given["folder"] == str(tree.root)
        assert given["settings"]["RECRUIT_ENVIRONMENT"] == "demo"
        assert given["settings"]["RECRUIT_PUBLIC_URL"] == f"http://127.0.0.1:{port}"
        assert given["settings"]["RECRUIT_DATABASE_URL"] == f"sqlite:///{tree.root}/var/demo/recruit.sqlite3"

    def test_its_settings_in_the_environment_or_in_a_file_win(self, tree: Tree) -> None:
        (tree.root / ".env").write_text("# mine\nexport RECRUIT_SECRET_KEY = from-the-file\n")

        given = tree.serve(RECRUIT_DATABASE_URL="postgresql://db/mine")

        assert given["settings"]["RECRUIT_DATABASE_URL"] == "postgresql://db/mine"
        assert "RECRUIT_SECRET_KEY" not in given["settings"]
        assert not (tree.root / "var").exists()

    def test_a_setting_left_empty_is_not_a_choice(self, tree: Tree) -> None:
        (tree.root / ".env").write_text("RECRUIT_DATABASE_URL=\nRECRUIT_SECRET_KEY= # at least 32\n")

        given = tree.serve(RECRUIT_PUBLIC_URL="")

        assert given["settings"].keys() >= {"RECRUIT_DATABASE_URL", "RECRUIT_SECRET_KEY"}
        assert given["settings"]["RECRUIT_PUBLIC_URL"].startswith("http://127.0.0.1:")

    def test_a_taken_port_is_found_before_the_long_work(self, tree: Tree, taken_port: int) -> None:
        done = tree.start("--port", str(taken_port))

        assert done.returncode == 1
        assert done.stderr.startswith(f"Port {taken_port} is taken: stop what uses it, or choose another")
        assert tree.installed() == []

    @pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "\uff18\uff10", ""])
    def test_what_is_no_port_is_refused(self, tree: Tree, port: str) -> None:
        done = tree.start("--port", port)

        assert done.returncode == 2
        assert "a port is a number from 1 to 65535" in done.stderr or "expected one argument" in done.stderr


class TestKeys:
    def test_they_are_random_per_installation_and_stay(self, tree: Tree, tmp_path: Path) -> None:
        (tmp_path / "b").mkdir()
        other = make_tree(tmp_path / "b" / "project", tmp_path / "b" / "bin")

        first, again, elsewhere = (
            place.serve()["settings"]["RECRUIT_SECRET_KEY"] for place in (tree, tree, other)
        )

        assert first == again != elsewhere
        assert len(first) >= 64

    def test_only_their_owner_can_read_them(self, tree: Tree) -> None:
        tree.serve()

        keys = tree.root / "var" / "demo" / "keys"

        assert stat.S_IMODE(keys.stat().st_mode) == 0o600
        assert stat.S_IMODE(keys.parent.stat().st_mode) == 0o700
        assert [entry.name for entry in keys.parent.iterdir()] == ["keys"]

    def test_a_database_without_its_keys_is_not_opened_with_new_ones(self, tree: Tree) -> None:
        tree.serve()
        (tree.root / "var" / "demo" / "recruit.sqlite3").touch()
        (tree.root / "var" / "demo" / "keys").unlink()

        refused = tree.start("--port", str(free_port()))
        rebuilt = tree.serve("--fresh")

        assert refused.returncode == 1
        assert refused.stderr.strip().endswith("run python3 run.py --fresh.")
        assert rebuilt["settings"]["RECRUIT_SECRET_KEY"]


class TestTesting:
    def test_without_arguments_every_check_runs(self, tree: Tree) -> None:
        done = tree.start("test")

        assert done.returncode == 0
        ran = [
            line for line in done.stdout.splitlines() if line.startswith(("ruff", "mypy", "lint-", "pytest"))
        ]
        assert ran == [
            "ruff check .",
            "ruff format --check .",
            "mypy",
            "lint-imports",
            "pytest -q -n auto --dist loadfile --cov --cov-report=term",
        ]

    def test_a_failed_check_fails_the_gate_and_the_others_still_run(self, tree: Tree) -> None:
        done = tree.start("test", BROKEN="mypy")

        assert done.returncode == 1
        assert "types    failed" in done.stdout
        assert "tests    passed" in done.stdout

    def test_arguments_go_to_pytest_as_they_are(self, tree: Tree) -> None:
        done = tree.start("test", "-k", "a and b", "--slow", BROKEN="pytest")

        assert done.returncode == 1
        assert done.stdout.splitlines()[-1] == "pytest -k a and b --slow"
        assert "ruff" not in done.stdout
