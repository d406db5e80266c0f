"""What templates and static files may hold: the strict content policy, before a browser enforces it."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import texts

JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
TAG = re.compile(r"""<([a-zA-Z][\w-]*)((?:"[^"]*"|'[^']*'|[^'">])*)>""")
ATTRIBUTE = re.compile(r"""([^\s"'=<>/]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")
LOADING = frozenset({"src", "srcset", "poster", "data", "action", "formaction"})
COMMENT = re.compile(r"/\*.*?\*/|<!--.*?-->", re.DOTALL)
ADDRESS = re.compile(r"""(?:https?:|wss?:|["'(]\s*)//[\w.-]+[^\s"')<>]*""")
NAMESPACE = re.compile(r"https?://www\.w3\.org/(?:\d{4}|XML)/")


def pages_carry_no_inline_code(root: Path) -> list[str]:
    """No style or on* attribute, no script or style element with a body, no javascript: address."""
    complaints = []
    for path, text in _templates(root):
        for line, tag, attributes in _tags(text):
            complaints += [f"{path}:{line}: {why}" for why in _inline_code(tag, attributes)]
    return complaints


def _inline_code(tag: str, attributes: dict[str, str]) -> Iterator[str]:
    for name, value in attributes.items():
        if name == "style" or re.fullmatch(r"on[a-z]+", name):
            yield f"<{tag} {name}=...> is refused by the content policy: use a class or a script file"
        if value.lower().startswith("javascript:"):
            yield f"<{tag} {name}> runs code from an address: use a script file"
    if tag == "style":
        yield "a <style> element is refused by the content policy: use a stylesheet"
    if tag == "script" and "src" not in attributes:
        yield "a <script> without src is refused by the content policy: use a script file"


def pages_load_nothing_from_elsewhere(root: Path) -> list[str]:
    """No page and no static file makes a browser ask another server."""
    complaints = []
    for path, text in _templates(root):
        for line, tag, attributes in _tags(text):
            loading = LOADING | ({"href"} if tag in {"link", "use", "image", "base"} else set())
            complaints += [
                f"{path}:{line}: <{tag} {name}> loads from {value}"
                for name, value in attributes.items()
                if name in loading and re.match(r"(?:https?:|wss?:)?//", value)
            ]
    for path, text in texts(root, ".css", ".js", ".svg", ".webmanifest"):
        if path.startswith("static/"):
            complaints += [f"{path}:{line}: names the address {address}" for line, address in _addresses(text)]
    return complaints


def _addresses(text: str) -> Iterator[tuple[int, str]]:
    """Give the addresses that a static file names outside comments; XML namespaces load nothing."""
    for number, line in enumerate(_blanked(COMMENT, text).splitlines(), 1):
        for found in ADDRESS.finditer(line):
            if not NAMESPACE.search(found.group(0)):
                yield number, found.group(0).lstrip("\"'( ")


def _templates(root: Path) -> Iterator[tuple[str, str]]:
    for path, text in texts(root, ".html", ".jinja", ".j2", ".xml", ".svg"):
        if path.startswith("templates/"):
            yield path, _blanked(JINJA, text)


def _blanked(pattern: re.Pattern[str], text: str) -> str:
    """Replace what matches by spaces, keeping every line in its place."""
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found.group(0)), text)


def _tags(text: str) -> Iterator[tuple[int, str, dict[str, str]]]:
    for found in TAG.finditer(text):
        attributes = {
            name.lower(): value.strip("\"'").strip() for name, value in ATTRIBUTE.findall(found.group(2))
        }
        yield text.count("\n", 0, found.start()) + 1, found.group(1).lower(), attributes
