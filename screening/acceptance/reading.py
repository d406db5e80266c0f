"""Acceptance rules: which answers of a screener's question let somebody pass, as criteria of ours.

An answer is a set of possibilities, and a rule lets it pass where one of them may: "not sure" always does,
since not knowing is never a no. A rule is therefore expressed only where it lets "not sure" pass as well; it
then accepts an answer exactly when the criterion does not rule out. What is broken stays in as text, which
rules nobody out, with a finding that says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Final

from screening.acceptance.items import FLAGS, NUMBERS, UNITLESS, Names, keys_of, names_of
from screening.acceptance.labels import contradicts_numbers, contradicts_yes_no
from screening.acceptance.numbers import Stretch, both, compared, tidy
from screening.acceptance.screener import (
    YES,
    AcceptanceRule,
    AnswerForm,
    Certainty,
    Question,
    Screener,
)
from screening.acceptance.skiplogic import Showing, Shows, showings
from screening.acceptance.typed import (
    Answers,
    Comparison,
    Everybody,
    Joined,
    Subject,
    Typed,
    Unreadable,
    read_typed,
)
from screening.language.criteria import (
    Age,
    AllOf,
    AnyOf,
    AtLeast,
    Attested,
    IfThen,
    Is,
    Limits,
    Node,
    NoneOf,
    Not,
    Note,
    Number,
)
from screening.language.protocol import Criterion, CriterionKind, Protocol
from screening.vocabulary import Key, nearest

ACCEPTANCE_MEMBER: Final = "x-acceptance"
"""The member of a criterion that keeps the question and the rule as typed."""

_OLDEST: Final = 130
_LONGEST_TEXT: Final = 19_000


class Fault(StrEnum):
    """What can be wrong with a rule, or with the skip logic of a question."""

    UNREADABLE = "unreadable"
    UNKNOWN_QUESTION = "unknown_question"
    UNKNOWN_OPTION = "unknown_option"
    OTHER_KIND = "other_kind"
    IMPOSSIBLE_RANGE = "impossible_range"
    ACCEPTS_NOBODY = "accepts_nobody"
    UNSURE_COUNTS_AS_NO = "unsure_counts_as_no"
    LABEL_CONTRADICTS = "label_contradicts"
    NEVER_SHOWN = "never_shown"
    LOOP = "loop"
    HIDDEN_QUESTION = "hidden_question"
    DECIDES_NOTHING = "decides_nothing"


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """One thing that is wrong, in a sentence that names question and rule.

    What is not `broken` is expressed nevertheless, and somebody should look.
    """

    fault: Fault
    question: str
    typed: str
    message: str
    broken: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one rule: the facts it asks for and its criterion, without a rule where it is broken."""

    rule: AcceptanceRule
    criterion: Criterion
    keys: tuple[Key, ...]
    findings: tuple[RuleFinding, ...]

    @property
    def is_expressed(self) -> bool:
        """Whether the rule is a criterion of ours."""
        return self.criterion.rule is not None


@dataclass(frozen=True)
class Acceptance:
    """A screener's rules, read one by one; `findings` also hold those of questions without a rule."""

    readings: tuple[Reading, ...]
    findings: tuple[RuleFinding, ...]

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """The study facts that the rules ask for, each once."""
        return tuple({key.name: key for reading in self.readings for key in reading.keys}.values())

    @property
    def protocol(self) -> Protocol:
        """The criteria of all rules, in their order."""
        return Protocol(criteria=tuple(reading.criterion for reading in self.readings))

    @property
    def broken(self) -> Counter[Fault]:
        """How many rules are broken, by the first thing that is wrong."""
        return Counter(
            next(finding.fault for finding in reading.findings if finding.broken)
            for reading in self.readings
            if not reading.is_expressed
        )


def read_acceptance(screener: Screener) -> Acceptance:
    """Read every rule of a screener into a criterion, or say in a sentence why it is broken."""
    reader = _Reader(screener)
    readings = tuple(reader.readings())
    return Acceptance(
        readings, (*(one for reading in readings for one in reading.findings), *reader.of_showing())
    )


class _Broken(Exception):
    """A rule cannot be expressed; the message goes on from "the rule ... on ... ", without a full stop."""

    def __init__(self, fault: Fault, message: str) -> None:
        self.fault = fault
        self.message = message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class _Meant:
    """What a rule means: its tree, and how what it accepts is held against the label."""

    node: Node
    passes: frozenset[str] = frozenset()
    numbers: tuple[Stretch, ...] = ()
    whole: bool = True


class _Reader:
    """Read the rules of one screener."""

    def __init__(self, screener: Screener) -> None:
        self._rules = screener.rules
        self._asked: dict[str, Question] = {}
        for question in screener.questions:
            self._asked.setdefault(question.code, question)
        self._names = names_of(self._asked.values())
        self._showings = showings(self._asked)
        self._passing: dict[str, frozenset[str]] = {}

    def readings(self) -> Iterator[Reading]:
        first = [self._read(rule) for rule in self._rules]
        taken: set[str] = set()
        for rule, reading in zip(self._rules, first, strict=True):
            name = self._free(rule, taken)
            criterion = reading.criterion.model_copy(update={"id": name, "lineage": name})
            findings = (*reading.findings, *self._decides_nothing(rule, reading))
            yield Reading(rule, criterion, reading.keys, findings)

    def of_showing(self) -> Iterator[RuleFinding]:
        """Say what is wrong with skip logic, also of questions without a rule."""
        for code, showing in self._showings.items():
            question = self._asked[code]
            if showing.shows is Shows.NEVER:
                yield _finding(Fault.NEVER_SHOWN, question, "", f"can never be shown: {showing.why}")
            elif showing.shows is Shows.LOOP:
                yield _finding(Fault.LOOP, question, "", f"cannot be shown: {showing.why}")
            elif showing.why:
                yield _finding(Fault.UNKNOWN_OPTION, question, "", f"waits for {showing.why}", broken=False)

    def _read(self, rule: AcceptanceRule) -> Reading:
        question = self._asked.get(rule.question)
        if question is None:
            hint = nearest(rule.question, self._asked)
            asks = f", perhaps {hint} is meant" if hint else ""
            unknown = Question(rule.question, rule.question, AnswerForm.WORDS)
            message = f"speaks of a question that the screener does not have{asks}"
            return _as_text(rule, unknown, (), _finding(Fault.UNKNOWN_QUESTION, unknown, rule.typed, message))
        names = self._names[rule.question]
        keys = keys_of(question, names)
        try:
            self._must_be_shown(question)
            meant = _meaning(_typed(rule), question, names)
        except _Broken as broken:
            return _as_text(rule, question, keys, _finding(broken.fault, question, rule.typed, broken.message))
        if _label_contradicts(rule, question, meant):
            message = f'does not say what the patient reads, "{rule.label}"'
            return _as_text(
                rule, question, keys, _finding(Fault.LABEL_CONTRADICTS, question, rule.typed, message)
            )
        self._passing[rule.question] = meant.passes
        node, asked_before = self._conditional(question, meant.node)
        return Reading(rule, _criterion(rule, question, node), (*keys, *asked_before), ())

    def _must_be_shown(self, question: Question) -> None:
        showing = self._showings.get(question.code)
        if question.form is AnswerForm.PAGE:
            raise _Broken(Fault.HIDDEN_QUESTION, "asks for an answer where there is only text to read")
        if showing is not None and showing.shows in (Shows.NEVER, Shows.LOOP):
            raise _Broken(Fault.HIDDEN_QUESTION, "asks for an answer that nobody can give: it is never shown")

    def _conditional(self, question: Question, node: Node) -> tuple[Node, tuple[Key, ...]]:
        """Make a rule not apply to those who are not shown its question.

        Where "not sure" shows it as well, the rule stands for itself: nobody knows then whom it concerns.
        """
        showing = self._showings.get(question.code)
        if showing is None or isinstance(node, Note) or showing.for_unsure:
            return node, ()
        when = self._when(showing)
        before = [self._asked[code] for code in self._rests_on(question.code)]
        return IfThen(when=when, then=node), tuple(
            key for one in before for key in keys_of(one, self._names[one.code])
        )

    def _when(self, showing: Showing) -> Node:
        parts = [self._shown_after(code, chosen) for code, chosen in showing.after]
        if len(parts) == 1:
            return parts[0]
        return AnyOf(of=tuple(parts)) if showing.any else AllOf(of=tuple(parts))

    def _shown_after(self, code: str, chosen: Sequence[str]) -> Node:
        question, names = self._asked[code], self._names[code]
        answered = _chosen(question, names, chosen)
        earlier = self._showings.get(code)
        if earlier is None or earlier.for_unsure:
            return answered
        return AllOf(of=(self._when(earlier), answered))

    def _rests_on(self, code: str) -> Iterator[str]:
        waiting, seen = [code], {code}
        while waiting:
            showing = self._showings.get(waiting.pop())
            for source, _ in showing.after if showing else ():
                if source not in seen:
                    seen.add(source)
                    waiting.append(source)
                    yield source

    def _decides_nothing(self, rule: AcceptanceRule, reading: Reading) -> Iterator[RuleFinding]:
        """Notice a rule that speaks only to those whom another rule has ruled out already."""
        showing = self._showings.get(rule.question)
        if showing is None or not reading.is_expressed or showing.any or showing.for_unsure:
            return
        for source, chosen in showing.after:
            passing = self._passing.get(source)
            if passing and not passing.intersection(chosen):
                asked = self._asked[source].text
                message = (
                    f'is shown only after an answer to "{asked}" that does not pass, so that it decides nothing'
                )
                question = self._asked[rule.question]
                yield _finding(Fault.DECIDES_NOTHING, question, rule.typed, message, broken=False)

    def _free(self, rule: AcceptanceRule, taken: set[str]) -> str:
        names = self._names.get(rule.question)
        base = names.item if names else "unknown"
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name)
        return name


def _finding(fault: Fault, question: Question, typed: str, message: str, *, broken: bool = True) -> RuleFinding:
    subject = f'The rule "{typed}" on "{question.text}"' if typed else f'The question "{question.text}"'
    return RuleFinding(fault, question.code, typed, f"{subject} {message}.", broken)


def _as_text(rule: AcceptanceRule, question: Question, keys: tuple[Key, ...], finding: RuleFinding) -> Reading:
    return Reading(rule, _criterion(rule, question, None), keys, (finding,))


def _criterion(rule: AcceptanceRule, question: Question, node: Node | None) -> Criterion:
    text = rule.label or f"{question.text} ({rule.typed})"
    return Criterion.model_validate(
        {
            "id": "new",
            "kind": CriterionKind.INCLUSION,
            "text": text[:_LONGEST_TEXT],
            "rule": node,
            ACCEPTANCE_MEMBER: {"question": rule.question, "typed": rule.typed},
        }
    )


def _typed(rule: AcceptanceRule) -> Typed:
    try:
        return read_typed(rule.typed)
    except Unreadable as unreadable:
        raise _Broken(Fault.UNREADABLE, str(unreadable)) from None


def _meaning(typed: Typed, question: Question, names: Names) -> _Meant:
    """Say what a typed rule means for a question.

    :raises _Broken: when it cannot be said in criteria.
    """
    if isinstance(typed, Everybody):
        return _Meant(Note(text=f'Every answer to "{question.text[:_LONGEST_TEXT]}" passes.'))
    if question.form in (*FLAGS, AnswerForm.ONE):
        return _of_options(typed, question, names)
    if question.form is AnswerForm.SEVERAL:
        return _of_several(typed, question, names)
    if question.form in NUMBERS:
        return _of_number(typed, question, names)
    if question.is_birth_date:
        return _of_age(typed)
    raise _Broken(
        Fault.OTHER_KIND, f"asks for something that an answer of the kind {question.form} does not say"
    )


def _of_options(typed: Typed, question: Question, names: Names) -> _Meant:
    accepted = _accepted(typed, question)
    unsure = {one.code: one for one in question.answers if one.certainty is not Certainty.DEFINITE}
    refused = next((one for code, one in unsure.items() if code not in accepted), None)
    if refused is not None:
        mixed = refused.certainty is Certainty.MIXED
        why = "says two things in one answer, of which one is not knowing" if mixed else "is not knowing"
        raise _Broken(
            Fault.UNSURE_COUNTS_AS_NO,
            f'refuses "{refused.text}", which {why}, so that unknown would count as no',
        )
    definite = [one.code for one in question.definite]
    passing = [code for code in definite if code in accepted]
    if len(definite) < 2:
        raise _Broken(
            Fault.OTHER_KIND, "asks for a choice where there are fewer than two answers to choose from"
        )
    if not passing:
        raise _Broken(Fault.ACCEPTS_NOBODY, "lets nobody pass who gives an answer")
    if len(passing) == len(definite):
        return _Meant(Note(text=f'Every answer to "{question.text[:_LONGEST_TEXT]}" passes.'))
    return _Meant(_chosen(question, names, passing), passes=frozenset(passing))


def _accepted(typed: Typed, question: Question) -> frozenset[str]:
    """Give the options that a rule lets pass."""
    offered = {one.code for one in question.answers}
    match typed:
        case Everybody():
            return frozenset(offered)
        case Answers():
            # a list that also names "not sure" fits a question that does not offer it
            needed = typed.codes - ({"notSure"} if question.form is AnswerForm.YES_NO else set())
            _must_know(needed, question)
            return typed.codes & offered
        case Joined():
            parts = [_accepted(part, question) for part in typed.parts]
            return frozenset.union(*parts) if typed.any else frozenset.intersection(*parts)
        case Comparison() if typed.subject is Subject.CODE:
            code = str(typed.value)
            _must_know({code}, question)
            return frozenset({code} if typed.sign == "==" else offered - {code})
        case _:
            raise _Broken(Fault.OTHER_KIND, "compares numbers where an option is chosen")


def _must_know(codes: Iterable[str], question: Question) -> None:
    offered = [one.code for one in question.answers]
    for code in sorted(codes):
        if code not in offered:
            meant = nearest(code, offered)
            hint = f", perhaps {meant} is meant" if meant else ""
            raise _Broken(Fault.UNKNOWN_OPTION, f'names "{code}", which is no option of the question{hint}')


def _chosen(question: Question, names: Names, codes: Sequence[str]) -> Node:
    """Say that one of some options of a question was chosen."""
    if question.form in FLAGS:
        return Attested(key=names.key, value=YES in codes)
    if question.form is AnswerForm.SEVERAL:
        ticked = tuple(Attested(key=names.flag(code)) for code in codes)
        return ticked[0] if len(ticked) == 1 else AnyOf(of=ticked)
    return Is(key=names.key, codes=tuple(names.options[code] for code in codes))


def _of_several(typed: Typed, question: Question, names: Names) -> _Meant:
    ticks = [one for one in question.definite if not one.says_none]
    counted = _numbers(typed, Subject.HOW_MANY, "counts no answers where several may be chosen")
    spare = next((one for one in question.answers if one not in ticks), None)
    most = len(question.answers)
    within = tidy(both(counted, (Stretch(Decimal(0), Decimal(most)),)), whole=True)
    if not within:
        raise _Broken(Fault.IMPOSSIBLE_RANGE, f"asks for a number of answers that {most} options never give")
    if spare is not None:
        fault = Fault.OTHER_KIND if spare.says_none else Fault.UNSURE_COUNTS_AS_NO
        raise _Broken(
            fault, f'counts "{spare.text}" among the answers, as if it were one of the things asked for'
        )
    if any(one.certainty is Certainty.MIXED for one in ticks) and not _accepts_number(within, 1):
        raise _Broken(
            Fault.UNSURE_COUNTS_AS_NO,
            "refuses an answer that is partly not knowing, so that unknown counts as no",
        )
    leaves = tuple(Attested(key=names.flag(one.code)) for one in ticks)
    parts = [_so_many(leaves, stretch) for stretch in within]
    node = parts[0] if len(parts) == 1 else AnyOf(of=tuple(parts))
    if within == (Stretch(Decimal(0), Decimal(most)),):
        node = Note(text=f'Every answer to "{question.text[:_LONGEST_TEXT]}" passes.')
    return _Meant(node, numbers=within)


def _accepts_number(stretches: Sequence[Stretch], number: int) -> bool:
    return bool(both(stretches, (Stretch(Decimal(number), Decimal(number)),)))


def _so_many(leaves: tuple[Attested, ...], stretch: Stretch) -> Node:
    """Say that so many of several answers were given."""
    least = int(stretch.least or 0)
    most = len(leaves) if stretch.most is None else int(stretch.most)
    parts: list[Node] = []
    if least == 1:
        parts.append(AnyOf(of=leaves))
    elif least > 1:
        parts.append(AtLeast(count=least, of=leaves))
    if most == 0:
        parts.append(NoneOf(of=leaves))
    elif most < len(leaves):
        parts.append(Not(of=AtLeast(count=most + 1, of=leaves)))
    return parts[0] if len(parts) == 1 else AllOf(of=tuple(parts))


def _of_number(typed: Typed, question: Question, names: Names) -> _Meant:
    whole = question.form is AnswerForm.COUNT
    if len(question.units) > 1:
        raise _Broken(Fault.UNREADABLE, f"names no unit, although {' and '.join(question.units)} may be chosen")
    numbers = _numbers(typed, Subject.NUMBER, "does not compare the number that is asked for")
    possible = (Stretch(question.least, question.most),)
    within = tidy(both(numbers, possible), whole=whole)
    if not within:
        raise _Broken(Fault.IMPOSSIBLE_RANGE, "lets no number pass that can be entered")
    if within == tidy(possible, whole=whole):
        return _Meant(Note(text=f'Every answer to "{question.text[:_LONGEST_TEXT]}" passes.'))
    shown = tidy(numbers, whole=whole)
    unit = question.units[0] if question.units else UNITLESS
    parts = [Number(key=names.key, limits=(_limits(one, unit),)) for one in shown]
    return _Meant(parts[0] if len(parts) == 1 else AnyOf(of=tuple(parts)), numbers=shown, whole=whole)


def _limits(stretch: Stretch, unit: str) -> Limits:
    return Limits(
        unit=unit,
        ge=None if stretch.over else stretch.least,
        gt=stretch.least if stretch.over else None,
        le=None if stretch.under else stretch.most,
        lt=stretch.most if stretch.under else None,
    )


def _of_age(typed: Typed) -> _Meant:
    numbers = _numbers(typed, Subject.AGE, "does not compare the age")
    if any(end % 1 for one in numbers for end in (one.least, one.most) if end is not None):
        raise _Broken(Fault.UNREADABLE, "has an age that is not in whole years")
    life = (Stretch(Decimal(0), Decimal(_OLDEST)),)
    within = tidy(both(numbers, life), whole=True)
    if not within:
        raise _Broken(Fault.IMPOSSIBLE_RANGE, "lets no age pass that anybody has")
    if within == life:
        return _Meant(Note(text="Every age passes."))
    shown = tuple(
        Stretch(one.least if one.least else None, None if one.most == _OLDEST else one.most) for one in within
    )
    parts = [_age(one) for one in shown]
    return _Meant(parts[0] if len(parts) == 1 else AnyOf(of=tuple(parts)), numbers=shown)


def _age(stretch: Stretch) -> Age:
    return Age(
        ge=None if stretch.least is None else int(stretch.least),
        le=None if stretch.most is None else int(stretch.most),
    )


def _numbers(typed: Typed, subject: Subject, otherwise: str) -> tuple[Stretch, ...]:
    """Give the numbers that a rule lets pass."""
    match typed:
        case Joined():
            parts = [_numbers(part, subject, otherwise) for part in typed.parts]
            if typed.any:
                return tidy(stretch for part in parts for stretch in part)
            joined = parts[0]
            for part in parts[1:]:
                joined = both(joined, part)
            return joined
        case Comparison() if typed.subject is subject and isinstance(typed.value, Decimal):
            return compared(typed.sign, typed.value)
        case _:
            raise _Broken(Fault.OTHER_KIND, otherwise)


def _label_contradicts(rule: AcceptanceRule, question: Question, meant: _Meant) -> bool:
    if meant.numbers and question.form is not AnswerForm.SEVERAL:
        return contradicts_numbers(rule.label, meant.numbers, whole=meant.whole)
    if question.form in FLAGS and len(meant.passes) == 1:
        return contradicts_yes_no(rule.label, question.text, accepts_yes=YES in meant.passes)
    return False
