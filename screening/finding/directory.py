"""What somebody may mean by the name of a condition or medicine: candidates, best first.

Words that mean several things give several candidates. One is taken without
asking only where the words are its whole name and nothing else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from screening.facts import Code
from screening.finding.conditions import Conditions, packaged_conditions
from screening.finding.nameindex import LONGEST_QUERY, Fit, Hit, NameIndex
from screening.medicine_names import Names, packaged_names, tidy
from screening.medicines import Formulary, Medicine, Name, NameKind, packaged_formulary
from screening.terms import ATC, EITHER
from screening.vocabulary import About

MOST_CANDIDATES: Final = 8
_SHORTEST_SURE: Final = 4
"""Of two or three letters ("MS", "PE") nothing is taken without asking."""
_SCORES: Final[Mapping[Fit, float]] = {fit: 1.0 - fit / 10 for fit in Fit}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be meant: its code, its names to show, and how often people name it.

    Where several codes are possible, `code` holds them all, one or the other.
    """

    code: Code
    english: str
    spanish: str
    often: int = 0

    def title(self, language: str) -> str:
        """Give the name to show, with a capital."""
        shown = self.spanish if language == "es" else self.english
        return shown[:1].upper() + shown[1:]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry as it was found; `label` is what to show, `score` is 1 for the whole name and falls to 0.3."""

    entry: Entry
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class _Listed:
    """One name in the index; a brand or a lay word is shown as it is: "Ozempic (semaglutide)"."""

    text: str
    entry: Entry
    is_shown: bool = False

    def label(self, language: str) -> str:
        title = self.entry.title(language)
        if not self.is_shown or tidy(self.text) == tidy(title):
            return title
        return f"{self.text[:1].upper()}{self.text[1:]} ({title[:1].lower()}{title[1:]})"


class Directory:
    """The names of one kind of thing, indexed."""

    def __init__(self, listed: Iterable[_Listed], medicines: Names | None = None) -> None:
        self._listed: Sequence[_Listed] = tuple(listed)
        self._index = NameIndex(one.text for one in self._listed)
        self._exact: dict[str, list[_Listed]] = {}
        self._by_code: dict[str, list[_Listed]] = {}
        for one in self._listed:
            self._exact.setdefault(tidy(one.text), []).append(one)
            self._by_code.setdefault(one.entry.code.code, []).append(one)
        self._medicines = medicines

    def suggest(self, typed: str, language: str, *, limit: int = MOST_CANDIDATES) -> tuple[Candidate, ...]:
        """Give what the words may mean, best first, each label once; always in the same order."""
        hits = self._index.search(typed)
        ranked = sorted(hits, key=self._rank)
        found: dict[str, Candidate] = {}
        for candidate in (
            *self._by_strength(typed, language),
            *(self._candidate(hit, language) for hit in ranked),
        ):
            found.setdefault(candidate.label, candidate)
            if len(found) == limit:
                break
        return tuple(found.values())

    def settle(self, typed: str, language: str) -> Candidate | None:
        """Give the one thing that the words name beyond doubt; nothing where anybody should be asked."""
        tidied = tidy(typed[:LONGEST_QUERY])
        if len(tidied) < _SHORTEST_SURE:
            return None
        named = self._named(tidied)
        if len({one.entry for one in named}) == 1:
            return Candidate(named[0].entry, named[0].label(language), 1.0)
        return None if named else next(iter(self._by_strength(typed, language)), None)

    def knows(self, code: str, label: str) -> bool:
        """Tell whether a code is shown under a label, in any language."""
        return any(
            label in (one.label(language), one.entry.title(language))
            for one in self._by_code.get(code, ())
            for language in ("en", "es")
        )

    def _named(self, tidied: str) -> list[_Listed]:
        for form in (tidied, tidied.removesuffix("s"), f"{tidied}s"):
            if form in self._exact:
                return self._exact[form]
        return []

    def _by_strength(self, typed: str, language: str) -> Iterator[Candidate]:
        """Find a medicine by a name with its strength, salt or form: "metformin HCl 500 mg tablets"."""
        if self._medicines is None or tidy(typed) in self._exact:
            return
        meaning = self._medicines.find(typed[:LONGEST_QUERY])
        if meaning is None or len(meaning.of) != 1:
            return
        whole = EITHER.join(meaning.of[0].codes)
        for code in (meaning.affirmed.code, whole):
            entries = {one.entry for one in self._by_code.get(code, ())}
            title = meaning.of[0].title("en")
            entry = next((one for one in entries if one.english == title), None)
            if entry is not None:
                yield Candidate(entry, entry.title(language), 1.0)
                return

    def _rank(self, hit: Hit) -> tuple[int, int, int, int, str, str]:
        one = self._listed[hit.place]
        lacks = hit.extra if hit.fit is Fit.SOME_WORDS else 0
        return hit.fit, lacks, -one.entry.often, hit.extra, one.text, one.entry.code.code

    def _candidate(self, hit: Hit, language: str) -> Candidate:
        one = self._listed[hit.place]
        return Candidate(one.entry, one.label(language), _SCORES[hit.fit])


@cache
def packaged_directory(about: About) -> Directory:
    """Give the directory of conditions or of medicines; built when somebody first looks something up.

    :raises KeyError: for procedures, of which there is no table
    """
    return _BUILT[about]()


def _of_conditions() -> Directory:
    return Directory(_condition_names(packaged_conditions()))


def _of_medicines() -> Directory:
    return Directory(_medicine_names(packaged_formulary()), packaged_names())


_BUILT: Final = {About.CONDITION: _of_conditions, About.MEDICINE: _of_medicines}


def _condition_names(table: Conditions) -> Iterator[_Listed]:
    for line in table.lines:
        entry = Entry(line.affirmed, line.name, line.spanish, line.often)
        for text in dict.fromkeys(line.every_name()):
            yield _Listed(text, entry)


def _medicine_names(formulary: Formulary) -> Iterator[_Listed]:
    for name in formulary.names():
        yield _Listed(name.text, _medicine_entry(name), name.kind is not NameKind.GENERIC)


def _medicine_entry(name: Name) -> Entry:
    """Make the entry of a name; a single ingredient comes before combinations and classes."""
    is_single = isinstance(name.of, Medicine) and name.of.substances == 1
    code = Code(ATC, EITHER.join(name.codes))
    return Entry(code, name.of.title("en"), name.of.title("es"), int(is_single))
