"""A question as a page shows it: fields, values and problems, for participants and for staff who ask aloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from flask import url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from recruit.web.fields import Problem
from screening.asking import naming
from screening.asking.answers import error_text
from screening.asking.forms import PICKED, TYPED, Posted, take_apart
from screening.asking.items import (
    Age,
    CodedList,
    Day,
    DecimalNumber,
    Height,
    Integer,
    Item,
    Multiple,
    NamedList,
    QuantityNumber,
    Single,
    StatementPage,
    Weight,
    YesNo,
)
from screening.asking.questionnaire import Document
from screening.asking.responses import DECLINED, DONT_KNOW, Answer, as_form
from screening.asking.summary import say_told
from screening.intervals import CalendarUnit
from screening.slips import MESSAGES, Problems, Slip
from screening.texts import Respondent

Values = dict[str, list[str]]
LONGEST_SHOWN = 5_000

# The fields of the screening core, and the names that the macros give to their boxes.
PARTS = {
    "feet": "ft",
    "inches": "in",
    "cm": "cm",
    "lb": "lb",
    "kg": "kg",
    "stone": "st",
    "pounds": "st-lb",
    "month": "month",
    "day": "day",
    "year": "year",
}
_WAYS = {
    "ft_in": ("ft", "in"),
    "cm": ("cm",),
    "lb": ("lb",),
    "kg": ("kg",),
    "st_lb": ("st", "st-lb"),
}
_KINDS = {
    "yes_no": "radios",
    "single": "radios",
    "multiple": "checkboxes",
    "coded_list": "checkboxes",
    "named_list": "named",
    "height": "measure",
    "weight": "measure",
    "date": "date",
    "integer": "number",
    "decimal": "number",
    "quantity": "number",
    "age": "age",
    "zip": "zip",
    "short_text": "words",
    "statement": "statement",
}


class Choice(TypedDict, total=False):
    """One option of a group, or the divider between options."""

    value: str
    text: str
    hint: str
    exclusive: bool
    divider: str


class Box(TypedDict):
    """One box of a measurement."""

    part: str
    label: str
    chars: int


@dataclass(frozen=True, slots=True)
class Naming:
    """What a list of named conditions or medicines shows besides its box."""

    about: str
    named: list[Choice]
    unclear: str
    meanings: list[Choice]
    none: Choice | None
    suggestions_url: str


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Everything that the fields of one question need; texts are the approved ones, verbatim."""

    kind: str
    text: str
    hint: str | None
    why: str | None
    section: str | None
    options: list[Choice]
    instead: list[Choice]
    values: Values
    problems: list[Problem]
    error: str | None
    wrong: list[str]
    confirm: str | None
    order: str
    ways: list[list[Box]]
    suffix: str | None
    units: list[Choice]
    takes_other: bool
    takes_ago: bool
    is_own: bool
    naming: Naming | None = None

    def value(self, name: str) -> str | None:
        """Give what a box holds."""
        return next(iter(self.values.get(name, [])), None)

    @property
    def boxes(self) -> dict[str, str | None]:
        """Give what the boxes of a date or measurement hold, by part."""
        return {part: self.value(field) for field, part in PARTS.items()}


def read_form(form: MultiDict[str, str]) -> Values:
    """Collect the fields of one question from a posted form, under the names of the core."""
    names = (*TYPED, *PICKED)
    found = {name: form.getlist(f"answer-{PARTS[name]}" if name in PARTS else name) for name in names}
    return {name: values for name, values in found.items() if values}


def page_of(
    item: Item,
    document: Document,
    *,
    language: str,
    respondent: Respondent,
    answer: Answer | None = None,
    posted: Values | None = None,
    problems: Problems | None = None,
) -> ItemPage:
    """Prepare a question: as it was answered, or as it was posted with what is wrong."""
    section = document.section_title(item)
    order, ways = _order(item, language), _ways(item)
    shown = _problems(item, problems, language=language, respondent=respondent, order=order, ways=ways)
    values = _shown(posted) if posted is not None else _given(item, answer)
    listed = _naming(item, values, language, respondent) if isinstance(item, NamedList) else None
    soft = next((one for one in problems.items if one.soft), None) if problems else None
    return ItemPage(
        kind=_kind(item),
        text=item.text.say(language, respondent),
        hint=item.hint.say(language, respondent) if item.hint else None,
        why=item.why_we_ask.say(language, respondent) if item.why_we_ask else None,
        section=section.say(language, respondent) if section else None,
        options=_options(item, language, respondent),
        instead=_instead(item, language, respondent),
        values=values if listed is None else _still_typed(values, listed, problems),
        problems=shown,
        error=shown[0].text if shown else None,
        wrong=[PARTS[one.field] for one in problems.items if one.field in PARTS] if problems else [],
        confirm=soft.params.get("confirm") if soft else None,
        order=order,
        ways=ways,
        suffix=_suffix(item, language, respondent),
        units=_units(item, language, respondent),
        takes_other=isinstance(item, CodedList) and item.other,
        takes_ago=isinstance(item, Day) and "ago" in item.accepts,
        is_own=respondent is Respondent.SELF,
        naming=listed,
    )


def _kind(item: Item) -> str:
    """Name the fields that a question has; a date without boxes is only "so long ago"."""
    if isinstance(item, Day) and not {"day", "month", "year"} & set(item.accepts):
        return "ago"
    return _KINDS[item.type]


def _options(item: Item, language: str, respondent: Respondent) -> list[Choice]:
    if not isinstance(item, YesNo | Single | Multiple | CodedList):
        return []
    choices = [
        Choice(
            value=option.code,
            text=option.text.say(language, respondent),
            hint=option.hint.say(language, respondent) if option.hint else "",
            exclusive=option.exclusive,
        )
        for option in item.options
    ]
    absent = _absences(item, language, respondent)
    return [*choices, Choice(divider=_("or")), *absent] if absent else choices


def _instead(item: Item, language: str, respondent: Respondent) -> list[Choice]:
    if isinstance(item, YesNo | Single | Multiple | CodedList | StatementPage):
        return []
    return _absences(item, language, respondent)


def _absences(item: Item, language: str, respondent: Respondent) -> list[Choice]:
    offered = []
    if item.allow_unknown:
        offered.append(
            Choice(value=DONT_KNOW, text=item.unknown_text.say(language, respondent), exclusive=True)
        )
    if item.allow_decline:
        offered.append(
            Choice(value=DECLINED, text=item.declined_text.say(language, respondent), exclusive=True)
        )
    return offered


def _units(item: Item, language: str, respondent: Respondent) -> list[Choice]:
    if not isinstance(item, QuantityNumber) or len(item.units) < 2:
        return []
    return [Choice(value=unit.code, text=unit.text.say(language, respondent)) for unit in item.units]


def _suffix(item: Item, language: str, respondent: Respondent) -> str | None:
    match item:
        case Integer() | DecimalNumber() if item.unit_text is not None:
            return item.unit_text.say(language, respondent)
        case QuantityNumber() if len(item.units) == 1:
            return item.units[0].text.say(language, respondent)
        case Age():
            return str(_("years"))
        case _:
            return None


def _order(item: Item, language: str) -> str:
    """Give the boxes of a date in the order in which people of a language write it."""
    if not isinstance(item, Day):
        return ""
    letters = {"day": "d", "month": "m", "year": "y"}
    finest = next((part for part in ("day", "month", "year") if part in item.accepts), None)
    if finest is None:
        return ""
    coarser = {"day": "dmy", "month": "my", "year": "y"}[finest]
    whole = "mdy" if language == "en" else "dmy"
    return "".join(letter for letter in whole if letter in coarser and letter in letters.values())


def _ways(item: Item) -> list[list[Box]]:
    if not isinstance(item, Height | Weight):
        return []
    labels = {
        "ft": _("Feet"),
        "in": _("Inches"),
        "cm": _("Centimeters"),
        "lb": _("Pounds"),
        "kg": _("Kilograms"),
        "st": _("Stones"),
        "st-lb": _("Pounds"),
    }
    return [
        [
            Box(part=part, label=str(labels[part]), chars=4 if part in ("cm", "lb", "kg") else 3)
            for part in parts
        ]
        for parts in (_WAYS[unit] for unit in item.units)
    ]


def _naming(item: NamedList, values: Values, language: str, respondent: Respondent) -> Naming:
    """Work out what is clear and what is not; words that cannot be read cost nobody the list."""
    taken = (
        _taken(item, values, language) or _taken(item, {**values, "answer": []}, language) or naming.Taken(())
    )
    found = [Choice(value=f"{one.entry.code.code}|{one.label}", text=one.label) for one in taken.meanings]
    own = Choice(value=naming.OWN_WORDS, text=str(_("None of these: keep my words")))
    return Naming(
        about=item.about.value,
        named=[Choice(value=one.token, text=say_told(one)) for one in taken.told],
        unclear=taken.unclear,
        meanings=[*found, own] if taken.unclear else [],
        none=Choice(value=item.none.code, text=item.none.text.say(language, respondent)) if item.none else None,
        suggestions_url=url_for("public.lookup.suggest", language=language),
    )


def _taken(item: NamedList, values: Values, language: str) -> naming.Taken | None:
    posted = take_apart(values, longest=naming.LONGEST_TOKEN)
    return naming.take(item, posted, language) if isinstance(posted, Posted) else None


def _still_typed(values: Values, listed: Naming, problems: Problems | None) -> Values:
    """Empty the box of words that went to the list."""
    slips = {one.slip for one in problems.items} if problems is not None else set()
    kept = {Slip.TOO_LONG, Slip.UNREADABLE, Slip.UNKNOWN_OPTION, Slip.ANSWER_AND_INSTEAD}
    typed = values.get("answer", []) if listed.unclear or slips & kept else []
    return {**values, "answer": typed, "named": [one["value"] for one in listed.named]}


def ago_units() -> list[Choice]:
    """List the units of "about so long ago"."""
    words = {
        CalendarUnit.DAYS: _("days"),
        CalendarUnit.WEEKS: _("weeks"),
        CalendarUnit.MONTHS: _("months"),
        CalendarUnit.YEARS: _("years"),
    }
    return [Choice(value=unit.value, text=str(word)) for unit, word in words.items()]


def _given(item: Item, answer: Answer | None) -> Values:
    """Show an answer again; one of a list's own ways to say nothing is an option there."""
    if answer is None:
        return {}
    values = as_form(answer)
    if isinstance(item, YesNo | Single | Multiple | CodedList) and "instead" in values:
        return {"answer": values["instead"]}
    return values


def _shown(posted: Mapping[str, Sequence[str]]) -> Values:
    """Keep what was posted for showing it again, without what no page can hold."""
    return {name: [_readable(value) for value in values] for name, values in posted.items()}


def _readable(value: str) -> str:
    kept = "".join(c for c in value[:LONGEST_SHOWN] if c in "\n\t" or c.isprintable())
    return kept.encode("utf-8", "ignore").decode()


def _problems(
    item: Item,
    problems: Problems | None,
    *,
    language: str,
    respondent: Respondent,
    order: str,
    ways: list[list[Box]],
) -> list[Problem]:
    if problems is None:
        return []
    found = []
    for problem in problems.items:
        if problem.slip is Slip.NAME_MORE:
            continue
        own = error_text(item, problem, language, respondent)
        words = own if own is not None else str(_(MESSAGES[problem.slip], **problem.params))
        found.append(Problem(_field_id(item, problem.field, order, ways), words))
    return found


def _field_id(item: Item, field: str, order: str, ways: list[list[Box]]) -> str:
    """Name the box to which an error summary leads; the first box of a group bears the group's name."""
    if field == "instead":
        return "instead" if _kind(item) not in ("radios", "checkboxes") else "answer"
    if field not in PARTS:
        return field if field != "confirmed" else "answer"
    part = PARTS[field]
    letters = {"m": "month", "d": "day", "y": "year"}
    first = letters[order[0]] if order else (ways[0][0]["part"] if ways else part)
    if isinstance(item, Day) and not order:
        return "ago"
    return "answer" if part == first else f"answer-{part}"
