"""A rule in plain sentences, part by part, from message templates that can be translated.

What is shown is always made from the rule itself, so that a sentence cannot
say anything else than the notation beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from screening.assessment.phrases import number_words, unit_words
from screening.editor.codenames import CodeNames
from screening.editor.editing import Path, is_group, is_hole
from screening.facts import EvidenceSource
from screening.intervals import CalendarUnit, Duration
from screening.language.criteria import (
    TODAY,
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
)
from screening.language.tree import parts
from screening.slips import N_
from screening.units import UPPER_LIMIT
from screening.vocabulary import About, Answerer, Vocabulary

Say = Callable[[str], str]
"""Gives a message in the reader's language."""

_HEADINGS: Final = {
    AllOf: N_("All of these"),
    AnyOf: N_("At least one of these"),
    NoneOf: N_("None of these"),
    AtLeast: N_("At least {count} of these"),
    Not: N_("This does not hold"),
    ButNot: N_("This, but not with an exception"),
    IfThen: N_("Only where a condition holds"),
    Case: N_("Depending on the case"),
}
_ROLES: Final = {
    "when": N_("If"),
    "then": N_("then"),
    "but_not": N_("but not"),
    "case": N_("When"),
    "otherwise": N_("Otherwise"),
}
_AMOUNTS: Final = {
    (CalendarUnit.DAYS, True): N_("1 day"),
    (CalendarUnit.DAYS, False): N_("{count} days"),
    (CalendarUnit.WEEKS, True): N_("1 week"),
    (CalendarUnit.WEEKS, False): N_("{count} weeks"),
    (CalendarUnit.MONTHS, True): N_("1 month"),
    (CalendarUnit.MONTHS, False): N_("{count} months"),
    (CalendarUnit.YEARS, True): N_("1 year"),
    (CalendarUnit.YEARS, False): N_("{count} years"),
}
_ENDS: Final = {
    "ge": N_("at least {number}"),
    "gt": N_("more than {number}"),
    "le": N_("at most {number}"),
    "lt": N_("less than {number}"),
}
_WINDOWS: Final = {
    (WindowForm.WITHIN, "before"): N_("in the {length} before {anchor}"),
    (WindowForm.WITHIN, "after"): N_("in the {length} after {anchor}"),
    (WindowForm.LESS_THAN, "before"): N_("less than {length} before {anchor}"),
    (WindowForm.LESS_THAN, "after"): N_("less than {length} after {anchor}"),
    (WindowForm.AT_LEAST, "before"): N_("{length} or longer before {anchor}"),
    (WindowForm.AT_LEAST, "after"): N_("{length} or longer after {anchor}"),
    (WindowForm.MORE_THAN, "before"): N_("more than {length} before {anchor}"),
    (WindowForm.MORE_THAN, "after"): N_("more than {length} after {anchor}"),
    (WindowForm.BETWEEN, "before"): N_("between {length} and {upto} before {anchor}"),
    (WindowForm.BETWEEN, "after"): N_("between {length} and {upto} after {anchor}"),
}
_CODED: Final = {
    (About.CONDITION, CodedStatus.EVER): N_("Has or has had {codes}"),
    (About.CONDITION, CodedStatus.CURRENT): N_("Has {codes} now"),
    (About.CONDITION, CodedStatus.PAST): N_("Had {codes}, and no longer has"),
    (About.CONDITION, CodedStatus.PLANNED): N_("Expects {codes}"),
    (About.MEDICINE, CodedStatus.EVER): N_("Takes or has taken {codes}"),
    (About.MEDICINE, CodedStatus.CURRENT): N_("Takes {codes} now"),
    (About.MEDICINE, CodedStatus.PAST): N_("Took {codes}, and no longer does"),
    (About.MEDICINE, CodedStatus.PLANNED): N_("Plans to take {codes}"),
    (About.PROCEDURE, CodedStatus.EVER): N_("Has or has had the procedure {codes}"),
    (About.PROCEDURE, CodedStatus.CURRENT): N_("Is having the procedure {codes} now"),
    (About.PROCEDURE, CodedStatus.PAST): N_("Had the procedure {codes}"),
    (About.PROCEDURE, CodedStatus.PLANNED): N_("Plans to have the procedure {codes}"),
}
_DATINGS: Final = {
    Dating.ACTIVE: N_("on at least one day {window}"),
    Dating.ONSET: N_("begun {window}"),
    Dating.ENDED: N_("ended {window}"),
}
_COUNTED: Final = {
    (DistinctBy.KIND, True): N_("One kind or more: {part}"),
    (DistinctBy.KIND, False): N_("{count} different kinds or more: {part}"),
    (DistinctBy.EPISODE, True): N_("Once or more: {part}"),
    (DistinctBy.EPISODE, False): N_("{count} separate times or more: {part}"),
}
_TELLERS: Final = {
    Answerer.PARTICIPANT: N_("the participant tells"),
    Answerer.RECORD: N_("the medical record tells"),
    Answerer.LABORATORY: N_("the laboratory tells"),
    Answerer.CLINICIAN: N_("a clinician tells"),
    Answerer.INVESTIGATOR: N_("the investigator tells"),
}
_DECIDERS: Final = {
    EvidenceSource.LABORATORY: N_("decided by a laboratory result only"),
    EvidenceSource.RECORD: N_("decided by the medical record or better"),
    EvidenceSource.CLINICIAN: N_("decided by a clinician or better"),
    EvidenceSource.PARTICIPANT_PHONE: N_("decided by what is told to staff or better"),
    EvidenceSource.PARTICIPANT_ONLINE: N_("decided by any answer"),
}
_YES: Final = N_("{subject}: yes")
_NO: Final = N_("{subject}: no")
_IS: Final = N_("{subject}: {wanted}")
_VALUE: Final = N_("{subject} is {wanted}")
_DAY: Final = N_("{subject} lies {window}")
_AGE: Final = N_("Age is {wanted}")
_BETWEEN: Final = N_("between {low} and {high}")
_BOTH: Final = N_("{low} and {high}")
_EITHER: Final = N_("{most} or {last}")
_TIMES: Final = N_("{number} times the upper limit of normal")
_MEASURED: Final = N_("measured {window}")
_ROUNDED: Final = {True: N_("rounded to 1 decimal"), False: N_("rounded to {count} decimals")}
_TODAY: Final = N_("today")
_SUCH_AS: Final = N_("something such as {codes}")
_EXCEPT: Final = N_("{codes} (leaving out {but})")
_LASTING: Final = N_("for {length} or longer without a break")
_UNCHANGED: Final = N_("unchanged for {length} or longer")
_DOSE: Final = N_("at a dose of {limits}")
_ROUTE: Final = N_("by this route: {routes}")
_SITE: Final = N_("Only the site can tell: {text}")
_TEXT: Final = N_("Still text: {text}")
_HOLE: Final = N_("Still to be said")
_NOTE: Final = N_("A note, no rule: {text}")
_EMPTY: Final = N_("nothing yet")
_UNLESS: Final = N_("{rule}, unless {exception}")


@dataclass(frozen=True, slots=True)
class Told:
    """One part of a rule in words: where it stands, what it is there for, what it says."""

    path: Path
    node: Node
    role: str
    sentence: str
    parts: tuple[Told, ...] = ()

    @property
    def is_hole(self) -> bool:
        """Whether it is still to be said."""
        return is_hole(self.node)

    @property
    def is_group(self) -> bool:
        """Whether it takes any number of parts."""
        return is_group(self.node)

    @property
    def is_frame(self) -> bool:
        """Whether it says nothing by itself."""
        return bool(self.parts) or self.is_group


@dataclass(frozen=True, slots=True)
class Telling:
    """Tells rules to readers of one language."""

    vocabulary: Vocabulary
    names: CodeNames
    say: Say = str

    @classmethod
    def of(cls, vocabulary: Vocabulary, *, language: str = "en", say: Say = str) -> Telling:
        """Tell with the names that a vocabulary and the formulary have in a language."""
        return cls(vocabulary, CodeNames(vocabulary, language), say)

    def tree(self, node: Node, *, path: Path = (), role: str = "") -> Told:
        """Tell every part by itself; what holds parts together gives a heading."""
        roles = _roles(node)
        below = tuple(
            self.tree(part, path=(*path, place), role=roles[place] if roles else "")
            for place, part in enumerate(parts(node))
        )
        said = self.say(_ROLES[role]) if role else ""
        sentence = self._heading(node) if below or is_group(node) else self.sentence(node)
        return Told(path, node, said, sentence, below)

    def sentence(self, node: Node) -> str:
        """Tell a rule in one sentence, without a stop at its end."""
        if isinstance(node, Leaf):
            return self.leaf(node)
        if isinstance(node, SiteOnly | Unconfirmed | Note):
            return self._text(node)
        roles = _roles(node)
        if not roles:
            told = "; ".join(map(self._inner, parts(node))) or self.say(_EMPTY)
            return f"{self._heading(node)}: {told}"
        said = (
            f"{self.say(_ROLES[role])} {self._inner(part)}" if role else self._inner(part)
            for role, part in zip(roles, parts(node), strict=True)
        )
        return ", ".join(said)

    def leaf(self, leaf: Leaf) -> str:
        """Tell a leaf with who can tell, where the rule says so."""
        return ", ".join([self._leaf(leaf), *self._evidence(leaf)])

    def criterion(self, rule: Node, unless: Node | None) -> str:
        """Tell a rule with the exception that widens it."""
        if unless is None:
            return self.sentence(rule)
        return self._fill(_UNLESS, rule=self.sentence(rule), exception=self.sentence(unless))

    def window(self, window: Window) -> str:
        """Tell a stretch of time: "in the 6 months before today"."""
        anchor = self.say(_TODAY) if window.anchor == TODAY else window.anchor.replace("_", " ")
        return self._fill(
            _WINDOWS[window.form, window.side],
            length=self.length(window.length),
            upto=self.length(window.upto) if window.upto else "",
            anchor=anchor,
        )

    def length(self, length: Duration) -> str:
        """Tell a length of time: "6 months"."""
        return self._fill(_AMOUNTS[length.unit, length.count == 1], count=length.count)

    def limits(self, limits: Limits) -> str:
        """Tell a range of numbers: "more than 30 kg/m2"."""
        ends = self._ends({name: getattr(limits, name) for name in _ENDS})
        if limits.unit == UPPER_LIMIT:
            return self._fill(_TIMES, number=ends)
        return f"{ends} {unit_words(limits.unit)}".strip()

    def _heading(self, node: Node) -> str:
        count = node.count if isinstance(node, AtLeast) else 0
        return self._fill(_HEADINGS[type(node)], count=count)

    def _inner(self, node: Node) -> str:
        told = self.sentence(node)
        return f"({told})" if parts(node) or is_group(node) else told

    def _text(self, node: SiteOnly | Unconfirmed | Note) -> str:
        if is_hole(node):
            return self.say(_HOLE)
        template = {SiteOnly: _SITE, Unconfirmed: _TEXT, Note: _NOTE}[type(node)]
        return self._fill(template, text=" ".join(node.text.split()))

    def _leaf(self, leaf: Leaf) -> str:
        match leaf:
            case Number():
                return self._number(leaf)
            case Age():
                ends = self._ends({name: getattr(leaf, name) for name in _ENDS})
                unit = self._fill(_AMOUNTS[leaf.unit, False], count="").strip()
                return self._fill(_AGE, wanted=f"{ends} {unit}")
            case When():
                return self._fill(_DAY, subject=self._subject(leaf.key), window=self.window(leaf.window))
            case Is():
                choices = [self._choice(leaf.key, code) for code in leaf.codes]
                return self._fill(_IS, subject=self._subject(leaf.key), wanted=self._or(choices))
            case Attested():
                return self._fill(_YES if leaf.value else _NO, subject=self._subject(leaf.key))
            case Distinct():
                template = _COUNTED[leaf.by, leaf.count == 1]
                return self._fill(template, count=leaf.count, part=self._coded(leaf.of))
            case Coded():
                return self._coded(leaf)
            case _:
                raise TypeError(f"no sentence for {type(leaf).__name__}")

    def _number(self, leaf: Number) -> str:
        wanted = self._or([self.limits(one) for one in leaf.limits])
        told = [self._fill(_VALUE, subject=self._subject(leaf.key), wanted=wanted)]
        if leaf.rounded_to is not None:
            told.append(self._fill(_ROUNDED[leaf.rounded_to == 1], count=leaf.rounded_to))
        if leaf.window is not None:
            told.append(self._fill(_MEASURED, window=self.window(leaf.window)))
        return ", ".join(told)

    def _coded(self, leaf: Coded) -> str:
        codes = self._or([self.names.words(code) for code in leaf.codes])
        if leaf.but:
            codes = self._fill(_EXCEPT, codes=codes, but=self._or([self.names.words(c) for c in leaf.but]))
        if leaf.such_as:
            codes = self._fill(_SUCH_AS, codes=codes)
        told = [self._fill(_CODED[leaf.about, leaf.status], codes=codes)]
        if leaf.window is not None:
            told.append(self._fill(_DATINGS[leaf.dating], window=self.window(leaf.window)))
        if leaf.for_at_least is not None:
            told.append(self._fill(_LASTING, length=self.length(leaf.for_at_least)))
        if leaf.unchanged_for is not None:
            told.append(self._fill(_UNCHANGED, length=self.length(leaf.unchanged_for)))
        if leaf.dose is not None:
            told.append(self._fill(_DOSE, limits=self.limits(leaf.dose)))
        if leaf.routes:
            told.append(self._fill(_ROUTE, routes=self._or(leaf.routes)))
        return ", ".join(told)

    def _evidence(self, leaf: Leaf) -> list[str]:
        told = []
        if leaf.decides_from is not None:
            told.append(self.say(_DECIDERS[leaf.decides_from]))
        if leaf.told_by is not None:
            told.append(self.say(_TELLERS[leaf.told_by]))
        return told

    def _ends(self, ends: dict[str, Decimal | int | None]) -> str:
        given = {name: number_words(Decimal(end)) for name, end in ends.items() if end is not None}
        if set(given) == {"ge", "le"}:
            return self._fill(_BETWEEN, low=given["ge"], high=given["le"])
        told = [self._fill(_ENDS[name], number=number) for name, number in given.items()]
        return self._fill(_BOTH, low=told[0], high=told[1]) if len(told) > 1 else told[0]

    def _subject(self, name: str) -> str:
        key = self.vocabulary.get(name)
        return key.text("label", self.names.language) if key else name

    def _choice(self, name: str, code: str) -> str:
        key = self.vocabulary.get(name)
        for option in key.choices if key else ():
            if option.code == code:
                return option.label.get(self.names.language) or option.label.get("en", code)
        return code

    def _or(self, words: Iterable[str]) -> str:
        *most, last = words
        return self._fill(_EITHER, most=", ".join(most), last=last) if most else last

    def _fill(self, message: str, **values: object) -> str:
        return self.say(message).format_map(values)


def sentence_of(rule: Node, vocabulary: Vocabulary, *, language: str = "en", say: Say = str) -> str:
    """Tell a rule in one plain sentence."""
    return f"{Telling.of(vocabulary, language=language, say=say).sentence(rule)}."


def _roles(node: Node) -> tuple[str, ...]:
    """Say what each part of a frame is there for; parts of a group and of "not" are all alike."""
    match node:
        case IfThen():
            return ("when", "then")
        case ButNot():
            return ("", "but_not")
        case Case():
            last = ("otherwise",) if node.otherwise is not None else ()
            return ("case", "then") * len(node.branches) + last
        case _:
            return ()
