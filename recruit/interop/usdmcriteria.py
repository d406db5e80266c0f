"""The criteria of a USDM version in their order, cut into their parts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from recruit.interop.fields import Part, quoted
from recruit.interop.registry import RecordCode
from recruit.interop.richtext import Passage
from recruit.interop.usdmtexts import Texts
from screening.structure.headings import Group, TextKind, group_of, group_of_endings, is_remark
from screening.structure.splitting import Role, TextCriterion

NAMED_BY_NONE = "Named by no criterion"
MOST_CRITERIA = 5_000

_CATEGORIES = {"C25532": TextKind.INCLUSION, "C25370": TextKind.EXCLUSION}


def codes_of(part: Part) -> Iterator[RecordCode]:
    """Give the codes in an instance."""
    for one in part.parts("codes"):
        yield RecordCode(
            one.required_text("codeSystem"),
            one.required_text("code"),
            one.text("codeSystemVersion") or "",
            one.text("decode") or "",
        )


class Criteria:
    """The criteria of all designs of a version, cut into their parts."""

    def __init__(self, version: Part, designs: Sequence[Part], texts: Texts) -> None:
        self._version = version
        self._designs = designs
        self._texts = texts
        self.said: list[TextCriterion] = []
        self.codes: list[tuple[int, RecordCode]] = []
        self.places: dict[str, int] = {}
        self.text = ""

    def read(self) -> Criteria:
        """Read every criterion, and what no criterion names after them."""
        items = _by_id(self._version, "eligibilityCriterionItems")
        wanted: set[str] = set()
        for design in self._designs:
            _by_id(design, "eligibilityCriteria")
            for one in in_order(list(design.parts("eligibilityCriteria"))):
                name = one.required_text("criterionItemId")
                if name not in items:
                    raise one.fail("criterionItemId", f"There is no criterion item {quoted(name)}.")
                if one.required_text("id") not in self.places:
                    self._add(one, items[name])
                wanted.add(name)
        for name, item in items.items():
            if name not in wanted:
                self._add_item(item, item, TextKind.UNSTATED, "", (NAMED_BY_NONE,))
        self.text = "\n".join(self._lines())
        return self

    def _add(self, criterion: Part, item: Part) -> None:
        self.places[criterion.required_text("id")] = len(self.said)
        self._add_item(criterion, item, _category(criterion), criterion.text("identifier") or "", ())

    def _add_item(
        self, criterion: Part, item: Part, kind: TextKind, number: str, section: tuple[str, ...]
    ) -> None:
        passage = self._texts.passage(item)
        if not passage.text:
            called = criterion.text("label") or criterion.text("name") or criterion.required_text("id")
            passage = replace(passage, text=called)
        order = len(self.said)
        notes = [note for part in dict.fromkeys((criterion, item)) for note in part.parts("notes")]
        self.codes += [(order, code) for note in notes for code in codes_of(note)]
        marked = replace(passage, marker=f"{number}." if number else "")
        self._flatten(marked, kind, section, parent=None, depth=0)

    def _flatten(
        self, passage: Passage, kind: TextKind, section: tuple[str, ...], *, parent: int | None, depth: int
    ) -> None:
        order = len(self.said)
        if order >= MOST_CRITERIA:
            raise self._version.fail(
                "eligibilityCriterionItems", f"There are more than {MOST_CRITERIA} criteria and parts of them."
            )
        demands = [part for part in passage.parts if not part.is_remark]
        group, least = group_of(passage.text) if demands else (Group.UNSTATED, None)
        if demands and group is Group.UNSTATED:
            group = group_of_endings([part.text for part in demands])
        self.said.append(
            TextCriterion(
                order=order,
                text=passage.text,
                kind=kind,
                number=passage.marker.rstrip(".") or None if passage.marker != "-" else None,
                marker=passage.marker,
                parent=parent,
                depth=depth,
                section=section,
                role=_role(passage, has_parts=bool(demands)),
                group=group,
                least=least,
            )
        )
        for part in passage.parts:
            self._flatten(part, kind, section, parent=order, depth=depth + 1)

    def _lines(self) -> Iterator[str]:
        """Write all criteria as a text, to be read beside the draft."""
        before: TextKind | None = None
        for one in self.said:
            if one.kind is not before:
                yield f"{'' if before is None else chr(10)}{one.kind.value.capitalize()} criteria:"
                before = one.kind
            yield f"{'  ' * one.depth}{one.marker or '-'} {one.text}"


def _role(passage: Passage, *, has_parts: bool) -> Role:
    if passage.is_remark or (is_remark(passage.text) and not has_parts):
        return Role.REMARK
    return Role.LEAD_IN if has_parts or passage.text.rstrip().endswith(":") else Role.CRITERION


def _category(criterion: Part) -> TextKind:
    category = criterion.part("category")
    kind = _CATEGORIES.get(category.text("code") or "")
    word = (category.text("decode") or "").casefold()
    if kind is None:
        kind = next((one for one in _CATEGORIES.values() if word.startswith(one.value)), None)
    if kind is None:
        raise criterion.fail("category", f"{quoted(word)} is neither inclusion nor exclusion.")
    return kind


def _by_id(part: Part, name: str) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for one in part.parts(name):
        identity = one.required_text("id")
        if identity in found:
            raise one.fail("id", f"{quoted(identity)} stands there twice.")
        found[identity] = one
    return found


def in_order(criteria: list[Part]) -> list[Part]:
    """Put criteria in the order of their links, else of their identifiers, else leave them.

    :raises InvalidRecord: a link leads nowhere or in a circle, or two disagree.
    """
    by_id = {one.required_text("id"): one for one in criteria}
    following = _links(by_id)
    if not following:
        return _by_identifier(criteria)
    led_to = set(following.values())
    ordered: list[Part] = []
    for name in by_id:
        at = None if name in led_to else name
        while at is not None:
            ordered.append(by_id[at])
            at = following.get(at)
    if len(ordered) < len(criteria):
        placed = {one.path for one in ordered}
        lost = next(one for one in criteria if one.path not in placed)
        link = "nextId" if lost.text("nextId") else "previousId"
        raise lost.fail(link, "The order of the criteria runs in a circle.")
    return ordered


def _links(by_id: Mapping[str, Part]) -> dict[str, str]:
    """Say which criterion follows which; both directions may be given and must agree."""
    following: dict[str, str] = {}
    before: dict[str, str] = {}
    for name, one in by_id.items():
        for link in ("nextId", "previousId"):
            other = one.text(link)
            if other is None:
                continue
            if other not in by_id:
                raise one.fail(link, f"There is no criterion {quoted(other)}.")
            first, second = (name, other) if link == "nextId" else (other, name)
            if following.setdefault(first, second) != second or before.setdefault(second, first) != first:
                raise one.fail(link, "Another criterion says something else about the order.")
    return following


def _by_identifier(criteria: list[Part]) -> list[Part]:
    """Sort by identifiers where they tell the order: all different, or different within each kind."""
    kinds = [_category(one) for one in criteria]
    keys = [_natural(one.text("identifier") or "") for one in criteria]
    if any(not key or key[0][0] != 0 for key in keys):
        return criteria
    if len(set(keys)) == len(keys):
        return _sorted(keys, criteria)
    pairs = [(kind is TextKind.EXCLUSION, key) for kind, key in zip(kinds, keys, strict=True)]
    if max(Counter(pairs).values(), default=0) > 1:
        return criteria
    return _sorted(pairs, criteria)


def _sorted(keys: Sequence[tuple[object, ...]], criteria: Sequence[Part]) -> list[Part]:
    places = sorted(range(len(keys)), key=lambda at: keys[at])
    return [criteria[at] for at in places]


def _natural(identifier: str) -> tuple[tuple[int, int, str], ...]:
    """Cut an identifier such as 10b into what sorts as people count."""
    pieces = re.findall(r"([0-9]{1,9})|([^0-9]+)", identifier.strip().casefold(), re.ASCII)
    return tuple((0, int(number), "") if number else (1, 0, word) for number, word in pieces)
