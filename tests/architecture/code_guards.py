"""What code may do, and where."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.architecture.source import (
    PRODUCT,
    Module,
    full_name,
    known_as,
    mentions,
    module,
    modules,
    scope_of,
    scopes,
)

DATABASE = "recruit/db.py"
CLOCK = "recruit/clock.py"
IDS = "recruit/ids.py"
JOBS = "recruit/jobs.py"
MIGRATIONS = "recruit/migrations/versions/"

MODULE_LINES = 600
FUNCTION_LINES = 80
LEFTOVERS = frozenset({"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"})

CLOCK_READS = frozenset(
    f"datetime.{name}" for name in ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")
) | frozenset(f"time.{name}" for name in ("time", "time_ns", "localtime", "gmtime", "ctime"))
DATABASE_CLOCK_READS = frozenset({"now", "current_timestamp", "current_date", "current_time"})
OWN_GENERATORS = frozenset({"Random", "SystemRandom", "default_rng", "Generator", "SeedSequence", "PCG64"})


def packages_hold_only_a_docstring(root: Path) -> list[str]:
    """A package's ``__init__`` that holds more is where import cycles begin."""
    return [
        source.at(source.body, "a package's __init__ holds a docstring and nothing else")
        for source in modules(root, *PRODUCT, "tests", "benchmarks")
        if source.path.endswith("/__init__.py")
        if len(source.body.body) != 1 or ast.get_docstring(source.body) is None
    ]


def modules_say_what_they_are(root: Path) -> list[str]:
    """Every module begins with a docstring; a test's name is its sentence, so tests need none."""
    top = [module(root, file) for file in sorted(root.glob("*.py"))]
    return [
        source.at(source.body, "say in a docstring what this module is")
        for source in [*top, *modules(root, *PRODUCT, "benchmarks")]
        if ast.get_docstring(source.body) is None
    ]


def modules_are_named_after_things(root: Path) -> list[str]:
    """A module called after a leftover collects leftovers."""
    return [
        source.at(source.body, f"name this after what it holds, not {part}")
        for source in modules(root, *PRODUCT, "tests", "benchmarks")
        for part in Path(source.path).with_suffix("").parts
        if part in LEFTOVERS or part.rpartition("_")[2] in LEFTOVERS
    ]


def one_module_owns_transactions(root: Path) -> list[str]:
    """Only recruit/db.py commits and makes engines."""
    complaints = []
    for source in modules(root, *PRODUCT):
        if source.path == DATABASE:
            continue
        for node in ast.walk(source.body):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "commit"
            ):
                complaints.append(source.at(node, f"only {DATABASE} commits: open a transaction() instead"))
        complaints += [
            source.at(node, f"only {DATABASE} makes engines")
            for name, node in mentions(source)
            if name.rpartition(".")[2] in {"create_engine", "engine_from_config"}
        ]
    return complaints


def one_module_reads_the_clock(root: Path) -> list[str]:
    """Time is an argument; measuring how long something took is not reading the clock.

    An id of version 7 holds the moment it was made, which nobody reads back.
    """
    return [
        source.at(node, f"{name} reads the clock: take on= or at=, or ask {CLOCK}")
        for source in modules(root, *PRODUCT)
        if source.path != CLOCK
        for name, node in mentions(source)
        if name in CLOCK_READS or _is_database_clock(name)
        if (source.path, name) != (IDS, "time.time_ns")
    ]


def _is_database_clock(name: str) -> bool:
    parts = name.split(".")
    return parts[0] == "sqlalchemy" and "func" in parts and parts[-1] in DATABASE_CLOCK_READS


def chance_is_an_argument(root: Path) -> list[str]:
    """Nothing draws from a shared generator, and ids come from one place."""
    complaints = []
    for source in modules(root, *PRODUCT):
        for name, node in mentions(source):
            library, _, drawn = name.rpartition(".")
            if library in {"random", "numpy.random"} and drawn not in OWN_GENERATORS:
                complaints.append(
                    source.at(node, f"{name} draws from a shared generator: take one as an argument")
                )
            if library == "uuid" and drawn in {"uuid1", "uuid4", "uuid7"} and source.path != IDS:
                complaints.append(source.at(node, f"{name}: ids are made by {IDS}"))
    return complaints


def failures_are_named(root: Path) -> list[str]:
    """Catching everything hides what broke; only a job loop may, which logs and goes on."""
    return [
        source.at(node, f"name the errors you expect; only {JOBS} catches everything")
        for source in modules(root, *PRODUCT)
        if source.path != JOBS
        for node in _catching_everything(source)
    ]


def _catching_everything(source: Module) -> Iterator[ast.AST]:
    names = known_as(source)
    for node in ast.walk(source.body):
        caught: list[ast.expr | None] = []
        if isinstance(node, ast.ExceptHandler):
            caught = list(node.type.elts) if isinstance(node.type, ast.Tuple) else [node.type]
        elif isinstance(node, ast.Call) and full_name(node.func, names) == "contextlib.suppress":
            caught = list(node.args)
        if any(kind is None or ast.unparse(kind) in {"Exception", "BaseException"} for kind in caught):
            yield node


def nothing_is_printed(root: Path) -> list[str]:
    """Logs go to structlog and a terminal's lines through click, which tests can read."""
    return [
        source.at(node, "log it, or click.echo it in a command")
        for source in modules(root, *PRODUCT)
        for node in ast.walk(source.body)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"print", "pprint"}
    ]


def sizes_stay_readable(root: Path) -> list[str]:
    """Far over the usual size, a module or function holds more than one thing; a tool writes migrations."""
    complaints = []
    for source in modules(root, *PRODUCT):
        if source.path.startswith(MIGRATIONS):
            continue
        if source.lines > MODULE_LINES:
            complaints.append(
                source.at(source.body, f"{source.lines} lines; split what is over {MODULE_LINES}")
            )
        for name, node in scopes(source):
            if isinstance(node, ast.ClassDef):
                continue
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                complaints.append(
                    source.at(node, f"{name} has {length} lines; split what is over {FUNCTION_LINES}")
                )
    return complaints


def sql_in_text_is_listed(root: Path, allowed: Mapping[str, str]) -> list[str]:
    """SQL written as text is named in a table with its reason, and the table names nothing else."""
    sources = (source for source in modules(root, *PRODUCT) if not source.path.startswith(MIGRATIONS))
    found = {place: node for source in sources for place, node in _sql_texts(source)}
    unlisted = [
        f"{place.partition('::')[0]}:{node.lineno}: SQL as text: use expressions, or list {place!r} and why"
        for place, node in found.items()
        if place not in allowed
    ]
    gone = [f"{place}: listed, but there is no SQL as text any more" for place in allowed if place not in found]
    return unlisted + gone


def _sql_texts(source: Module) -> Iterator[tuple[str, ast.expr]]:
    """Name the places, as path::Class.function, that hand text to the database."""
    names = known_as(source)
    for node in ast.walk(source.body):
        if not isinstance(node, ast.Call):
            continue
        callee = full_name(node.func, names)
        as_text = callee.startswith("sqlalchemy.") and callee.endswith(".text")
        as_driver = isinstance(node.func, ast.Attribute) and node.func.attr in {
            "exec_driver_sql",
            "executescript",
        }
        if as_text or as_driver:
            yield f"{source.path}::{scope_of(source, node)}", node
