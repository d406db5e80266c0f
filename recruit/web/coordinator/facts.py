"""The facts that a rule can ask for: listed by field, and found by what somebody types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from recruit.vocabulary import terms
from recruit.web import languages
from recruit.web.coordinator.ruleframe import Opened
from screening.editor.codenames import CodeNames
from screening.facts import Code
from screening.language.questions import BIRTH
from screening.medicine_names import tidy
from screening.vocabulary import DEFAULT_SYSTEM, STUDY_PREFIX, About, Answerer, Key, KeyKind

_FIELDS: Final = {
    "study": _l("This study's own facts"),
    "person": _l("Age, choices, yes or no"),
    "numbers": _l("Measurements and scores"),
    "results": _l("Laboratory results"),
    "dates": _l("Days"),
    "condition": _l("Conditions"),
    "procedure": _l("Procedures"),
    "medicine": _l("Medicines"),
    "other": _l("Not a fact we can ask for"),
}
_OTHERS: Final = {
    "codes.condition": ("condition", _l("Any condition, by name or ICD-10-CM code")),
    "codes.procedure": ("procedure", _l("Any procedure, by name or ICD-10-CM code")),
    "codes.medicine": ("medicine", _l("Any medicine, by name or ATC code")),
    "site": ("other", _l("Only the site can check it")),
    "note": ("other", _l("A note, no rule")),
}
_AGE: Final = _l("Age")
_SYSTEMS: Final = {DEFAULT_SYSTEM[about]: about for about in (About.CONDITION, About.MEDICINE)}
_TELLING: Final = 5
"""From how many signs on a code that fits two systems is taken for the one that names it."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry of the list: how it is named in an address, what it is called."""

    name: str
    label: str
    field: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody typed stands for: a fact, perhaps with the words that go into its form."""

    name: str
    codes: str = ""


def every(shown: Opened) -> list[Fact]:
    """List all facts, each field in the order of the vocabulary."""
    language = languages.current()
    listed = [Fact(BIRTH, str(_AGE), "person")]
    listed += [
        Fact(f"day.{key.name}" if key.name == BIRTH else key.name, key.text("label", language), _field(key))
        for key in shown.vocabulary
    ]
    others = [Fact(name, str(label), group) for name, (group, label) in _OTHERS.items()]
    order = list(_FIELDS)
    return sorted((*listed, *others), key=lambda fact: order.index(fact.field))


def grouped(shown: Opened, wanted: str = "") -> list[tuple[str, list[Fact]]]:
    """List the facts whose label or name has all words typed, by field; all where nothing was typed."""
    parts = tidy(wanted).split()
    found: dict[str, list[Fact]] = {}
    for fact in every(shown):
        text = f"{tidy(fact.label)} {tidy(fact.name)}"
        if all(part in text for part in parts):
            found.setdefault(fact.field, []).append(fact)
    return [(str(_FIELDS[name]), facts) for name, facts in found.items()]


def labels(shown: Opened) -> list[str]:
    """List what can be typed to name a fact."""
    return list(dict.fromkeys(fact.label for fact in every(shown)))


def named(shown: Opened, typed: str) -> Choice | None:
    """Find the one fact that was typed: by its name or label, as a code, or as a name of codes."""
    words = tidy(typed)
    if not words:
        return None
    facts = every(shown)
    for fact in facts:
        if typed == fact.name or words == tidy(fact.label):
            return Choice(fact.name)
    coded = as_codes(shown, typed)
    if len(coded) == 1:
        return coded[0]
    alike = [fact for _field, group in grouped(shown, typed) for fact in group]
    return Choice(alike[0].name) if len(alike) == 1 and not coded else None


def as_codes(shown: Opened, typed: str) -> list[Choice]:
    """List what was typed may mean as a code or a name of codes: C10 is a cancer, and a class of medicines."""
    names = CodeNames(shown.vocabulary, languages.current())
    written = typed.strip().upper()
    codes = [Code(system, written) for system in _SYSTEMS if any(sign.isdigit() for sign in written)]
    codes = [code for code in codes if terms().problem(code) is None]
    if len(codes) > 1 and len(written) >= _TELLING:
        codes = [code for code in codes if names.title(code)] or codes
    found = [Choice(f"codes.{_SYSTEMS[code.system].value}", written) for code in codes]
    meant = names.find(typed)
    return found if meant is None else [*found, Choice(f"codes.{meant.about.value}", typed.strip())]


def label_of(choice: Choice) -> str:
    """Name what a code is taken for."""
    kinds = {
        About.CONDITION: _("%(code)s as a condition", code=choice.codes),
        About.PROCEDURE: _("%(code)s as a procedure", code=choice.codes),
        About.MEDICINE: _("%(code)s as a medicine", code=choice.codes),
    }
    return str(kinds[About(choice.name.removeprefix("codes."))])


def _field(key: Key) -> str:
    if key.name.startswith(STUDY_PREFIX):
        return "study"
    match key.kind:
        case KeyKind.QUANTITY:
            return "results" if Answerer.LABORATORY in key.told_by else "numbers"
        case KeyKind.DATE:
            return "dates"
        case KeyKind.CODED:
            return key.about.value if key.about else "other"
        case _:
            return "person"
