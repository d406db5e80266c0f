"""One part of a rule as the fields of a form: what it is about, and what its form is filled with."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from screening.facts import Code
from screening.intervals import CalendarUnit, Duration
from screening.language.criteria import (
    Age,
    Attested,
    Coded,
    CodedStatus,
    Distinct,
    Is,
    Leaf,
    Limits,
    Node,
    Note,
    Number,
    SiteOnly,
    Unconfirmed,
    When,
    Window,
    WindowForm,
)
from screening.language.questions import BIRTH
from screening.units import UPPER_LIMIT
from screening.vocabulary import DEFAULT_SYSTEM, About, Answerer, Key, KeyKind, Vocabulary

LOW: Final = {"ge": ">=", "gt": ">"}
HIGH: Final = {"le": "<=", "lt": "<"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a part is about: a key of the vocabulary, codes of one kind, or words."""

    shape: str
    name: str
    key: Key | None = None
    about: About | None = None


def subject_of(name: str, vocabulary: Vocabulary) -> Subject | None:
    """Give the subject of a name: a key, "codes.medicine", "day.birth", "site", "note"; or nothing."""
    if name in ("site", "note", "text"):
        return Subject(name, name)
    if name.startswith("codes.") and name.removeprefix("codes.") in [one.value for one in About]:
        return Subject("coded", name, about=About(name.removeprefix("codes.")))
    key = vocabulary.get(name.removeprefix("day."))
    if key is None:
        return None
    if key.name == BIRTH:
        return Subject("age" if name == BIRTH else "date", name, key)
    shapes = {
        KeyKind.QUANTITY: "number",
        KeyKind.DATE: "date",
        KeyKind.CHOICE: "choice",
        KeyKind.FLAG: "flag",
        KeyKind.CODED: "coded",
    }
    return Subject(shapes[key.kind], name, key, key.about)


def subject_of_leaf(node: Node, vocabulary: Vocabulary) -> Subject | None:
    """Give the subject of a leaf that stands in a rule."""
    match node:
        case Age():
            return subject_of(BIRTH, vocabulary)
        case When() if node.key == BIRTH:
            return subject_of(f"day.{BIRTH}", vocabulary)
        case Number() | When() | Is() | Attested():
            return subject_of(node.key, vocabulary)
        case Coded():
            return Subject("coded", f"codes.{node.about.value}", about=node.about)
        case Distinct():
            return Subject("coded", f"codes.{node.of.about.value}", about=node.of.about)
        case SiteOnly() | Note() | Unconfirmed():
            return Subject(node.op, node.op)
        case _:
            return None


def first_values(subject: Subject) -> dict[str, object]:
    """Fill a new form with what goes without saying."""
    values: dict[str, object] = {"low_sign_0": ">=", "high_sign_0": "<=", "w_form": "", "w_side": "before"}
    key = subject.key
    if subject.shape == "number" and key is not None:
        values["unit_0"] = key.unit or ""
    if subject.shape == "age":
        values["unit_0"] = CalendarUnit.YEARS.value
    if subject.shape == "flag":
        values["answer"] = "yes"
    if subject.shape == "date":
        values |= {"w_form": WindowForm.WITHIN.value, "w_unit": CalendarUnit.MONTHS.value}
    if subject.shape == "coded":
        values["status"] = CodedStatus.EVER.value
        if key is not None:
            values["codes"] = "\n".join(key.denies)
            values["but"] = "\n".join(key.denies_but)
    return values


def values_of(node: Node) -> dict[str, object]:
    """Fill the form with a leaf as it stands."""
    values: dict[str, object] = {}
    if isinstance(node, Leaf):
        values["decides_from"] = node.decides_from.value if node.decides_from else ""
        values["told_by"] = node.told_by.value if node.told_by else ""
    match node:
        case Distinct():
            return values | _coded_values(node.of) | {"count": str(node.count), "by": node.by.value}
        case Coded():
            return values | _coded_values(node)
        case SiteOnly() | Note() | Unconfirmed():
            return {"words": node.text}
        case _:
            return values | _plain_values(node)


def _plain_values(node: Node) -> dict[str, object]:
    match node:
        case Number():
            rows = [_row(one, str(at)) | {f"unit_{at}": one.unit} for at, one in enumerate(node.limits)]
            rounded = "" if node.rounded_to is None else str(node.rounded_to)
            merged = {name: value for row in rows for name, value in row.items()}
            return merged | {"rounded_to": rounded} | _window_values(node.window)
        case Age():
            return _row(node, "0") | {"unit_0": node.unit.value}
        case When():
            return _window_values(node.window)
        case Is():
            return {"choices": node.codes}
        case Attested():
            return {"answer": "yes" if node.value else "no"}
        case _:
            return {}


def _row(limits: Limits | Age, row: str) -> dict[str, object]:
    low = next((name for name in LOW if getattr(limits, name) is not None), "ge")
    high = next((name for name in HIGH if getattr(limits, name) is not None), "le")
    return {
        f"low_sign_{row}": LOW[low],
        f"low_{row}": _figure(getattr(limits, low)),
        f"high_sign_{row}": HIGH[high],
        f"high_{row}": _figure(getattr(limits, high)),
    }


def _figure(number: Decimal | int | None) -> str:
    return "" if number is None else format(number, "f") if isinstance(number, Decimal) else str(number)


def _window_values(window: Window | None) -> dict[str, object]:
    if window is None:
        return {"w_form": "", "w_side": "before"}
    return {
        "w_form": window.form.value,
        "w_side": window.side,
        "w_anchor": window.anchor,
        **_length_values("w", window.length),
        **_length_values("w_upto", window.upto),
    }


def _length_values(name: str, length: Duration | None) -> dict[str, object]:
    if length is None:
        return {}
    return {f"{name}_count": str(length.count), f"{name}_unit": length.unit.value}


def _coded_values(leaf: Coded) -> dict[str, object]:
    values: dict[str, object] = {
        "codes": "\n".join(write_code(code, leaf.about) for code in leaf.codes),
        "but": "\n".join(write_code(code, leaf.about) for code in leaf.but),
        "such_as": "yes" if leaf.such_as else "",
        "status": leaf.status.value,
        "dating": leaf.dating.value,
        "routes": leaf.routes,
        "asked_by": leaf.key or "",
        **_window_values(leaf.window),
        **_length_values("lasting", leaf.for_at_least),
        **_length_values("steady", leaf.unchanged_for),
    }
    if leaf.dose is not None:
        values |= _row(leaf.dose, "dose") | {"unit_dose": leaf.dose.unit}
    return values


def write_code(code: Code, about: About) -> str:
    """Write a code as it is typed: the system only where it is not the usual one."""
    if code.system == DEFAULT_SYSTEM[about] and not code.release:
        return code.code
    return f"{code.system}{'@' + code.release if code.release else ''}|{code.code}"


def units_of(key: Key) -> list[str]:
    """List the units that a number of a key may be compared in, multiples of the upper limit for results."""
    multiples = [UPPER_LIMIT] if Answerer.LABORATORY in key.told_by and key.computed is None else []
    return [*key.units, *multiples]
