"""Cut the eligibility text of a registry record into criteria, losing nothing and judging nothing.

Kinds, numbers, nesting and "one of the following" are read where the text states them. What a criterion means
is a person's work: every criterion made here is text, and text evaluates to unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from screening.structure.blocks import Block, Marker, blocks
from screening.structure.headings import (
    LONGEST_PATH,
    Group,
    Scope,
    TextKind,
    group_of,
    group_of_endings,
    inline_heading,
    is_banner,
    is_kind_heading,
    is_label,
    is_lead_in,
    is_remark,
    kind_of,
    lead_kind,
    names_a_part,
)

_DEEPEST = 12
_TAIL = 400
_ENDS = (".", ";", ":", "?", "!")
_CONNECTIVES = {"or", "and", "and/or", "-or-", "-and-", "and / or"}
_PARAGRAPH = "paragraph"


class Role(StrEnum):
    """What a criterion of the text does: it demands, it introduces its children, or it only comments."""

    CRITERION = "criterion"
    LEAD_IN = "lead_in"
    REMARK = "remark"


@dataclass(frozen=True, slots=True)
class TextCriterion:
    """One criterion as written.

    ``number`` and ``marker`` are what stands before the text ("3" and "3."), ``parent`` is a position in the
    same tuple, ``section`` the headings above from the outside in. ``group`` tells how the children combine
    where the text says so; ``least`` is the number of "at least two of the following".
    """

    order: int
    text: str
    kind: TextKind
    number: str | None = None
    marker: str = ""
    parent: int | None = None
    depth: int = 0
    section: tuple[str, ...] = ()
    role: Role = Role.CRITERION
    group: Group = Group.UNSTATED
    least: int | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading as written; ``before`` is the order of the first criterion below it."""

    text: str
    marker: str
    before: int


@dataclass(frozen=True, slots=True)
class Leftover:
    """Signs that are neither criterion nor heading, such as an empty bullet; ``before`` as in a heading."""

    text: str
    before: int


@dataclass(frozen=True, slots=True)
class Outline:
    """A whole eligibility text: read ``parts`` from first to last and every character of it comes by."""

    parts: tuple[TextCriterion | Heading | Leftover, ...]

    @property
    def criteria(self) -> tuple[TextCriterion, ...]:
        """Give the criteria alone."""
        return tuple(part for part in self.parts if isinstance(part, TextCriterion))


def split(text: str) -> tuple[TextCriterion, ...]:
    """Cut an eligibility text into its criteria, parents before children, in the order of the text.

    Never raises, whatever the string holds; several demands in one bullet stay one criterion.
    """
    return outline(text).criteria


def outline(text: str) -> Outline:
    """Cut an eligibility text into criteria, headings and leftovers; takes time in proportion to its length."""
    read = blocks(text)
    builder = _Builder()
    for position, block in enumerate(read):
        builder.add(block, read[position + 1] if position + 1 < len(read) else None)
    return builder.finish()


@dataclass(slots=True)
class _Draft:
    """A criterion in the making; ``neutral`` marks one under "Eligibility Criteria"."""

    marker: Marker | None
    raw: str
    texts: list[str]
    kind: TextKind
    neutral: bool
    parent: int | None
    depth: int
    section: tuple[str, ...]
    role: Role = Role.CRITERION
    children: list[int] = field(default_factory=list)

    @property
    def ending(self) -> str:
        return self.texts[-1].rstrip(" *")


@dataclass(slots=True)
class _Open:
    """A list level that the next item may join or go below."""

    indent: int
    style: str
    ordinal: int | None
    rank: int
    draft: int


class _Builder:
    """Put blocks into a tree, one after the other, looking at no more than the next one."""

    def __init__(self) -> None:
        self._parts: list[_Draft | Heading | Leftover] = []
        self._drafts: list[_Draft] = []
        self._stack: list[_Open] = []
        self._lead: int | None = None
        self._scope = Scope()
        self._restore: tuple[int, Scope] | None = None
        self._exclusion_seen = False

    def add(self, block: Block, following: Block | None) -> None:
        """Take in one block."""
        body = block.body
        listed = following is not None and following.marker is not None
        self._leave_scope(block, body)
        opened = inline_heading(body)
        if not any(sign.isalnum() for sign in body):
            self._leftover(block, body)
        elif opened:
            self._heading(block, opened[0], nested=False)
            self.add(Block(block.indent, None, True, "", [opened[1]]), following)
        elif is_kind_heading(body):
            self._heading(
                block, body, nested=listed and following is not None and following.indent > block.indent
            )
        elif block.marker is not None:
            self._item(block, body)
        elif self._stack and block.indent > self._stack[0].indent:
            self._below_item(block, body, following)
        else:
            self._paragraph(block, body, following, listed=listed)

    def _leave_scope(self, block: Block, body: str) -> None:
        """Go back to the outer headings once the list under a bulleted heading ("* Exclusion:") is over."""
        if self._restore is not None and body and block.indent <= self._restore[0]:
            self._scope = self._restore[1]
            self._restore = None

    def _leftover(self, block: Block, body: str) -> None:
        self._parts.append(Leftover(block.raw_marker + body, len(self._drafts)))

    def _heading(self, block: Block, body: str, *, nested: bool) -> None:
        if block.marker is not None and nested and self._stack_has_room_above(block):
            self._restore = (block.indent, self._scope)
            self._scope = Scope(above=self._scope.section[-LONGEST_PATH:])
        self._scope.announce(body)
        self._exclusion_seen |= self._scope.kind is TextKind.EXCLUSION
        self._close(block, body)

    def _stack_has_room_above(self, block: Block) -> bool:
        return any(level.indent <= block.indent for level in self._stack)

    def _label(self, block: Block, body: str) -> None:
        lead = self._drafts[self._lead] if self._lead is not None else None
        if lead is not None and not lead.children and lead.kind is not TextKind.UNSTATED:
            self._scope.kind, self._scope.neutral = lead.kind, lead.neutral
        self._scope.name(body)
        self._close(block, body)

    def _close(self, block: Block, body: str) -> None:
        self._parts.append(Heading(body, block.raw_marker, len(self._drafts)))
        self._stack.clear()
        self._lead = None

    def _item(self, block: Block, body: str) -> None:
        marker = block.marker
        assert marker is not None  # noqa: S101 - the caller has looked
        self._settle(block.indent, marker)
        self._push(block, marker.style, marker, self._append(block, body))

    def _push(self, block: Block, style: str, marker: Marker | None, draft: int) -> None:
        rank = marker.rank if marker else 0
        self._stack.append(_Open(block.indent, style, marker.ordinal if marker else None, rank, draft))

    def _append(self, block: Block, body: str, *, role: Role | None = None) -> int:
        """Make a draft below the innermost open level, or below the lead-in in force."""
        parent = self._stack[-1].draft if self._stack else self._lead
        while parent is not None and self._drafts[parent].depth >= _DEEPEST:
            parent = self._drafts[parent].parent
        above = self._drafts[parent] if parent is not None else None
        draft = _Draft(
            marker=block.marker,
            raw=block.raw_marker,
            texts=[body],
            kind=above.kind if above else self._scope.kind,
            neutral=above.neutral if above else self._scope.neutral,
            parent=parent,
            depth=above.depth + 1 if above else 0,
            section=self._scope.section,
            role=role or (Role.REMARK if is_remark(body) else Role.CRITERION),
        )
        if above is not None:
            above.children.append(len(self._drafts))
        self._drafts.append(draft)
        self._parts.append(draft)
        self._scope.fresh = False
        return len(self._drafts) - 1

    def _settle(self, indent: int, marker: Marker) -> None:
        """Close the levels that an item does not belong below.

        Indentation decides where there is any. On the same column the run of numbers decides, then the kind of
        marker: a bullet below a number, a dash below a dot, or anything below a line that ends with a colon.
        """
        stack = self._stack
        while stack and (stack[-1].indent > indent or self._slipped(stack[-1], indent, marker)):
            stack.pop()
        same = next((at for at, level in enumerate(stack) if level.indent == indent), len(stack))
        for at in range(len(stack) - 1, same - 1, -1):
            if _continues_run(stack[at], marker):
                del stack[at:]
                return
        for at in range(len(stack) - 1, same - 1, -1):
            if stack[at].style == marker.style:
                if not (at == len(stack) - 1 and marker.ordinal == 1 and self._introduces(at)):
                    del stack[at:]
                return
        while len(stack) > same and not self._nests(len(stack) - 1, marker):
            stack.pop()

    def _slipped(self, level: _Open, indent: int, marker: Marker) -> bool:
        """Tell whether an item stands one column to the right only because numbers are set flush right."""
        return marker.ordinal is not None and level.style == marker.style and indent == level.indent + 1

    def _introduces(self, at: int) -> bool:
        return self._drafts[self._stack[at].draft].ending.endswith(":")

    def _nests(self, at: int, marker: Marker) -> bool:
        level = self._stack[at]
        if self._introduces(at):
            return True
        if level.style == _PARAGRAPH:
            return False
        if level.ordinal is not None:
            return marker.ordinal in (None, 1)
        return marker.ordinal is None and marker.rank > level.rank

    def _below_item(self, block: Block, body: str, following: Block | None) -> None:
        """Take a paragraph indented below an item: the item's own words, unless children came first.

        A label that the next item does not stand below ("Prior Therapy" between items 6 and 7) is a heading.
        """
        while len(self._stack) > 1 and self._stack[-1].indent >= block.indent:
            self._stack.pop()
        left = (
            following is not None
            and following.marker is not None
            and following.indent <= self._stack[-1].indent
        )
        if left and not body.endswith(":") and is_label(body, before_list=True):
            self._label(block, body)
            return
        owner = self._stack[-1].draft
        if owner == len(self._drafts) - 1 and self._parts[-1] is self._drafts[owner] and not block.hidden:
            self._drafts[owner].texts.append(body)
        else:
            self._push(block, _PARAGRAPH, None, self._append(block, body))

    def _paragraph(self, block: Block, body: str, following: Block | None, *, listed: bool) -> None:
        if self._goes_on(block, body):
            self._drafts[-1].texts.append(body)
        elif is_banner(body) or is_label(body, before_list=listed) or self._is_banner_of(body, following):
            self._label(block, body)
        elif is_lead_in(body, before_list=listed):
            self._introduce(block, body)
        else:
            remark = is_remark(body)
            if (self._stack or self._lead_is_over(body)) and not remark:
                self._lead = None
            self._stack.clear()
            self._append(block, body, role=Role.REMARK if remark else None)

    def _lead_is_over(self, body: str) -> bool:
        """Tell whether a paragraph is outside the lead-in: its list ran in lower case and came to a stop."""
        children = self._drafts[self._lead].children if self._lead is not None else []
        if not children or not body[0].isupper():
            return False
        return self._drafts[children[0]].texts[0][0].islower() and self._drafts[children[-1]].ending.endswith(
            "."
        )

    def _is_banner_of(self, body: str, following: Block | None) -> bool:
        """Tell whether a line names the part of the study whose heading or lead-in comes next.

        Below loose paragraphs it is one of them: the last criterion before "Exclusion Criteria".
        """
        if following is None or not names_a_part(body):
            return False
        below = following.body
        if not is_kind_heading(below) and (is_label(below, before_list=False) or not below.endswith(":")):
            return False
        last = self._parts[-1] if self._parts else None
        return not isinstance(last, _Draft) or last.marker is not None or last.parent is not None

    def _goes_on(self, block: Block, body: str) -> bool:
        """Tell whether a paragraph carries on the last: a lone "OR", or words torn off in mid-sentence."""
        if (
            not self._parts
            or self._parts[-1] is not (self._drafts[-1] if self._drafts else None)
            or block.hidden
        ):
            return False
        if body.strip(" .:,").lower() in _CONNECTIVES:
            return True
        before = self._drafts[-1]
        if before.marker is not None and before.ending.endswith(":") and body[0].islower():
            return True
        if before.ending.endswith(_ENDS):
            return False
        torn = (
            body[0] in ",)≤≥<>=%"
            or body.startswith(("Or, ", "And, "))
            or (body[0] == "(" and body[1:2].islower())
        )
        return torn or (body[0].islower() and (before.marker is not None or not before.texts[0][0].islower()))

    def _introduce(self, block: Block, body: str) -> None:
        """Open a lead-in: what follows stands below it until a heading, a lead-in or a loose paragraph."""
        self._stack.clear()
        self._lead = None
        noun = kind_of(body[-_TAIL:])
        if noun in (TextKind.INCLUSION, TextKind.EXCLUSION):
            self._scope.kind, self._scope.neutral = noun, False
        verb = lead_kind(body)
        self._lead = self._append(block, body, role=Role.LEAD_IN)
        opened = self._drafts[self._lead]
        if verb is TextKind.EXCLUSION or (verb is not None and opened.kind is TextKind.UNSTATED):
            opened.kind, opened.neutral = verb, False
        self._exclusion_seen |= opened.kind is TextKind.EXCLUSION

    def finish(self) -> Outline:
        """Freeze the tree: kinds of neutral sections, groups and roles can be told only now."""
        done: list[TextCriterion | Heading | Leftover] = []
        order = 0
        for part in self._parts:
            if isinstance(part, _Draft):
                done.append(self._frozen(part, order))
                order += 1
            else:
                done.append(part)
        return Outline(tuple(done))

    def _frozen(self, draft: _Draft, order: int) -> TextCriterion:
        text = " ".join(draft.texts)
        group, least = group_of(text) if draft.children else (Group.UNSTATED, None)
        if draft.children and group is Group.UNSTATED:
            group = group_of_endings([self._drafts[child].texts[-1] for child in draft.children])
        if group is Group.NONE and draft.kind is TextKind.EXCLUSION and draft.marker is None:
            group = Group.ANY  # "must meet none of these exclusion criteria": any one of them excludes
        introduces = draft.role is Role.CRITERION and (draft.children or draft.ending.endswith(":"))
        return TextCriterion(
            order=order,
            text=text,
            kind=TextKind.INCLUSION if draft.neutral and self._exclusion_seen else draft.kind,
            number=draft.marker.number if draft.marker else None,
            marker=draft.raw,
            parent=draft.parent,
            depth=draft.depth,
            section=draft.section,
            role=Role.LEAD_IN if introduces else draft.role,
            group=group,
            least=least,
        )


def _continues_run(level: _Open, marker: Marker) -> bool:
    return level.style == marker.style and marker.ordinal is not None and level.ordinal == marker.ordinal - 1
