"""Set up, start and test Trial Recruit: ``python3 run.py`` and ``python3 run.py test``.

Only the standard library, and no syntax newer than Python 3.6: an old
interpreter must get as far as the sentence that says what to do.
"""

import argparse
import errno
import hashlib
import importlib.util
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / "python"
STAMP = VENV / "trial-recruit.stamp"
DEMO = ROOT / "var" / "demo"
KEYS = DEMO / "keys"
DATABASE = DEMO / "recruit.sqlite3"
BASE_PYTHON = getattr(sys, "_base_executable", None) or sys.executable

USAGE = """\
python3 run.py [--port N] [--fresh] [--no-demo]   set up and serve on 127.0.0.1
python3 run.py test                               every check: style, types, imports, tests
python3 run.py test [pytest arguments]            only pytest, with these arguments
"""

AGAIN = "then run the same command again."
NO_VENV = (
    "This Python cannot make virtual environments: install the missing part "
    f"(Debian and Ubuntu: sudo apt install python3.{sys.version_info[1]}-venv) or install uv, {AGAIN}"
)
DISK_FULL = f"The disk is full: free about 1 GB, {AGAIN}"
NOT_WRITABLE = (
    f"The folder {ROOT} cannot be written to: make it yours or copy it to a folder of your own, {AGAIN}"
)
NO_NETWORK = (
    "The libraries could not be downloaded: connect this machine to the internet, or set the proxy or "
    f"package mirror that it has to use, {AGAIN}"
)
BAD_CERTIFICATE = (
    "The package server's certificate was not accepted: point SSL_CERT_FILE and PIP_CERT at your network's "
    f"certificate file, {AGAIN}"
)
INSTALL_FAILED = f"The libraries could not be installed: put right what the lines above name, {AGAIN}"

# What an installer prints, in the order of trust: the first that matches explains the failure.
CAUSES = (
    (DISK_FULL, r"no space left|errno 28\b|disk quota|os error 28\b"),
    (NOT_WRITABLE, r"read-only file system|permission denied|errno 13\b|errno 30\b"),
    (BAD_CERTIFICATE, r"certificate_verify_failed|certificate verify failed|invalid peer certificate"),
    (
        NO_NETWORK,
        r"name resolution|name or service not known|nodename nor servname|getaddrinfo|dns error"
        r"|new connection|network is unreachable|connection refused|connect error|tcp connect"
        r"|error sending request|cannot connect to proxy|tunnel (?:error|connection failed)|timed? ?out",
    ),
)


class StartError(Exception):
    """Something the person at the keyboard can put right; the message says how."""


# --- the interpreter ------------------------------------------------------------------------------


def newer_python() -> str:
    """Name a new enough interpreter on the PATH, or nothing.

    Each is asked, not believed: version managers leave names on the PATH that do not run.
    """
    for minor in (13, 12, 11, 14, 15):
        name = f"python3.{minor}"
        check = f"import sys; sys.exit(sys.version_info < {OLDEST})"
        if shutil.which(name) and run_quietly([name, "-c", check])[0] == 0:
            return name
    return ""


def too_old(running: str, newer: str) -> str:
    """Say which Python this is, which is needed, and what to type."""
    wanted = ".".join(str(part) for part in OLDEST)
    advice = f"run {newer} run.py" if newer else f"install Python {wanted} or newer and run run.py with it"
    return f"Trial Recruit needs Python {wanted} or newer and this is Python {running}: {advice}."


def run_quietly(command: list) -> tuple:  # type: ignore[type-arg]  # evaluated by Python 3.6 too
    """Run a command and return its exit status and all that it printed.

    Without a network pip tries for a minute, where two more tries are enough; and uv leaves compiling to
    the first start, or to every start where Python is told to write no byte code.
    """
    environment = {"PIP_RETRIES": "2", "UV_COMPILE_BYTECODE": "1", **os.environ}
    try:
        done = subprocess.run(
            command, cwd=str(ROOT), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except FileNotFoundError as error:
        return 127, str(error)
    return done.returncode, done.stdout.decode("utf-8", "replace")


if sys.version_info < OLDEST:
    sys.exit(too_old(".".join(str(part) for part in sys.version_info[:3]), newer_python()))


# --- the environment ------------------------------------------------------------------------------


def identity() -> str:
    """Name what an environment is bound to: an interpreter's version and a folder."""
    return f"{sys.version_info[0]}.{sys.version_info[1]} {ROOT}"


def digest(extra: str) -> str:
    """Fingerprint what an environment with this extra is made from."""
    parts = (ROOT / "pyproject.toml", ROOT / "constraints.txt")
    text = b"\0".join([*(part.read_bytes() for part in parts), identity().encode(), extra.encode()])
    return hashlib.sha256(text).hexdigest()


def stamp() -> list[str]:
    """Read what the environment was made for: its identity, then a digest for each finished install."""
    return STAMP.read_text(encoding="utf-8").splitlines() if STAMP.exists() else []


def write_stamp(*extras: str) -> None:
    """Record the identity and the extras whose installation has succeeded."""
    STAMP.write_text("\n".join([identity(), *(digest(extra) for extra in extras)]) + "\n", encoding="utf-8")


def runnable(program: Path) -> bool:
    """Say whether this account may run a program; one that leads into another's home it may not."""
    return os.access(str(program), os.X_OK)


def prepare_environment(extra: str = "") -> None:
    """Make ``.venv`` and install the locked libraries, unless that is done already.

    The stamp is taken away before and written only after success, so an
    interrupted installation repeats. Starts no process where all is well.

    :raises StartError: with what to do about it
    """
    if digest(extra) in stamp() and runnable(PYTHON):
        return
    discard_foreign_environment()
    say("Installing the libraries (about a minute the first time) ...")
    started = time.monotonic()
    install(extra)
    write_stamp("", *([extra] if extra else []))
    say(f"Installed in {time.monotonic() - started:.0f} s.")


def discard_foreign_environment() -> None:
    """Remove an environment of another Python version, or one moved here from another folder."""
    if not VENV.exists():
        return
    recorded = stamp()
    settings = VENV / "pyvenv.cfg"
    version = re.search(
        r"^version(?:_info)?\s*=\s*(\d+\.\d+)\b",
        settings.read_text(encoding="utf-8") if settings.exists() else "",
        re.MULTILINE,
    )
    same_python = version is not None and version.group(1) == identity().split(" ")[0]
    if not same_python or not runnable(PYTHON) or (recorded and recorded[0] != identity()):
        shutil.rmtree(str(VENV))
    elif recorded:
        write_stamp()


def install(extra: str) -> None:
    """Install with uv where there is one, else with pip; pip also where uv finds no way out.

    The second try is for machines whose package mirror only pip was told about.

    :raises StartError: when both failed
    """
    uv = shutil.which("uv")
    can_pip = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
    if not uv and not can_pip:
        raise StartError(NO_VENV)
    target = f".[{extra}]" if extra else "."
    locked = ["-c", "constraints.txt", "-e", target]
    cause = ""
    if uv:
        steps = [] if runnable(PYTHON) else [[uv, "venv", "--python", BASE_PYTHON, str(VENV)]]
        cause = first_failure([*steps, [uv, "pip", "install", "--python", str(PYTHON), *locked]])
        if not cause:
            return
        if can_pip and cause not in (DISK_FULL, NOT_WRITABLE):
            say("uv could not do it; trying pip ...")
    if can_pip and cause not in (DISK_FULL, NOT_WRITABLE):
        pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
        cause = first_failure([[BASE_PYTHON, "-m", "venv", str(VENV)], [*pip, *locked]])
    if cause:
        raise StartError(cause)


def first_failure(steps: list[list[str]]) -> str:
    """Run commands in turn; return what to do about the first that fails, or nothing.

    The installer's own last words are shown where we have no better ones.
    """
    for step in steps:
        status, output = run_quietly(step)
        if status:
            cause = explain(output)
            if cause == INSTALL_FAILED:
                say("\n".join(f"    {line}" for line in output.strip().splitlines()[-8:]))
            return cause
    return ""


def explain(output: str) -> str:
    """Turn an installer's output into the one sentence that helps."""
    for sentence, pattern in CAUSES:
        if re.search(pattern, output, re.IGNORECASE):
            return sentence
    return INSTALL_FAILED


# --- serving --------------------------------------------------------------------------------------


def options(arguments: list[str]) -> argparse.Namespace:
    """Read the arguments of the serving command."""
    parser = argparse.ArgumentParser(prog="run.py", usage=USAGE, add_help=True)
    parser.add_argument("--port", type=port_number, default=8000, help="port on 127.0.0.1 (default 8000)")
    parser.add_argument("--fresh", action="store_true", help="throw the demo away and build it again")
    parser.add_argument("--no-demo", action="store_true", help="start with an empty database")
    return parser.parse_args(arguments)


def port_number(text: str) -> int:
    """Read a port that a person may listen on."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


def refuse_taken_port(port: int) -> None:
    """Find out before the long work whether we shall be able to listen.

    :raises StartError: naming the next free port
    """
    problem = listening_problem(port)
    if not problem:
        return
    free = next((other for other in range(max(port, 7999) + 1, 65536) if not listening_problem(other)), 0)
    raise StartError(
        f"Port {port} {problem}: stop what uses it, or choose another with python3 run.py --port {free}."
        if problem == "is taken"
        else f"Port {port} {problem}: choose another with python3 run.py --port {free}."
    )


def listening_problem(port: int) -> str:
    """Say why nobody could listen on a port of this machine, or nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            return "needs an administrator's rights"
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return "is taken"
    return ""


def demo_settings(port: int, chosen: set[str], *, fresh: bool) -> dict[str, str]:
    """Give the demo its settings, leaving alone what the person has chosen.

    :raises StartError: when the keys are gone that the demo's database was sealed with
    """
    settings = {
        "RECRUIT_ENVIRONMENT": "demo",
        "RECRUIT_DATABASE_URL": f"sqlite:///{DATABASE.as_posix()}",
        "RECRUIT_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    if "RECRUIT_SECRET_KEY" not in chosen:
        own_database = "RECRUIT_DATABASE_URL" in chosen
        if DATABASE.exists() and not KEYS.exists() and not fresh and not own_database:
            raise StartError(f"The keys of the demo are missing from {KEYS}: run python3 run.py --fresh.")
        settings["RECRUIT_SECRET_KEY"] = secret_key()
    return {name: value for name, value in settings.items() if name not in chosen}


def chosen_settings() -> set[str]:
    """Name the settings that the environment or ``.env`` gives a value."""
    file = ROOT / ".env"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    in_file = re.findall(r"^[ \t]*(?:export[ \t]+)?(RECRUIT_\w+)[ \t]*=[ \t]*[^\s#]", text, re.MULTILINE)
    return {*in_file, *(name for name, value in os.environ.items() if name.startswith("RECRUIT_") and value)}


def secret_key() -> str:
    """Read this installation's random key, making it the first time.

    The file is readable by its owner only from the moment it exists, and
    appears whole or not at all.
    """
    if not KEYS.exists():
        DEMO.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = KEYS.with_name(f"keys.{os.getpid()}")
        with os.fdopen(os.open(str(draft), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"RECRUIT_SECRET_KEY={secrets.token_urlsafe(48)}\n")
        draft.replace(KEYS)
    found = re.search(r"^RECRUIT_SECRET_KEY=(\S+)$", KEYS.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise StartError(f"The file {KEYS} holds no key: delete it and run python3 run.py --fresh.")
    return found.group(1)


def serve(arguments: list[str]) -> int:
    """Prepare everything and become the server."""
    choice = options(arguments)
    refuse_taken_port(choice.port)
    settings = demo_settings(choice.port, chosen_settings(), fresh=choice.fresh)
    prepare_environment()
    command = [str(PYTHON), "-m", "campaigns.serve", "--port", str(choice.port)]
    command += ["--fresh"] if choice.fresh else []
    command += ["--no-demo"] if choice.no_demo else []
    return become(command, {**os.environ, **settings})


def become(command: list[str], environment: dict[str, str]) -> int:
    """Replace this process by another, so that signals and the exit status are the server's own."""
    os.chdir(str(ROOT))
    sys.stdout.flush()
    if os.name != "nt":
        os.execve(command[0], command, environment)
    return subprocess.call(command, env=environment)


# --- testing --------------------------------------------------------------------------------------

GATE = (
    ("style", ["-m", "ruff", "check", "."]),
    ("format", ["-m", "ruff", "format", "--check", "."]),
    ("types", ["-m", "mypy"]),
    ("imports", ["-c", "from importlinter.cli import lint_imports_command as check; check()"]),
    ("tests", ["-m", "pytest", "-q", "-n", "auto", "--dist", "loadfile", "--cov", "--cov-report=term"]),
)


def test(arguments: list[str]) -> int:
    """Pass every check, or only pytest where it is given arguments of its own.

    Checks go on after one that failed: a person wants to know all there is to put right.
    """
    prepare_environment("dev")
    os.chdir(str(ROOT))
    if arguments:
        return become([str(PYTHON), "-m", "pytest", *arguments], dict(os.environ))
    results = [(name, *timed(name, command)) for name, command in GATE]
    say("")
    for name, status, seconds in results:
        say(f"{name:<8} {'failed' if status else 'passed'} {seconds:7.1f} s")
    return 1 if any(status for _, status, _ in results) else 0


def timed(name: str, command: list[str]) -> tuple[int, float]:
    """Run one check under its heading; return its status and how long it took."""
    say(f"\n== {name}")
    started = time.monotonic()
    status = subprocess.call([str(PYTHON), *command])
    return status, time.monotonic() - started


# --- the command line -----------------------------------------------------------------------------


def say(line: str) -> None:
    """Print at once, also into a pipe."""
    print(line, flush=True)


def main(arguments: list[str]) -> int:
    """Run one command; every failure we know becomes one sentence and status 1."""
    try:
        return test(arguments[1:]) if arguments[:1] == ["test"] else serve(arguments)
    except StartError as error:
        sentence = str(error)
    except OSError as error:
        known = {errno.ENOSPC: DISK_FULL, errno.EDQUOT: DISK_FULL}
        known.update(dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), NOT_WRITABLE))
        if error.errno not in known:
            raise
        sentence = known[error.errno]
    except KeyboardInterrupt:
        sentence = "Stopped: run the same command again to go on."
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
