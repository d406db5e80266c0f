"""Read a source tree for the guards: its files, its modules, what they import and what they name."""

import ast
import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("screening", "recruit", "campaigns")  # the order of flow, innermost first
Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
ALWAYS_IGNORED = (".git", ".venv", "var", "__pycache__")


@dataclass(frozen=True, slots=True)
class Module:
    """One parsed Python file."""

    path: str
    name: str
    body: ast.Module
    lines: int

    def at(self, node: ast.AST, message: str) -> str:
        """Put a place before a message, as editors understand it."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {message}"


@dataclass(frozen=True, slots=True)
class Import:
    """One name that a module imports: ``target`` may be a module or something in one."""

    target: str
    node: ast.AST
    in_function: bool
    for_types_only: bool


def files(root: Path) -> Iterator[Path]:
    """Give every file that belongs to the project: all but what ``.gitignore`` names."""
    ignored = tuple(_ignore_patterns(root))

    def walk(folder: Path) -> Iterator[Path]:
        for entry in sorted(folder.iterdir()):
            if any(fnmatch.fnmatch(entry.name, pattern) for pattern in ignored):
                continue
            if entry.is_dir():
                yield from walk(entry)
            else:
                yield entry

    yield from walk(root)


def _ignore_patterns(root: Path) -> Iterator[str]:
    yield from ALWAYS_IGNORED
    file = root / ".gitignore"
    for line in file.read_text().splitlines() if file.exists() else ():
        if line.strip() and not line.startswith("#"):
            yield line.strip().strip("/")


def texts(root: Path, *suffixes: str) -> Iterator[tuple[str, str]]:
    """Give path and text of every text file, or of those with the given suffixes."""
    for file in files(root):
        if suffixes and file.suffix not in suffixes:
            continue
        content = file.read_bytes()
        if b"\0" not in content:
            yield file.relative_to(root).as_posix(), content.decode("utf-8", "replace")


def modules(root: Path, *folders: str) -> Iterator[Module]:
    """Give every module below the folders; a folder that is not there has none."""
    for folder in folders:
        for file in sorted((root / folder).rglob("*.py")):
            yield module(root, file)


def module(root: Path, file: Path) -> Module:
    """Parse one file; the answer is kept until the file changes."""
    return _parsed(root, file, file.stat().st_mtime_ns)


@cache
def _parsed(root: Path, file: Path, changed: int) -> Module:
    del changed  # part of the key only
    text = file.read_text(encoding="utf-8")
    parts = file.relative_to(root).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(file.relative_to(root).as_posix(), name, ast.parse(text, str(file)), text.count("\n"))


def imports(source: Module) -> Iterator[Import]:
    """Give all that a module imports, wherever in the file, relative ones resolved."""
    yield from _imports(source, source.body, in_function=False, for_types_only=False)


def _imports(source: Module, node: ast.AST, *, in_function: bool, for_types_only: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, node, in_function, for_types_only)
    elif isinstance(node, ast.ImportFrom):
        origin = origin_of(source, node)
        for alias in node.names:
            target = origin if alias.name == "*" else f"{origin}.{alias.name}"
            yield Import(target, node, in_function, for_types_only)
    inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    typing_only = for_types_only or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield from _imports(source, child, in_function=inside, for_types_only=typing_only)


def origin_of(source: Module, node: ast.ImportFrom) -> str:
    """Name the module that a ``from`` import reads, absolute."""
    if not node.level:
        return node.module or ""
    is_package = source.path.endswith("/__init__.py")
    above = source.name.split(".")[: len(source.name.split(".")) - node.level + is_package]
    return ".".join([*above, *([node.module] if node.module else [])])


def known_as(source: Module) -> dict[str, str]:
    """Map the names that imports bind in a module to what they stand for."""
    names: dict[str, str] = {}
    for node in ast.walk(source.body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = f"{origin_of(source, node)}.{alias.name}"
    return names


def mentions(source: Module) -> Iterator[tuple[str, ast.expr]]:
    """Give every imported thing that a module names, in full: ``dt.now`` is ``datetime.datetime.now``."""
    names = known_as(source)
    for node in ast.walk(source.body):
        if isinstance(node, ast.Attribute | ast.Name):
            full = full_name(node, names)
            if full:
                yield full, node


def full_name(node: ast.expr, names: dict[str, str]) -> str:
    """Spell a dotted expression with its import resolved; nothing where it does not begin with one."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute):
        before = full_name(node.value, names)
        return f"{before}.{node.attr}" if before else ""
    return ""


def scopes(source: Module) -> Iterator[tuple[str, Scope]]:
    """Give every class and function with its name from the module down: ``Person.merge``."""

    def walk(node: ast.AST, above: str) -> Iterator[tuple[str, Scope]]:
        for child in ast.iter_child_nodes(node):
            below = above
            if isinstance(child, Scope):
                below = f"{above}{child.name}."
                yield f"{above}{child.name}", child
            yield from walk(child, below)

    yield from walk(source.body, "")


def scope_of(source: Module, node: ast.expr) -> str:
    """Name the innermost class or function around an expression."""
    around = [
        name
        for name, scope in scopes(source)
        if scope.lineno <= node.lineno <= (scope.end_lineno or scope.lineno)
    ]
    return around[-1] if around else "<module>"
