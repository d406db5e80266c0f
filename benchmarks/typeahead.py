"""How long a suggestion takes at each keystroke of a name, spelt right or not."""

from functools import partial
from random import Random

from benchmarks import frame
from screening.finding import directory
from screening.finding.conditions import packaged_conditions
from screening.medicine_names import tidy
from screening.medicines import packaged_formulary
from screening.vocabulary import About

NAMES, QUICK_NAMES = 400, 60
PEER_STROKES, QUICK_PEER_STROKES = 300, 40
BUILD = """
import time
from screening.finding.directory import packaged_directory
from screening.medicine_names import packaged_names
from screening.vocabulary import About
packaged_names()
started = time.perf_counter()
packaged_directory(About.CONDITION), packaged_directory(About.MEDICINE)
print(time.perf_counter() - started)
"""


def main() -> None:
    """Measure and report."""
    options = frame.options("How long suggestions take while the name of a condition or medicine is typed.")
    report = frame.Report("typeahead")
    chance = Random(7)  # noqa: S311 - the same names in every run
    typed = strokes(chance, QUICK_NAMES if options.quick else NAMES)
    build = frame.median_printed_seconds(BUILD, repeats=1 if options.quick else 5)
    report.figure("typeahead_build_ms", 1000 * build)
    for about in (About.CONDITION, About.MEDICINE):
        directory.packaged_directory(about).suggest("warm up", "en")
    ours = sorted(frame.seconds(partial(ours_found, *stroke)) for stroke in typed)
    report.figure("typeahead_strokes", len(ours))
    report.figure("typeahead_p50_ms", 1000 * at(ours, 0.5))
    report.figure("typeahead_p99_ms", 1000 * at(ours, 0.99))
    asked = chance.sample(typed, QUICK_PEER_STROKES if options.quick else PEER_STROKES)
    theirs = peer_seconds(asked)
    report.peer("rapidfuzz_p50_ms", 1000 * at(theirs, 0.5))
    report.peer("rapidfuzz_p99_ms", 1000 * at(theirs, 0.99))
    whole = wholes(chance, 100 if options.quick else 500)
    report.figure("misspelt_found_in_8", found_by_us(whole))
    report.peer("rapidfuzz_found_in_8", found_by_peer(whole))
    report.at_most("typeahead_p50_ms", 2)
    report.at_most("typeahead_p99_ms", 10)
    report.finish(options, libraries=("rapidfuzz",))


def names_of(about: About) -> list[tuple[str, str]]:
    """Give every name of the tables with its code."""
    if about is About.CONDITION:
        lines = packaged_conditions().lines
        return [(name, line.affirmed.code) for line in lines for name in line.every_name()]
    return [(name.text, "+".join(name.codes)) for name in packaged_formulary().names()]


def misspelt(chance: Random, name: str) -> str:
    """Leave one letter of a name out, double it, or swap it with the next."""
    at_letter = chance.randrange(1, len(name) - 1)
    head, one, other, tail = name[:at_letter], name[at_letter], name[at_letter + 1], name[at_letter + 2 :]
    return head + chance.choice((other, one + one + other, other + one)) + tail


def strokes(chance: Random, count: int) -> list[tuple[About, str]]:
    """Type names letter by letter from the second on; every other one has a slip in it."""
    typed = []
    for number in range(count):
        about = chance.choice((About.CONDITION, About.MEDICINE))
        name = chance.choice([name for name, _ in names_of(about) if len(name) > 3])
        words = misspelt(chance, name) if number % 2 else name
        typed += [(about, words[:length]) for length in range(2, len(words) + 1)]
    return typed


def wholes(chance: Random, count: int) -> list[tuple[About, str, str]]:
    """Misspell whole names of at least six letters."""
    everything = [
        (about, *one)
        for about in (About.CONDITION, About.MEDICINE)
        for one in names_of(about)
        if len(one[0]) > 5
    ]
    return [(about, misspelt(chance, name), code) for about, name, code in chance.sample(everything, count)]


def at(figures: list[float], share: float) -> float:
    """Give the figure below which a share of all sorted ones lies."""
    return figures[min(int(share * len(figures)), len(figures) - 1)]


def peer_found(about: About, words: str) -> list[str]:
    """Compare what was typed with every name, as one does without an index."""
    from rapidfuzz import fuzz, process

    codes = _CODES[about]
    near = process.extract(tidy(words), _TIDIED[about], scorer=fuzz.WRatio, limit=8)
    return [codes[place] for _, _, place in near]


def peer_seconds(typed: list[tuple[About, str]]) -> list[float]:
    """Time the comparison with every name."""
    return sorted(frame.seconds(partial(peer_found, *stroke)) for stroke in typed)


def ours_found(about: About, words: str) -> list[str]:
    """Give the codes of our suggestions."""
    return [one.entry.code.code for one in directory.packaged_directory(about).suggest(words, "en")]


def found_by_us(whole: list[tuple[About, str, str]]) -> float:
    """Give the share of misspelt names whose code is among eight suggestions."""
    return sum(code in ours_found(about, words) for about, words, code in whole) / len(whole)


def found_by_peer(whole: list[tuple[About, str, str]]) -> float:
    """Give the same share for the comparison with every name."""
    return sum(code in peer_found(about, words) for about, words, code in whole) / len(whole)


_TIDIED = {about: [tidy(name) for name, _ in names_of(about)] for about in (About.CONDITION, About.MEDICINE)}
_CODES = {about: [code for _, code in names_of(about)] for about in (About.CONDITION, About.MEDICINE)}


if __name__ == "__main__":
    main()
