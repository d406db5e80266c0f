"""What may import what."""

import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.architecture.source import PRODUCT, Module, imports, modules

CORE_LIBRARIES = frozenset({"pydantic", "pydantic_core", "lark", "numpy", "rapidfuzz"})
CORE_LIBRARIES_IN_FUNCTIONS = frozenset({"sklearn", "skops"})
OUTSIDE_WORLD = frozenset({"os", "socket", "subprocess", "sqlite3", "urllib", "http", "ssl", "smtplib"})
UNSAFE_FORMATS = frozenset({"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"})


def imports_follow_the_flow(root: Path) -> list[str]:
    """Campaigns may import recruit, recruit may import screening; no arrow points back or out."""
    outside = {"wsgi", "run", "tests", "benchmarks"}
    return [
        source.at(
            item.node, f"{package} may not import {item.target} (wsgi -> campaigns -> recruit -> screening)"
        )
        for rank, package in enumerate(PRODUCT)
        for source in modules(root, package)
        for item in imports(source)
        if item.target.split(".")[0] in outside.union(PRODUCT[rank + 1 :])
    ]


def the_core_is_pure(root: Path) -> list[str]:
    """Screening imports the standard library's pure part and four libraries."""
    complaints = []
    for source in modules(root, "screening"):
        for item in imports(source):
            library = item.target.split(".")[0]
            allowed = CORE_LIBRARIES | {"screening"} | (sys.stdlib_module_names - OUTSIDE_WORLD)
            if item.in_function:
                allowed |= CORE_LIBRARIES_IN_FUNCTIONS
            if library not in allowed:
                complaints.append(source.at(item.node, f"the pure core may not import {library} here"))
    return complaints


def modules_form_no_cycle(root: Path) -> list[str]:
    """No module imports itself by a detour, not even inside a function; imports for types are no flow."""
    sources = {source.name: source for source in modules(root, *PRODUCT)}
    graph = {name: _imported(source, frozenset(sources)) - {name} for name, source in sources.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle = " <- ".join(error.args[1])
        return [f"{sources[error.args[1][0]].path}:1: these modules import each other in a circle: {cycle}"]
    return []


def _imported(source: Module, known: frozenset[str]) -> set[str]:
    """Name the modules that a module imports; packages hold nothing but a docstring, so they do not count."""
    found = set()
    for item in imports(source):
        if not item.for_types_only:
            holder = item.target.rpartition(".")[0]
            found.add(item.target if item.target in known else holder)
    return found & known


def no_unsafe_formats(root: Path) -> list[str]:
    """Nothing is read or written in a format that can run code when it is opened."""
    return [
        source.at(item.node, f"{item.target} can run code when a file is opened: store data or skops instead")
        for source in modules(root, *PRODUCT, "benchmarks")
        for item in imports(source)
        if item.target.split(".")[0] in UNSAFE_FORMATS
    ]
