"""The style sheets: contrast of every pair of tokens, both directions of writing, weight, content policy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .conftest import ROOT

APP = ROOT / "static/css/app.css"
STAFF = ROOT / "static/css/staff.css"
SHEETS = pytest.mark.parametrize("sheet", [APP, STAFF], ids=lambda path: path.name)
SCRIPTS = pytest.mark.parametrize(
    "script", sorted((ROOT / "static/js").glob("*.js")), ids=lambda path: path.name
)

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
TOKEN = re.compile(r"--([\w-]+):\s*([^;}]+)")
BLOCK = re.compile(r"(?P<selector>[^{}]+)\{(?P<body>[^{}]*--paper:\s*#[^{}]*--bar:[^{}]*)\}")


def source(path: Path) -> str:
    return COMMENT.sub("", path.read_text())


def themes() -> dict[str, dict[str, str]]:
    """The token blocks of the style sheet: light, dark by the system, dark by choice."""
    blocks = [
        {name: value.strip() for name, value in TOKEN.findall(block["body"])}
        for block in BLOCK.finditer(source(APP))
    ]
    return dict(zip(("light", "dark by the system", "dark by choice"), blocks, strict=True))


def luminance(colour: str) -> float:
    """Relative luminance of #rgb or #rrggbb (WCAG 2.2)."""
    digits = colour.removeprefix("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def pairs() -> list[tuple[str, str, float]]:
    lines = (Path(__file__).parent / "contrast.csv").read_text().splitlines()
    rows = [line.split(";") for line in lines if line and not line.startswith("#")]
    return [(foreground, background, float(least)) for foreground, background, least in rows]


class TestColours:
    def test_knows_black_on_white(self) -> None:
        assert contrast("#000", "#ffffff") == pytest.approx(21)
        assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)

    @pytest.mark.parametrize("theme", ["light", "dark by the system"])
    @pytest.mark.parametrize(("foreground", "background", "least"), pairs())
    def test_every_pair_reads_well(self, theme: str, foreground: str, background: str, least: float) -> None:
        tokens = themes()[theme]

        ratio = contrast(tokens[foreground], tokens[background])

        assert ratio >= least, f"{foreground} on {background} is {ratio:.2f}"

    def test_dark_is_the_same_by_system_and_by_choice(self) -> None:
        blocks = themes()

        assert blocks["dark by the system"] == blocks["dark by choice"]

    def test_dark_replaces_every_colour_of_light(self) -> None:
        blocks = themes()

        assert blocks["light"].keys() == blocks["dark by choice"].keys()

    @SHEETS
    def test_rules_take_colours_from_tokens(self, sheet: Path) -> None:
        rules = [line for line in source(sheet).splitlines() if not re.search(r"--[\w-]+:", line)]

        opaque = re.findall(r"[:\s](#[0-9a-f]{6}|#[0-9a-f]{3})\b(?![0-9a-f])", "\n".join(rules))

        assert [colour for colour in opaque if colour != "#fff"] == []

    def test_every_token_that_is_read_is_defined(self) -> None:
        text = source(APP) + source(STAFF)

        read = set(re.findall(r"var\(--([\w-]+)", text))

        assert read <= {name for name, _ in TOKEN.findall(text)} | {"least"}


PHYSICAL = re.compile(
    r"\b(left|right)\b"
    r"|(?<![\w-])(margin|padding|border)-(top|bottom)"
    r"|(?<![\w-])(top|bottom|width|height|(min|max)-(width|height))\s*:"
)


def physical(line: str) -> bool:
    """Whether a line names a side or a size by the screen instead of by the text's direction."""
    return PHYSICAL.search(re.sub(r"@media \([^)]*\)|--[\w-]+", "", line)) is not None


class TestDirection:
    @pytest.mark.parametrize(
        "line",
        ["a { margin-left: 0; }", "a { text-align: right; }", "a { width: 1em; }", "a { border-top: 0; }"],
    )
    def test_knows_a_physical_property(self, line: str) -> None:
        assert physical(line)

    @pytest.mark.parametrize(
        "line",
        [
            "a { margin-inline-start: 0; }",
            "@media (min-width: 4em) {",
            "a { stroke-width: 2; }",
            "--left-over: 1;",
        ],
    )
    def test_knows_a_logical_one(self, line: str) -> None:
        assert not physical(line)

    @SHEETS
    def test_no_property_knows_left_from_right(self, sheet: Path) -> None:
        assert [line for line in source(sheet).splitlines() if physical(line)] == []


class TestModes:
    @pytest.mark.parametrize(
        "query",
        ["prefers-color-scheme: dark", "prefers-reduced-motion: no-preference", "forced-colors: active"],
    )
    def test_answers_the_reader_s_settings(self, query: str) -> None:
        assert f"({query})" in source(APP)

    @SHEETS
    def test_prints(self, sheet: Path) -> None:
        assert "@media print" in source(sheet)

    @SHEETS
    def test_moves_only_for_those_who_do_not_mind(self, sheet: Path) -> None:
        text = source(sheet)
        calm = text.index("@media (prefers-reduced-motion: no-preference)")

        assert "transition" not in text[:calm]
        assert "animation" not in text


class TestWeight:
    def test_the_style_sheet_is_light(self) -> None:
        assert APP.stat().st_size < 30_000
        assert STAFF.stat().st_size < 20_000

    @SCRIPTS
    def test_each_script_is_light(self, script: Path) -> None:
        assert script.stat().st_size < 12_000

    def test_a_public_page_stays_far_under_60_kilobytes(self) -> None:
        parts = [APP, ROOT / "static/js/public.js", ROOT / "static/img/favicon.svg"]

        assert sum(part.stat().st_size for part in parts) < 35_000


class TestPolicy:
    @SHEETS
    def test_styles_load_nothing_from_elsewhere(self, sheet: Path) -> None:
        assert re.findall(r"@import|@font-face|url\(|data:|https?:", source(sheet)) == []

    @SCRIPTS
    def test_scripts_make_no_markup_and_run_no_text(self, script: Path) -> None:
        forbidden = (
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.style\b|https?://"
        )

        assert re.findall(forbidden, script.read_text()) == []

    @SCRIPTS
    def test_scripts_import_nothing(self, script: Path) -> None:
        assert re.findall(r"^\s*import\b|\bimport\(", script.read_text(), re.MULTILINE) == []

    @pytest.mark.parametrize("name", ["logo.svg", "favicon.svg"])
    def test_images_are_pure_drawings(self, name: str) -> None:
        drawing = (ROOT / "static/img" / name).read_text()

        assert drawing.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
        assert re.findall(r"<(script|style|image|use|foreignObject)\b|\bon\w+=|href", drawing) == []
