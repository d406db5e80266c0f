"""What lies in the repository, and what its files may say."""

import re
from pathlib import Path

from tests.architecture.source import files, texts

TOP_LEVEL = frozenset(
    {
        *("recruit", "screening", "campaigns", "static", "templates", "tests", "benchmarks", "docs"),
        *("wsgi.py", "run.py", "pyproject.toml", "constraints.txt", ".env.example", ".gitignore"),
        *("README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", ".ci", ".github"),
    }
)
# A folder of one machine. Written so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(r"(?<![\w.:~}-])/(?:work|root|home)/\w")
PACKAGE_INDEX = re.compile(
    r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|anaconda\.org)\b|--(?:extra-)?index-url\b"
)


def locked_versions_name_no_address(root: Path) -> list[str]:
    """The lock names versions only, so that it installs from whatever index a machine is told to use."""
    file = root / "constraints.txt"
    return [
        f"constraints.txt:{number}: not a plain locked version: {line}"
        for number, line in enumerate(file.read_text().splitlines() if file.exists() else [], 1)
        if not re.fullmatch(r"[a-z0-9._-]+==[\w.!+]+( ; [^:/@]+)?", line)
    ]


def nothing_names_this_machine(root: Path) -> list[str]:
    """No file names a folder of somebody's machine, or a package index."""
    return [
        f"{path}:{number}: names {found.group(0)!r}, which is true of one machine only"
        for path, text in texts(root)
        for number, line in enumerate(text.splitlines(), 1)
        for found in [MACHINE_PATH.search(line) or PACKAGE_INDEX.search(line)]
        if found
    ]


def the_top_level_is_as_agreed(root: Path) -> list[str]:
    """A new entry at the top is a decision, made in the list here."""
    entries = {file.relative_to(root).parts[0] for file in files(root)}
    return [f"{entry}: not an agreed entry of the top level" for entry in sorted(entries - TOP_LEVEL)]
