"""Texts of a USDM version, with their parameters filled in from the dictionaries and what these refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from recruit.interop.fields import LONG, Part, quoted, read_text
from recruit.interop.registry import InvalidRecord
from recruit.interop.richtext import InvalidText, Passage, read_passage

_DEEPEST = 5
_MOST_FILLED = 2_000


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A parameter's reference, and where it stands."""

    reference: str
    path: str


class Texts:
    """Reads texts of one version; instances are found by class and id in the whole document."""

    def __init__(self, document: object, version: Part) -> None:
        self._instances = {(str(one["instanceType"]), str(one["id"])): one for one in _instances(document)}
        self._dictionaries = {
            table.required_text("id"): {
                entry.required_text("tag"): _Parameter(
                    entry.text("reference", longest=LONG) or "", entry.at("reference")
                )
                for entry in table.parts("parameterMaps")
            }
            for table in version.parts("dictionaries")
        }

    def passage(self, part: Part, name: str = "text") -> Passage:
        """Read the text in a field of an instance that may name a dictionary.

        :raises InvalidRecord: it is missing or empty, or a parameter has no value.
        """
        html = part.text(name, longest=LONG)
        if html is None or not html.strip():
            raise part.fail(name, "This field is missing or empty.")
        filling = _Filling(self, self._parameters(part), part.at(name))
        try:
            passage = read_passage(html, resolve=filling.filled)
        except InvalidText as problem:
            raise part.fail(name, str(problem)) from None
        if not passage.text and not passage.parts:
            raise part.fail(name, "This field holds no words.")
        return passage

    def _parameters(self, part: Part) -> Mapping[str, _Parameter]:
        name = part.text("dictionaryId")
        if name is None:
            return {}
        if name not in self._dictionaries:
            raise part.fail("dictionaryId", f"There is no dictionary {quoted(name)}.")
        return self._dictionaries[name]

    def instance(self, kind: str, identity: str) -> Mapping[str, object] | None:
        """Find an instance."""
        return self._instances.get((kind, identity))


class _Filling:
    """Fills the parameters of one text; those of the values filled in are filled as well, to an end."""

    def __init__(self, texts: Texts, parameters: Mapping[str, _Parameter], path: str) -> None:
        self._texts = texts
        self._parameters = parameters
        self._paths = [path]
        self._left = _MOST_FILLED
        self._length = LONG

    def filled(self, tag: str, given: Mapping[str, str]) -> str:
        """Give the words of a `usdm:tag`, by way of the dictionary, or of a `usdm:ref`."""
        self._left -= 1
        if self._left < 0 or len(self._paths) > _DEEPEST:
            raise self._fail("The parameters refer to one another without an end.")
        words = self._parameter(given.get("name", "")) if tag == "usdm:tag" else self._reference(given)
        self._length -= len(words)
        if self._length < 0:
            raise self._fail(f"The text with its parameters is longer than {LONG} characters.")
        return words

    def _parameter(self, name: str) -> str:
        parameter = self._parameters.get(name)
        if parameter is None:
            raise self._fail(f"The parameter {quoted(name)} stands in no dictionary of this text.")
        return self._inside(parameter.reference, parameter.path)

    def _reference(self, given: Mapping[str, str]) -> str:
        kind, identity, attribute = (given.get(name, "") for name in ("klass", "id", "attribute"))
        instance = self._texts.instance(kind, identity)
        if instance is None:
            raise self._fail(f"There is no {quoted(kind)} {quoted(identity)} to refer to.")
        value = _words(instance.get(attribute))
        if value is None:
            raise self._fail(f"{quoted(kind)} {quoted(identity)} has no {quoted(attribute)} to show.")
        return self._inside(read_text(value, self._paths[-1], LONG), self._paths[-1])

    def _inside(self, text: str, path: str) -> str:
        if "<" not in text:
            return text
        self._paths.append(path)
        try:
            passage = read_passage(text, resolve=self.filled)
        except InvalidText as problem:
            raise self._fail(str(problem)) from None
        self._paths.pop()
        return " ".join(_lines(passage))

    def _fail(self, message: str) -> InvalidRecord:
        return InvalidRecord(self._paths[-1], message)


def _lines(passage: Passage) -> Iterator[str]:
    if passage.text:
        yield passage.text
    for part in passage.parts:
        yield from _lines(part)


def _words(value: object) -> str | None:
    """Put a value into words: a quantity with its unit, a whole number without a decimal point."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool) or value is None or isinstance(value, list):
        return None
    if isinstance(value, int | float):
        return f"{value:g}" if abs(value) < 1e6 else str(value)
    if isinstance(value, dict):
        number = _words(value.get("value"))
        unit = unit_of(value)
        return f"{number} {unit.lower()}{'' if number == '1' else 's'}" if number and unit else number
    return None


def unit_of(quantity: Mapping[object, object]) -> str | None:
    """Give the word of a quantity's unit, such as Year."""
    unit = quantity.get("unit")
    standard = unit.get("standardCode") if isinstance(unit, dict) else None
    word = standard.get("decode") if isinstance(standard, dict) else None
    return word if isinstance(word, str) and len(word) <= 80 else None


def _instances(document: object) -> Iterator[dict[str, object]]:
    """Go through everything that has a class and an id, the first of equals last."""
    found: list[dict[str, object]] = []
    waiting: list[object] = [document]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("id"), str) and isinstance(one.get("instanceType"), str):
                found.append(one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return iter(found)
