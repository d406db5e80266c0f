"""What can be chosen on the form of a part: units, days, who tells, and codes by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from recruit.web import languages
from recruit.web.coordinator import words
from recruit.web.coordinator.leafform import MOST_UNITS
from recruit.web.coordinator.leafvalues import Subject, units_of
from recruit.web.coordinator.ruleframe import Opened
from screening.assessment.phrases import unit_words
from screening.editor.codenames import CodeNames
from screening.facts import Code, EvidenceSource
from screening.language.criteria import TODAY
from screening.units import UPPER_LIMIT
from screening.vocabulary import DEFAULT_SYSTEM, About, Answerer, Key, KeyKind

_UNITS: Final = {
    "days": _l("days"),
    "weeks": _l("weeks"),
    "months": _l("months"),
    "years": _l("years"),
}
_FORMS: Final = {
    "within": _l("within"),
    "less_than": _l("less than"),
    "at_least": _l("at least"),
    "more_than": _l("more than"),
    "between": _l("between"),
}
_SOURCES: Final = {
    EvidenceSource.LABORATORY: _l("Laboratory only"),
    EvidenceSource.RECORD: _l("Medical record, laboratory"),
    EvidenceSource.CLINICIAN: _l("Clinician, medical record, laboratory"),
    EvidenceSource.PARTICIPANT_PHONE: _l("What is told to staff, and all before"),
    EvidenceSource.PARTICIPANT_ONLINE: _l("Every answer"),
}
_STATUSES: Final = {
    About.CONDITION: {
        "ever": _l("Has it or has had it"),
        "current": _l("Has it now"),
        "past": _l("Had it, no longer has"),
        "planned": _l("Expects it"),
    },
    About.MEDICINE: {
        "ever": _l("Takes it or has taken it"),
        "current": _l("Takes it now"),
        "past": _l("Took it, no longer does"),
        "planned": _l("Plans to take it"),
    },
    About.PROCEDURE: {
        "ever": _l("Has or has had it"),
        "current": _l("Is having it now"),
        "past": _l("Had it"),
        "planned": _l("Plans to have it"),
    },
}
_DATINGS: Final = {
    "active": _l("On any day from its beginning to its end"),
    "onset": _l("When it began"),
    "ended": _l("When it ended"),
}
_COUNTS: Final = {"kind": _l("different kinds"), "episode": _l("separate times")}
_ROUTES: Final = {
    "oral": _l("by mouth"),
    "injection": _l("injected"),
    "inhaled": _l("inhaled"),
    "nasal": _l("nasal"),
    "skin": _l("on the skin"),
    "patch": _l("patch"),
    "eye": _l("eye"),
    "ear": _l("ear"),
    "vaginal": _l("vaginal"),
    "rectal": _l("rectal"),
    "mouth": _l("in the mouth"),
    "implant": _l("implant"),
    "intrauterine": _l("intrauterine"),
}


def title_of(subject: Subject) -> str:
    """Name what a form is about."""
    if subject.shape == "age":
        return str(_("Age"))
    if subject.key is not None:
        return subject.key.text("label", languages.current())
    if subject.about is not None:
        titles = {
            About.CONDITION: _("Condition"),
            About.MEDICINE: _("Medicine"),
            About.PROCEDURE: _("Procedure"),
        }
        return str(titles[subject.about])
    words_only = {"site": _("Only the site can check it"), "note": _("A note, no rule")}
    return str(words_only.get(subject.name, _("Still text")))


def named_codes(
    shown: Opened, subject: Subject, values: Mapping[str, object]
) -> dict[str, list[dict[str, str]]]:
    """Say by name what the codes in the form stand for."""
    if subject.about is None:
        return {}
    names, about = CodeNames(shown.vocabulary, languages.current()), subject.about
    told: dict[str, list[dict[str, str]]] = {}
    for name in ("codes", "but"):
        typed = [one.strip() for line in str(values.get(name) or "").splitlines() for one in line.split(",")]
        codes = [_written(one, about) for one in typed if one][:60]
        told[name] = [{"code": code.code, "title": names.title(code)} for code in codes]
    return told


def _written(typed: str, about: About) -> Code:
    system, bar, rest = typed.rpartition("|")
    return Code(system.partition("@")[0], rest) if bar else Code(DEFAULT_SYSTEM[about], typed.upper())


def lists_of(shown: Opened, subject: Subject, values: Mapping[str, object]) -> dict[str, list[words.Choice]]:
    """Give everything that can be chosen on the form."""
    key, language = subject.key, languages.current()
    anchors = [words.Choice(value=TODAY, text=_("today"))]
    anchors += [words.Choice(value=one, text=one.replace("_", " ")) for one in shown.protocol.anchors]
    lists = {
        "units": _unit_choices(key, values) if key is not None and subject.shape == "number" else [],
        "calendar": _choices(_UNITS),
        "forms": [words.Choice(value="", text=_("at any time")), *_choices(_FORMS)],
        "anchors": anchors,
        "tellers": words.options(Answerer, blank=str(_("Whoever the vocabulary says"))),
        "sources": [words.Choice(value="", text=_("Every answer, the strongest first")), *_choices(_SOURCES)],
        "low_signs": [
            words.Choice(value=">=", text=_("at least (≥)")),
            words.Choice(value=">", text=_("more than (>)")),
        ],
        "high_signs": [
            words.Choice(value="<=", text=_("at most (≤)")),
            words.Choice(value="<", text=_("less than (<)")),
        ],
        "choices": [
            words.Choice(value=one.code, text=one.label.get(language) or one.label.get("en", one.code))
            for one in (key.choices if key is not None and subject.shape == "choice" else ())
        ],
    }
    return lists | (_coded_lists(shown, subject.about, values) if subject.about is not None else {})


def _coded_lists(shown: Opened, about: About, values: Mapping[str, object]) -> dict[str, list[words.Choice]]:
    asking = [key for key in shown.vocabulary if key.kind is KeyKind.CODED and key.about is about]
    held = values.get("routes")
    unknown = [str(one) for one in held if one not in _ROUTES] if isinstance(held, list | tuple) else []
    return {
        "statuses": _choices(_STATUSES[about]),
        "datings": _choices(_DATINGS),
        "counts": _choices(_COUNTS),
        "routes": [*_choices(_ROUTES), *(words.Choice(value=one, text=one) for one in unknown)],
        "asking": [
            words.Choice(value="", text=_("The questions that fit the codes")),
            *(words.Choice(value=key.name, text=key.text("label", languages.current())) for key in asking),
        ],
    }


def _unit_choices(key: Key, values: Mapping[str, object]) -> list[words.Choice]:
    held = [str(values.get(f"unit_{row}") or "") for row in range(MOST_UNITS)]
    units = dict.fromkeys((*units_of(key), *(one for one in held if one)))
    return [
        words.Choice(
            value=unit,
            text=_("times the upper limit of normal") if unit == UPPER_LIMIT else unit_words(unit) or "1",
        )
        for unit in units
    ]


def _choices(labels: Mapping[str, LazyString] | Mapping[EvidenceSource, LazyString]) -> list[words.Choice]:
    return [words.Choice(value=str(value), text=str(text)) for value, text in labels.items()]
