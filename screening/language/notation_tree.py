"""From the parsed notation to a document: one method per form of the grammar."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeVar

from lark import Token, Transformer, Tree, v_args
from lark.tree import Meta

from screening.errors import NotationError
from screening.facts import Code, EvidenceSource
from screening.intervals import CalendarUnit, Duration
from screening.language.checks import leaf_problems
from screening.language.criteria import (
    Age,
    AllOf,
    AnyOf,
    AtLeast,
    Attested,
    Branch,
    ButNot,
    Case,
    Coded,
    Dating,
    Distinct,
    DistinctBy,
    IfThen,
    Is,
    Leaf,
    Limits,
    Node,
    NoneOf,
    Not,
    Note,
    Number,
    SiteOnly,
    Unconfirmed,
    When,
    Window,
    WindowForm,
    refusal,
)
from screening.language.protocol import Anchor, Cohort, Criterion, CriterionKind, Protocol
from screening.saying import Saying
from screening.slips import N_
from screening.terms import Terms
from screening.vocabulary import DEFAULT_SYSTEM, About, Answerer, Vocabulary, nearest

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Field = tuple[str, Any]

_ENDS: Final = {">=": "ge", ">": "gt", "<=": "le", "<": "lt"}


class End(NamedTuple):
    """One end of a range as written, such as ">= 18"."""

    sign: Token
    number: Token


def built(make: Callable[[], T], token: Token) -> T:
    """Build a part, turning what it refuses into an error at a token.

    :raises NotationError: when the part cannot be.
    """
    try:
        return make()
    except ValueError as error:
        raise slip(token, refusal(error)) from None


def build(
    tree: Tree[Token], text: str, *, vocabulary: Vocabulary | None, terms: Terms | None
) -> Protocol | Node:
    """Build what a parsed text says: a protocol, or a single rule.

    :raises NotationError: at the first thing that cannot be, or that the vocabulary does not know.
    """
    made: Protocol | Node = _Builder(text, vocabulary, terms).transform(tree)
    return made


def slip(token: Token, saying: Saying, suggestion: str | None = None) -> NotationError:
    """Make the error of a slip at a token."""
    return NotationError(token.line or 1, token.column or 1, saying, suggestion)


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    """Builds bottom-up; with a vocabulary, every leaf is held against it at once."""

    def __init__(self, text: str, vocabulary: Vocabulary | None, terms: Terms | None) -> None:
        super().__init__()
        self._text = text
        self._vocabulary = vocabulary
        self._terms = terms

    # -- the document

    def protocol(self, number: Token, *items: Field) -> Protocol:
        fields: dict[str, Any] = {"language": _count(number)}
        for name, value in items:
            if name in ("criteria", "cohorts"):
                fields.setdefault(name, []).append(value)
            elif name == "anchors":
                _once(fields.setdefault("anchors", {}), *value)
            else:
                _once(fields, value[0], value[1])
        return built(lambda: Protocol.model_validate(fields), number)

    def anchor(self, name: Token, earliest: Duration, latest: Duration, side: Token) -> Field:
        if side != "after":
            raise slip(side, Saying(N_("An anchor lies after screening.")))
        return "anchors", (name, Anchor(earliest=earliest, latest=latest))

    def cohort(self, slug: Token, name: Token) -> Field:
        return "cohorts", built(lambda: Cohort(id=str(slug), name=_text(name)), slug)

    def extension(self, name: Token, value: Token) -> Field:
        return "extension", (_named(name, _text(name)), _json(value))

    def criterion(self, word: Token, slug: Token, *properties: tuple[Token, str, Any]) -> Field:
        kind = CriterionKind.INCLUSION if word == "include" else CriterionKind.EXCLUSION
        fields: dict[str, Any] = {"id": str(slug), "kind": kind}
        for token, name, value in properties:
            if name == "wording":
                _once(fields.setdefault("wording", {}), *value)
            else:
                _once(fields, _named(token, name), value)
        if "text" not in fields:
            raise slip(slug, Saying(N_("The criterion %(id)s has no text."), {"id": str(slug)}))
        return "criteria", built(lambda: Criterion.model_validate(fields), slug)

    def number_property(self, text: Token) -> tuple[Token, str, Any]:
        return text, "number", _text(text)

    def lineage_property(self, slug: Token) -> tuple[Token, str, Any]:
        return slug, "lineage", str(slug)

    def parent_property(self, slug: Token) -> tuple[Token, str, Any]:
        return slug, "parent", str(slug)

    def cohorts_property(self, *slugs: Token) -> tuple[Token, str, Any]:
        return slugs[0], "cohorts", tuple(map(str, slugs))

    def evidence_property(self, name: Token) -> tuple[Token, str, Any]:
        return name, "evidence", _member(Answerer, name)

    def text_property(self, text: Token) -> tuple[Token, str, Any]:
        return text, "text", _text(text)

    def wording_property(self, language: Token, text: Token) -> tuple[Token, str, Any]:
        return text, "wording", (language, _text(text))

    def attach_property(self, name: Token, value: Token) -> tuple[Token, str, Any]:
        return name, _text(name), _json(value)

    @v_args(inline=True, meta=True)
    def rule_property(self, meta: Meta, node: Node) -> tuple[Token, str, Any]:
        return _token(meta), "rule", node

    @v_args(inline=True, meta=True)
    def unless_property(self, meta: Meta, node: Node) -> tuple[Token, str, Any]:
        return _token(meta), "unless", node

    # -- groups

    def all_chain(self, *parts: Node) -> Node:
        return AllOf(of=parts)

    def any_chain(self, *parts: Node) -> Node:
        return AnyOf(of=parts)

    all_of, any_of = all_chain, any_chain

    def none_of(self, *parts: Node) -> Node:
        return NoneOf(of=parts)

    def at_least(self, count: Token, *parts: Node) -> Node:
        return built(lambda: AtLeast(count=_count(count), of=parts), count)

    def but_not(self, node: Node, word: Token, exempt: Node) -> Node:
        return built(lambda: ButNot(of=node, exempt=exempt), word)

    def if_then(self, when: Node, then: Node) -> Node:
        return IfThen(when=when, then=then)

    def negation(self, node: Node) -> Node:
        return Not(of=node)

    def case(self, *parts: Branch | Field) -> Node:
        branches = tuple(part for part in parts if isinstance(part, Branch))
        rest = [part[1] for part in parts if not isinstance(part, Branch)]
        return Case(branches=branches, otherwise=rest[0] if rest else None)

    def branch(self, when: Node, then: Node) -> Branch:
        return Branch(when=when, then=then)

    def otherwise(self, node: Node) -> Field:
        return "otherwise", node

    def site(self, text: Token) -> Node:
        return built(lambda: SiteOnly(text=_text(text)), text)

    def unconfirmed(self, text: Token) -> Node:
        return built(lambda: Unconfirmed(text=_text(text)), text)

    def note(self, text: Token) -> Node:
        return built(lambda: Note(text=_text(text)), text)

    # -- leaves

    @v_args(inline=True, meta=True)
    def leaf(self, meta: Meta, made: Callable[..., Leaf], *suffixes: Field) -> Leaf:
        token = _token(meta)
        leaf = built(lambda: made(**dict(suffixes)), token)
        if self._vocabulary is not None and self._terms is not None:
            for problem in leaf_problems(leaf, vocabulary=self._vocabulary, terms=self._terms):
                place = self._text.find(problem.word, meta.start_pos, meta.end_pos)
                raise slip(_at(self._text, place) if place >= 0 else token, problem.saying, problem.suggestion)
        return leaf

    def decided(self, name: Token) -> Field:
        return "decides_from", _member(EvidenceSource, name)

    def told(self, name: Token) -> Field:
        return "told_by", _member(Answerer, name)

    def number(self, key: Token, *parts: Limits | Field) -> Callable[..., Leaf]:
        limits = tuple(part for part in parts if isinstance(part, Limits))
        fields = dict(part for part in parts if not isinstance(part, Limits))
        return lambda **more: Number(key=str(key), limits=limits, **fields, **more)

    def rounded(self, number: Token) -> Field:
        return "rounded_to", _count(number)

    def measured(self, window: Window) -> Field:
        return "window", window

    def between_range(self, low: Token, high: Token, unit: Token) -> Limits:
        return built(lambda: Limits(unit=str(unit), ge=Decimal(low), le=Decimal(high)), low)

    def open_range(self, *parts: End | Token) -> Limits:
        ends, unit = _ends(parts)
        fields = {name: Decimal(number) for name, number in ends.items()}
        return built(lambda: Limits.model_validate({"unit": str(unit), **fields}), unit)

    def end(self, sign: Token, number: Token) -> End:
        return End(sign, number)

    def age_between(self, low: Token, high: Token, unit: Token) -> Callable[..., Leaf]:
        ge, le = _count(low), _count(high)
        return lambda **more: Age(unit=_calendar(unit), ge=ge, le=le, **more)

    def age_open(self, *parts: End | Token) -> Callable[..., Leaf]:
        ends, unit = _ends(parts)
        fields: dict[str, Any] = {name: _count(number) for name, number in ends.items()}
        return lambda **more: Age(unit=_calendar(unit), **fields, **more)

    def day(self, key: Token, window: Window) -> Callable[..., Leaf]:
        return lambda **more: When(key=str(key), window=window, **more)

    def choice(self, key: Token, code: Token) -> Callable[..., Leaf]:
        return lambda **more: Is(key=str(key), codes=(str(code),), **more)

    def choices(self, key: Token, *codes: Token) -> Callable[..., Leaf]:
        return lambda **more: Is(key=str(key), codes=tuple(map(str, codes)), **more)

    def attested(self, key: Token, answer: Token) -> Callable[..., Leaf]:
        return lambda **more: Attested(key=str(key), value=answer == "yes", **more)

    def coded(
        self, about: Token, word: Token, codes: Sequence[Token], *parts: Token | list[Field]
    ) -> Callable[..., Leaf]:
        system = DEFAULT_SYSTEM[About(str(about))]
        fields: dict[str, Any] = {"about": About(str(about)), "such_as": word != "in"}
        fields["codes"] = tuple(_code(code, system) for code in codes)
        for part in parts:
            fields.update({"status": str(part)} if isinstance(part, Token) else dict(part))
        fields["but"] = tuple(_code(code, system) for code in fields.get("but", ()))
        return lambda **more: Coded.model_validate({**fields, **more})

    def distinct(self, count: Token, by: Token, coded: Callable[..., Leaf]) -> Callable[..., Leaf]:
        kind = DistinctBy(str(by).removesuffix("s"))
        return lambda **more: Distinct.model_validate({"count": int(count), "by": kind, "of": coded(), **more})

    def codes(self, *codes: Token) -> Sequence[Token]:
        return codes

    def but_not_in(self, _word: Token, codes: Sequence[Token]) -> list[Field]:
        return [("but", codes)]

    def dated(self, *parts: Token | Window) -> list[Field]:
        return [("dating", Dating(str(p))) if isinstance(p, Token) else ("window", p) for p in parts]

    def lasting(self, duration: Duration) -> list[Field]:
        return [("for_at_least", duration)]

    def unchanged(self, duration: Duration) -> list[Field]:
        return [("unchanged_for", duration)]

    def dose(self, limits: Limits) -> list[Field]:
        return [("dose", limits)]

    def route(self, *names: Token) -> list[Field]:
        return [("routes", tuple(map(str, names)))]

    def asked(self, name: Token) -> list[Field]:
        return [("key", str(name))]

    # -- time

    def duration(self, number: Token, unit: Token) -> Duration:
        return built(lambda: Duration(_count(number), _calendar(unit)), number)

    def within(self, *parts: Duration | Token) -> Window:
        return _window(WindowForm.WITHIN, parts)

    def less_than(self, *parts: Duration | Token) -> Window:
        return _window(WindowForm.LESS_THAN, parts)

    def at_least_away(self, *parts: Duration | Token) -> Window:
        return _window(WindowForm.AT_LEAST, parts)

    def more_than(self, *parts: Duration | Token) -> Window:
        return _window(WindowForm.MORE_THAN, parts)

    def between_away(self, *parts: Duration | Token) -> Window:
        return _window(WindowForm.BETWEEN, parts)

    def QUOTED_NAME(self, token: Token) -> Token:  # noqa: N802 - named after the terminal
        return token.update(value=token.value.strip("`"))


def _window(form: WindowForm, parts: Iterable[Duration | Token]) -> Window:
    lengths = [part for part in parts if isinstance(part, Duration)]
    side, anchor = (part for part in parts if isinstance(part, Token))
    fields: dict[str, object] = {"form": form, "side": str(side), "anchor": str(anchor)}
    fields |= dict(zip(("length", "upto"), lengths, strict=False))
    return built(lambda: Window.model_validate(fields), side)


def _ends(parts: Iterable[End | Token]) -> tuple[dict[str, Token], Token]:
    """Take apart what stands in a range: its ends by name, and its unit."""
    fields: dict[str, Token] = {}
    unit = Token("UNIT", "1")
    for part in parts:
        if isinstance(part, Token):
            unit = part
            continue
        if _ENDS[part.sign] in fields:
            raise slip(part.sign, _twice(part.sign))
        fields[_ENDS[part.sign]] = part.number
    return fields, unit


def _code(token: Token, default: str) -> Code:
    system, bar, code = token.rpartition("|")
    name, _, release = system.partition("@")
    return Code(name if bar else default, code, release)


def _count(token: Token) -> int:
    if not token.isdigit() or len(token) > 6:
        raise slip(token, Saying(N_("%(word)s is not a whole number."), {"word": str(token)}))
    return int(token)


def _calendar(token: Token) -> CalendarUnit:
    return CalendarUnit(token.rstrip("s") + "s")


def _member(kind: type[E], token: Token) -> E:
    words = [member.value for member in kind]
    if token not in words:
        unknown = Saying(N_("“%(word)s” is none of %(words)s."), {"word": str(token), "words": tuple(words)})
        raise slip(token, unknown, nearest(str(token), words))
    return kind(str(token))


def _text(token: Token) -> str:
    try:
        text: str = json.loads(token, strict=False)
    except ValueError:
        raise slip(token, Saying(N_("This text has a backslash that says nothing."))) from None
    return text


def _json(token: Token) -> object:
    try:
        value: object = json.loads(_text(token))
    except ValueError:
        raise slip(token, Saying(N_("This is not JSON."))) from None
    return value


def _named(token: Token, name: str) -> Token:
    return token.update(value=name)


def _once(fields: dict[str, Any], name: Token | str, value: object) -> None:
    if str(name) in fields:
        if isinstance(name, Token):
            raise slip(name, _twice(name))
        raise ValueError(str(_twice(name)))
    fields[str(name)] = value


def _twice(word: str) -> Saying:
    return Saying(N_("%(word)s stands there twice."), {"word": str(word)})


def _at(text: str, place: int) -> Token:
    """Make a token that stands for a place in the text."""
    start = text.rfind("\n", 0, place) + 1
    return Token("PLACE", "", line=text.count("\n", 0, place) + 1, column=place - start + 1)


def _token(meta: Meta) -> Token:
    """Make a token that stands for the place where something begins."""
    return Token("PLACE", "", line=getattr(meta, "line", 1), column=getattr(meta, "column", 1))
