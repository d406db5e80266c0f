"""Writing criteria in the notation: always the same text for the same document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final, assert_never

from screening.facts import Code
from screening.language.criteria import (
    Age,
    AllOf,
    AnyOf,
    AtLeast,
    Attested,
    ButNot,
    Case,
    Coded,
    CodedStatus,
    Dating,
    Distinct,
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
)
from screening.language.protocol import Criterion, CriterionKind, Protocol
from screening.vocabulary import DEFAULT_SYSTEM, About

_FIRST_WORDS: Final = frozenset(
    "age all any at case condition if medicine none not note procedure site text".split()  # noqa: SIM905
)
_ANSWERS: Final = frozenset(("no", "one", "yes"))
"""Words that mean something else where a key or a choice may stand; as names they get backquotes."""

_WIDTH: Final = 100


def write(protocol: Protocol) -> str:
    """Write a protocol document in the notation."""
    lines = [f"language {protocol.language}"]
    for name, anchor in protocol.anchors.items():
        lines.append(f"anchor {name} between {anchor.earliest} and {anchor.latest} after screening")
    lines.extend(f"cohort {cohort.id} {_string(cohort.name)}" for cohort in protocol.cohorts)
    lines.extend(
        f"extension {_string(name)} {_string(json.dumps(protocol.extensions[name]))}"
        for name in sorted(protocol.extensions)
    )
    for criterion in protocol.criteria:
        lines.extend(("", *_criterion(criterion)))
    return "\n".join(lines) + "\n"


def write_rule(node: Node) -> str:
    """Write one rule in the notation, on one line."""
    match node:
        case AllOf() if len(node.of) > 1:
            return " and ".join(map(_term, node.of))
        case AnyOf() if len(node.of) > 1:
            return " or ".join(map(_term, node.of))
        case ButNot():
            return f"{_term(node.of)} but not {_term(node.exempt)}"
        case IfThen():
            when = _term(node.when) if isinstance(node.when, IfThen) else write_rule(node.when)
            return f"if {when} then {write_rule(node.then)}"
        case _:
            return _term(node)


def _criterion(criterion: Criterion) -> Iterator[str]:
    word = "include" if criterion.kind is CriterionKind.INCLUSION else "exclude"
    yield f"{word} {criterion.id}"
    if criterion.number:
        yield f"  number {_string(criterion.number)}"
    if criterion.lineage != criterion.id:
        yield f"  lineage {criterion.lineage}"
    if criterion.parent is not None:
        yield f"  parent {criterion.parent}"
    if criterion.cohorts:
        yield f"  cohorts {', '.join(criterion.cohorts)}"
    if criterion.evidence is not None:
        yield f"  evidence {criterion.evidence.value}"
    yield f"  text {_string(criterion.text)}"
    for language in sorted(criterion.wording):
        yield f"  wording {language} {_string(criterion.wording[language])}"
    for name in sorted(criterion.extensions):
        yield f"  attach {_string(name)} {_string(json.dumps(criterion.extensions[name]))}"
    if criterion.rule is not None:
        yield from _rule_lines("rule", criterion.rule)
    if criterion.unless is not None:
        yield from _rule_lines("unless", criterion.unless)


def _rule_lines(word: str, node: Node) -> Iterator[str]:
    """Write a rule on one line, or a long chain with one part on each."""
    line = f"  {word} {write_rule(node)}"
    if len(line) <= _WIDTH or not isinstance(node, AllOf | AnyOf) or len(node.of) < 2:
        yield line
        return
    joint = "and" if isinstance(node, AllOf) else "or"
    first, *rest = map(_term, node.of)
    yield f"  {word} {first}"
    for part in rest:
        yield f"    {joint} {part}"


def _term(node: Node) -> str:
    """Write a node so that it can stand beside and, or and not."""
    match node:
        case AllOf() | AnyOf():
            word = "all" if isinstance(node, AllOf) else "any"
            return f"({write_rule(node)})" if len(node.of) > 1 else f"{word} of {_group(node.of)}"
        case NoneOf():
            return f"none of {_group(node.of)}"
        case AtLeast():
            return f"at least {node.count} of {_group(node.of)}"
        case ButNot() | IfThen():
            return f"({write_rule(node)})"
        case Not():
            return f"not {_term(node.of)}"
        case Case():
            return _case(node)
        case SiteOnly() | Unconfirmed() | Note():
            return f"{node.op}({_string(node.text)})"
        case Number() | Age() | When() | Is() | Attested() | Coded() | Distinct():
            return _leaf(node)
        case _:
            assert_never(node)


def _group(parts: Iterable[Node]) -> str:
    return f"({'; '.join(map(write_rule, parts))})"


def _case(node: Case) -> str:
    words = ["case"]
    for branch in node.branches:
        words.append(f"when {write_rule(branch.when)} then {write_rule(branch.then)}")
    if node.otherwise is not None:
        words.append(f"else {write_rule(node.otherwise)}")
    return " ".join((*words, "end"))


def _leaf(node: Number | Age | When | Is | Attested | Coded | Distinct) -> str:
    words = [_question(node)]
    if node.decides_from is not None:
        words.append(f"decided by {node.decides_from.value}")
    if node.told_by is not None:
        words.append(f"told by {node.told_by.value}")
    return " ".join(words)


def _question(node: Leaf) -> str:
    match node:
        case Number():
            return _number(node)
        case Age():
            return f"age {_ends(node.ge, node.gt, node.le, node.lt)} {node.unit.value}"
        case When():
            return f"{_key(node.key)} {_window(node.window)}"
        case Is():
            if len(node.codes) > 1:
                return f"{_key(node.key)} is one of {_names(node.codes)}"
            code = node.codes[0]
            return f"{_key(node.key)} is " + (f"`{code}`" if code in _ANSWERS else code)
        case Attested():
            return f"{_key(node.key)} is {'yes' if node.value else 'no'}"
        case Coded():
            return _coded(node)
        case Distinct():
            return f"at least {node.count} {node.by.value}s of {_coded(node.of)}"
        case _:
            raise TypeError(f"no notation for {type(node).__name__}")


def _number(node: Number) -> str:
    words = [_key(node.key), " | ".join(map(_range, node.limits))]
    if node.rounded_to is not None:
        words.append(f"rounded to {node.rounded_to}")
    if node.window is not None:
        words.append(f"measured {_window(node.window)}")
    return " ".join(words)


def _coded(node: Coded) -> str:
    words = [node.about.value, "such as" if node.such_as else "in", _codes(node.codes, node.about)]
    if node.but:
        words.append(f"but not in {_codes(node.but, node.about)}")
    if node.status is not CodedStatus.EVER:
        words.append(node.status.value)
    if node.window is not None:
        dating = "" if node.dating is Dating.ACTIVE else f"{node.dating.value} "
        words.append(dating + _window(node.window))
    if node.for_at_least is not None:
        words.append(f"for at least {node.for_at_least}")
    if node.unchanged_for is not None:
        words.append(f"unchanged for at least {node.unchanged_for}")
    if node.dose is not None:
        words.append(f"dose {_range(node.dose)}")
    if node.routes:
        words.append(f"route {_names(node.routes)}")
    if node.key is not None:
        words.append(f"asked by {node.key}")
    return " ".join(words)


def _codes(codes: Iterable[Code], about: About) -> str:
    return f"({', '.join(_code(code, about) for code in codes)})"


def _code(code: Code, about: About) -> str:
    if code.system == DEFAULT_SYSTEM[about] and not code.release:
        return code.code
    return f"{code.system}{'@' + code.release if code.release else ''}|{code.code}"


def _range(limits: Limits) -> str:
    return f"{_ends(limits.ge, limits.gt, limits.le, limits.lt)} {limits.unit}"


def _ends(
    ge: Decimal | int | None, gt: Decimal | int | None, le: Decimal | int | None, lt: Decimal | int | None
) -> str:
    if ge is not None and le is not None:
        return f"between {_figure(ge)} and {_figure(le)}"
    ends = ((">=", ge), (">", gt), ("<=", le), ("<", lt))
    return ", ".join(f"{sign} {_figure(end)}" for sign, end in ends if end is not None)


def _figure(number: Decimal | int) -> str:
    return format(number, "f") if isinstance(number, Decimal) else str(number)


def _window(window: Window) -> str:
    length = str(window.length)
    if window.form is WindowForm.BETWEEN:
        length = f"{window.length} and {window.upto}"
    return f"{window.form.value.replace('_', ' ')} {length} {window.side} {window.anchor}"


def _names(names: Iterable[str]) -> str:
    return f"({', '.join(names)})"


def _key(name: str) -> str:
    return f"`{name}`" if name in _FIRST_WORDS else name


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
