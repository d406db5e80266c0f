"""Questions of several studies that are one question: a coordinator has marked their wordings equivalent.

An answer under one study's wording counts for another only then, and only
where both state the same facts, option by option.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from screening.asking.items import Item
from screening.asking.questionnaire import Document
from screening.errors import ScreeningError

_WORDS: Final = frozenset(
    {"id", "section", "text", "hint", "why_we_ask", "errors", "show_if", "sensitivity", "unknown_text",
     "declined_text", "unit_text", "soft_check", "urgent"}
)  # fmt: skip
"""What may differ between equivalent questions: words, place and checks, never what an answer means."""


class NotEquivalent(ScreeningError, ValueError):
    """Wordings that were marked equivalent, although an answer to one does not say the same as to the other."""

    code = "not_equivalent"


class Place(NamedTuple):
    """A question where it stands: the study and the item."""

    study: str
    item: str

    def __str__(self) -> str:
        return f"{self.study}:{self.item}"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked once: the places whose wordings are equivalent, in the order of their studies."""

    places: tuple[Place, ...]

    id: str
    """The name under which answers, statistics and the path keep it: that of its first place."""


def questions(documents: Mapping[str, Document], equivalent: Iterable[Iterable[Place]]) -> tuple[Question, ...]:
    """List every question of several studies once.

    :raises NotEquivalent: when a marked place does not exist, is marked twice, or does not say the same
    """
    order = {Place(study, item.id): item for study, document in documents.items() for item in document.items}
    groups = [tuple(sorted(set(group), key=list(order).index)) for group in _known(equivalent, order)]
    for group in groups:
        _check(group, order)
    grouped = [place for group in groups for place in group]
    if len(set(grouped)) < len(grouped):
        raise NotEquivalent("a question is marked equivalent twice")
    heads = {group[0]: _question(group) for group in groups if group}
    rest = set(grouped)
    return tuple(
        heads.get(place) or _question((place,)) for place in order if place in heads or place not in rest
    )


def _question(places: tuple[Place, ...]) -> Question:
    return Question(places, str(places[0]))


def _known(equivalent: Iterable[Iterable[Place]], order: Mapping[Place, Item]) -> Iterator[tuple[Place, ...]]:
    for group in equivalent:
        places = tuple(group)
        for place in places:
            if place not in order:
                raise NotEquivalent(f"there is no question {place}")
        yield places


def _check(group: Sequence[Place], items: Mapping[Place, Item]) -> None:
    if len({place.study for place in group}) < len(group):
        raise NotEquivalent("two questions of one study are two questions")
    for place in group[1:]:
        if not is_alike(items[group[0]], items[place]):
            raise NotEquivalent(f"{place} does not state what {group[0]} states")


def is_alike(one: Item, other: Item) -> bool:
    """Tell whether an answer to one question states the same facts as the same answer to the other."""
    return _meaning(one.model_dump(mode="json")) == _meaning(other.model_dump(mode="json"))


def _meaning(document: object) -> object:
    match document:
        case dict():
            return {name: _meaning(part) for name, part in document.items() if name not in _WORDS}
        case list():
            return [_meaning(part) for part in document]
        case _:
            return document
