"""Reading one part of a rule from its form: every problem is noted at its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, TypeVar

from flask_babel import gettext as _
from pydantic import ValidationError

from recruit.web import fields
from recruit.web.coordinator.leafvalues import HIGH, LOW, Subject
from recruit.web.coordinator.reading import Posted
from screening.editor.codenames import CodeNames, Meant
from screening.facts import Code, EvidenceSource
from screening.intervals import CalendarUnit, Duration
from screening.language.criteria import (
    TODAY,
    Age,
    Attested,
    Coded,
    CodedStatus,
    Dating,
    Distinct,
    DistinctBy,
    Is,
    Limits,
    Node,
    Note,
    Number,
    SiteOnly,
    Unconfirmed,
    When,
    Window,
    WindowForm,
    refusal,
)
from screening.terms import Terms
from screening.vocabulary import DEFAULT_SYSTEM, About, Answerer

T = TypeVar("T")

MOST_UNITS: Final = 4
_MOST_CODES: Final = 60
_LONGEST: Final = 20_000
_FIRST: Final = {
    "number": "low_0",
    "age": "low_0",
    "date": "w_form",
    "choice": "choices",
    "flag": "answer",
    "coded": "codes",
}
"""The field that a refusal of the whole part is shown at."""


@dataclass
class LeafForm:
    """Reads one posted part; problems are noted at their fields."""

    posted: Posted
    subject: Subject
    names: CodeNames
    terms: Terms
    found: dict[str, list[Code]] = field(default_factory=dict)
    """The codes of each field in which a name stood for some, to be looked at before they count."""
    only_examples: bool = False

    def read(self) -> Node | None:
        """Give what the form says, or nothing where it cannot be."""
        readers: Mapping[str, Callable[[], Node | None]] = {
            "number": self._number,
            "age": self._age,
            "date": self._date,
            "choice": self._choice,
            "flag": self._flag,
            "coded": self._coded,
        }
        shape = self.subject.shape
        try:
            node = readers.get(shape, self._words)()
        except ValidationError as error:
            self._refuse(_FIRST.get(shape, "words"), error)
        return None if self.posted.problems else node

    def _made(self, name: str, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except ValidationError as error:
            self._refuse(name, error)
            return None

    def _refuse(self, name: str, error: ValidationError) -> None:
        self.posted.fail(name, fields.worded(refusal(error)))

    def _number(self) -> Node | None:
        key = self.subject.key
        rows = [self._limits(str(row), f"unit_{row}") for row in range(MOST_UNITS)]
        limits = tuple(one for one in rows if one is not None)
        if not limits and not self.posted.problems:
            self.posted.fail("low_0", _("Enter a lower or an upper limit."))
        rounded, window = self._rounded(), self._window()
        if not limits or key is None or self.posted.problems:
            return None
        return Number(key=key.name, limits=limits, rounded_to=rounded, window=window, **self._evidence())

    def _rounded(self) -> int | None:
        given = self.posted.raw("rounded_to")
        if given and given not in tuple("0123456"):
            self.posted.fail("rounded_to", _("Select one from the list."))
            return None
        return int(given) if given else None

    def _limits(self, row: str, unit_field: str) -> Limits | None:
        ends = self._ends(row, self._decimal)
        if not ends:
            return None
        unit = self.posted.text(unit_field, longest=40) or (self.subject.key.unit if self.subject.key else "")
        return self._made(f"low_{row}", lambda: Limits.model_validate({"unit": unit or "1", **ends}))

    def _ends(self, row: str, read: Callable[[str], T | None]) -> dict[str, T]:
        ends: dict[str, T] = {}
        for name, signs in ((f"low_{row}", LOW), (f"high_{row}", HIGH)):
            number = read(name)
            sign = self.posted.raw(name.replace("_", "_sign_", 1))
            end = next((one for one, written in signs.items() if written == sign), next(iter(signs)))
            if number is not None:
                ends[end] = number
        return ends

    def _decimal(self, name: str) -> Decimal | None:
        if "," in self.posted.raw(name):
            self.posted.fail(name, _("Write the number with a point and without commas, such as 1250.5."))
            return None
        return self.posted.decimal(name)

    def _count(self, name: str) -> int | None:
        number = self.posted.number(name)
        if number is not None and number > 999_999:
            self.posted.fail(name, _("Enter a whole number, such as 12."))
            return None
        return number

    def _age(self) -> Node | None:
        ends = self._ends("0", self._count)
        unit = self.posted.choice("unit_0", CalendarUnit)
        if not ends and not self.posted.problems:
            self.posted.fail("low_0", _("Enter a lower or an upper limit."))
        if self.posted.problems:
            return None
        return Age.model_validate({"unit": unit, **ends, **self._evidence()})

    def _date(self) -> Node | None:
        window = self._window()
        if window is None and not self.posted.problems:
            self.posted.fail("w_form", _("Say in which stretch of time."))
        if window is None or self.subject.key is None:
            return None
        return When(key=self.subject.key.name, window=window, **self._evidence())

    def _choice(self) -> Node | None:
        key, codes = self.subject.key, tuple(self.posted.many("choices"))
        known = key.codes if key else ()
        if not codes or any(code not in known for code in codes):
            self.posted.fail("choices", _("Select one or more from the list."))
            return None
        return Is(key=self.subject.name, codes=codes, **self._evidence())

    def _flag(self) -> Node | None:
        answer = self.posted.raw("answer")
        if answer not in ("yes", "no"):
            self.posted.fail("answer", _("Select one from the list."))
            return None
        return Attested(key=self.subject.name, value=answer == "yes", **self._evidence())

    def _words(self) -> Node | None:
        words = self.posted.text("words", longest=_LONGEST, lines=True)
        if not words and not self.posted.problems:
            self.posted.fail("words", _("Write what the site checks, or what the note says."))
        if not words:
            return None
        match self.subject.shape:
            case "site":
                return SiteOnly(text=words)
            case "note":
                return Note(text=words)
            case _:
                return Unconfirmed(text=words)

    def _coded(self) -> Node | None:
        about = self.subject.about or About.CONDITION
        codes, but = self._codes("codes", about), self._codes("but", about)
        if not codes and not self.posted.problems:
            self.posted.fail("codes", _("Enter at least one name or code."))
        fields: dict[str, Any] = {
            "about": about,
            "codes": codes,
            "but": but,
            "such_as": self.posted.flag("such_as"),
            "status": self.posted.choice("status", CodedStatus) or CodedStatus.EVER,
            "window": self._window(),
            "dating": self.posted.choice("dating", Dating) if self.posted.raw("dating") else Dating.ACTIVE,
            "for_at_least": self._length("lasting"),
            "unchanged_for": self._length("steady"),
            "dose": self._limits("dose", "unit_dose"),
            "routes": tuple(one for one in self.posted.many("routes") if one),
            "key": self._asked_by(about),
        }
        count = self._count("count")
        if count == 0:
            self.posted.fail("count", _("Enter a whole number, such as 12."))
        by = self.posted.choice("by", DistinctBy) if self.posted.raw("by") else DistinctBy.KIND
        if self.posted.problems:
            return None
        if count is None:
            return Coded.model_validate({**fields, **self._evidence()})
        part = Coded.model_validate(fields)
        return Distinct(count=count, by=by or DistinctBy.KIND, of=part, **self._evidence())

    def _asked_by(self, about: About) -> str | None:
        name = self.posted.raw("asked_by")
        key = self.names.vocabulary.get(name)
        if name and (key is None or key.about is not about):
            self.posted.fail("asked_by", _("Select one from the list."))
        return name or None

    def _codes(self, name: str, about: About) -> tuple[Code, ...]:
        """Read codes and names, one on each line or with commas between them."""
        words = self.posted.text(name, longest=4_000, lines=True)
        typed = [one.strip() for line in words.splitlines() for one in line.split(",") if one.strip()]
        if len(typed) > _MOST_CODES:
            self.posted.fail(name, _("Use at most %(most)s names or codes.", most=_MOST_CODES))
            return ()
        meant = [self._meant(name, one, about) for one in typed]
        codes = tuple(dict.fromkeys(code for some in meant for code in some.codes))
        if any(some.name for some in meant):
            self.found[name] = list(codes)
            self.only_examples |= name == "codes" and not all(some.is_complete for some in meant)
        return codes

    def _meant(self, name: str, typed: str, about: About) -> Meant:
        """Take what was typed as a code where it is written like one, else as a name."""
        system, bar, rest = typed.rpartition("|")
        head, _at, release = system.partition("@")
        code = Code(head if bar else DEFAULT_SYSTEM[about], rest if bar else typed.upper(), release)
        is_code = self.terms.problem(code) is None and (len(typed) == 1 or not typed.isalpha())
        if bar or (is_code and " " not in typed):
            return Meant("", about, (code,))
        meant = self.names.find(typed, about)
        if meant is None:
            message = _("Nothing is known by the name “%(name)s”. Enter its code.", name=typed[:60])
            self.posted.fail(name, message)
            return Meant("", about, ())
        return meant

    def _window(self) -> Window | None:
        form = self.posted.raw("w_form")
        if not form:
            return None
        length = self._length("w", is_required=True)
        upto = self._length("w_upto", is_required=True) if form == WindowForm.BETWEEN else None
        side = self.posted.raw("w_side") or "before"
        chosen = self.posted.choice("w_form", WindowForm)
        if side not in ("before", "after"):
            self.posted.fail("w_side", _("Select one from the list."))
        if chosen is None or length is None or self.posted.problems:
            return None
        fields = {"form": chosen, "length": length, "upto": upto, "side": side}
        anchor = self.posted.raw("w_anchor") or TODAY
        return self._made("w_count", lambda: Window.model_validate({**fields, "anchor": anchor}))

    def _length(self, name: str, *, is_required: bool = False) -> Duration | None:
        count = self._count(f"{name}_count")
        if count is None:
            if is_required and not self.posted.problems:
                self.posted.fail(f"{name}_count", _("Enter a whole number, such as 12."))
            return None
        unit = self.posted.choice(f"{name}_unit", CalendarUnit)
        return None if unit is None else Duration(count, unit)

    def _evidence(self) -> dict[str, Any]:
        chosen: dict[str, Any] = {}
        if self.posted.raw("decides_from"):
            chosen["decides_from"] = self.posted.choice("decides_from", EvidenceSource)
        if self.posted.raw("told_by"):
            chosen["told_by"] = self.posted.choice("told_by", Answerer)
        return chosen
