"""A first questionnaire from a protocol: what participants can tell, asked in draft words; pure.

Only what a criterion reads is asked, and only of those who know it. Easy questions come first and sensitive
ones last (SEMANTICS 4), within that by subject and then in the protocol's order. A coordinator edits the
result; ``screening.asking.publishing`` is the gate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from recruit.studies import defaults
from recruit.studies.defaults import KNOWN, Told
from screening.asking.conditions import Condition, Is
from screening.asking.items import (
    Assertion,
    Day,
    DecimalNumber,
    Height,
    Integer,
    Item,
    Limits,
    Multiple,
    Option,
    QuantityNumber,
    Single,
    Unit,
    Weight,
    YesNo,
    Zip,
)
from screening.asking.questionnaire import Document
from screening.errors import UnknownKey
from screening.facts import Choice, Denial, Flag, Statement, StatementStatus
from screening.language.criteria import Coded, CodedStatus, Dating, Distinct, Leaf, Number, coded_part
from screening.language.protocol import Protocol
from screening.language.questions import Resolver, participant_completes
from screening.language.tree import walk
from screening.terms import CodeSet, Terms
from screening.texts import Respondent, Text
from screening.units import convert
from screening.vocabulary import About, Key, KeyKind, Sensitivity, Vocabulary
from screening.vocabulary import Option as KeyOption

NONE_OF_THESE = "none_of_these"
_FEMALE_ONLY = ("pregnant", "breastfeeding", "can_become_pregnant")
_SEX, _BIRTH, _HEIGHT, _WEIGHT, _REGION = "sex", "birth", "height", "weight", "zip_region"
_PHASES = (Sensitivity.FLAT, Sensitivity.NORMAL, Sensitivity.SENSITIVE)
_HABITS = ("smoking", "cigarettes_a_day", "vaping", "drinks_a_week", "recreational_drugs")
_SUBJECTS = {
    About.CONDITION: "conditions",
    About.MEDICINE: "medicines",
    About.PROCEDURE: "procedures",
}


@dataclass(slots=True)
class Asked:
    """A key that has to be asked, with the leaves that read it in the protocol's order."""

    key: Key
    leaves: list[Leaf] = field(default_factory=list)


def keys_read(protocol: Protocol, *, vocabulary: Vocabulary, terms: Terms) -> tuple[str, ...]:
    """Name the keys that a protocol version reads and a participant may be asked for, in its order."""
    return tuple(asked.key.name for asked in asked_keys(protocol, vocabulary=vocabulary, terms=terms))


def asked_keys(protocol: Protocol, *, vocabulary: Vocabulary, terms: Terms) -> tuple[Asked, ...]:
    """Collect what a protocol version reads and participants can tell.

    A key that the vocabulary has lost is left out here; publishing names it.
    """
    resolver, found = Resolver(vocabulary, terms), dict[str, Asked]()
    for leaf, keys in _askable(protocol, resolver):
        for name in keys:
            key = vocabulary[name]
            if key.participant_can_tell:
                found.setdefault(name, Asked(key)).leaves.append(leaf)
    return tuple(found.values())


def unanswerable(protocol: Protocol, *, vocabulary: Vocabulary, terms: Terms) -> tuple[str, ...]:
    """Name the criteria whose rule asks participants for codes that no question of the vocabulary covers."""
    resolver, found = Resolver(vocabulary, terms), dict[str, None]()
    for criterion in protocol.criteria:
        nodes = [tree for tree in (criterion.rule, criterion.unless) if tree is not None]
        for leaf in (part for node in nodes for part in walk(node) if isinstance(part, Coded | Distinct)):
            try:
                if not resolver.atom(leaf, criterion.evidence).keys:
                    found[criterion.id] = None
            except UnknownKey:
                found[criterion.id] = None
    return tuple(found)


def propose(protocol: Protocol, told: Told, *, vocabulary: Vocabulary, terms: Terms) -> Document:
    """Draft a questionnaire that asks all that the protocol reads and participants can tell.

    :raises ValueError: there is nothing to ask
    """
    asked = asked_keys(protocol, vocabulary=vocabulary, terms=terms)
    if not asked:
        raise ValueError("no criterion reads anything that a participant can tell")
    drafting = Drafting(told, vocabulary, terms, frozenset(one.key.name for one in asked))
    ordered = sorted(asked, key=lambda one: (_PHASES.index(one.key.sensitivity), drafting.place(one.key)))
    items = [item for one in ordered for item in drafting.items(one)]
    used = dict.fromkeys(item.section for item in items)
    every = defaults.sections(told)
    return Document(
        title=defaults.title(told),
        languages=told.languages,
        respondents=(Respondent.SELF,),
        notice=defaults.notice(told),
        opening=defaults.opening(told),
        sections=tuple(every[name] for name in used if name is not None),
        items=tuple(items),
        results=defaults.results(told),
        consents=defaults.consents(told),
        safety_page=defaults.safety_page(told) if any(one.key.concerns_safety for one in asked) else None,
    )


def _askable(protocol: Protocol, resolver: Resolver) -> Iterator[tuple[Leaf, tuple[str, ...]]]:
    for criterion in protocol.criteria:
        for tree in (criterion.rule, criterion.unless):
            for part in walk(tree) if tree is not None else ():
                if not isinstance(part, Leaf):
                    continue
                try:
                    atom = resolver.atom(part, criterion.evidence)
                except UnknownKey:
                    continue
                key = resolver.vocabulary.get(part.key) if isinstance(part, Number) else None
                if atom.askable and participant_completes(key, atom.keys, resolver.vocabulary):
                    yield part, atom.keys


@dataclass(frozen=True, slots=True)
class Drafting:
    """Makes questions of keys, in the words of the vocabulary."""

    told: Told
    vocabulary: Vocabulary
    terms: Terms
    asked: frozenset[str] = frozenset()

    def place(self, key: Key) -> int:
        """Give the place of a key's section among the others."""
        return list(defaults.sections(self.told)).index(section_of(key))

    def items(self, asked: Asked) -> Iterator[Item]:
        """Draft the question of a key, and the ones after it that ask for days."""
        question = self.question(asked.key)
        if asked.key.kind is not KeyKind.CODED:
            yield question
            return
        if isinstance(question, YesNo | Multiple):
            silent = self._silent_options(asked)
            options = tuple(_silent(one) if one.code in silent else one for one in question.options)
            question = question.model_copy(update={"options": options})
        yield question
        yield from self._follow_ups(asked, question)

    def _silent_options(self, asked: Asked) -> set[str]:
        """Name the options that every leaf reading them wants a day for: the day states it better."""
        dated, plain = set[str](), set[str]()
        for leaf in map(coded_part, asked.leaves):
            if leaf is not None:
                codes = {option.code if option else "yes" for option in self._options_for(asked.key, leaf)}
                (dated if _needs_days(leaf) else plain).update(codes)
        return dated - plain

    def question(self, key: Key) -> Item:
        """Draft the question of one key."""
        shared = self._shared(key)
        match key.kind:
            case KeyKind.FLAG:
                return YesNo.model_validate({**shared, "options": self._flag(key)})
            case KeyKind.CHOICE if key.name == _REGION:
                words = self.told.text("What is your ZIP code?", "¿Cuál es su código postal?")
                return Zip.model_validate({**shared, "text": words, "key": key.name})
            case KeyKind.CHOICE:
                return Single.model_validate({**shared, "options": [self._choice(key, o) for o in key.choices]})
            case KeyKind.DATE:
                accepts = ("month", "year") if key.name == _BIRTH else ("day", "month", "year", "ago")
                return Day.model_validate({**shared, "key": key.name, "accepts": accepts})
            case KeyKind.CODED if key.choices:
                return Multiple.model_validate({**shared, "options": self._list(key), "exhaustive": True})
            case KeyKind.CODED:
                return YesNo.model_validate({**shared, "options": _yes_no(key)})
            case KeyKind.QUANTITY:
                return self._number(key, shared)

    def _shared(self, key: Key) -> dict[str, object]:
        """Give what every kind of question has."""
        words: dict[str, object] = {
            "id": item_id(key.name),
            "section": section_of(key),
            "text": self._said(key, "question") or self._said(key, "label"),
            "sensitivity": key.sensitivity,
            "allow_unknown": key.allow_unknown,
            "allow_decline": key.allow_decline,
        }
        if key.hint:
            words["hint"] = self._said(key, "hint")
        if key.name in _FEMALE_ONLY and _SEX in self.asked:
            words["show_if"] = Is(item=item_id(_SEX), code="female")
        return words

    def _said(self, key: Key, name: str) -> Text | None:
        said: dict[str, str] = getattr(key, name)
        words = {code: said[code] for code in self.told.languages if said.get(code)}
        return Text.model_validate(words) if words else None

    def _label(self, words: dict[str, str]) -> Text:
        return Text.model_validate({code: words[code] for code in self.told.languages if code in words})

    def _flag(self, key: Key) -> list[dict[str, object]]:
        yes: dict[str, object] = {"code": "yes", "asserts": (Assertion(key=key.name, value=Flag(True)),)}
        if key.concerns_safety:
            yes["urgent"] = True
        return [yes, {"code": "no", "asserts": (Assertion(key=key.name, value=Flag(False)),)}]

    def _choice(self, key: Key, option: KeyOption) -> Option:
        asserts = [Assertion(key=key.name, value=Choice.of(option.code))]
        if key.name == _SEX and option.code == "male":
            others = (name for name in _FEMALE_ONLY if name in self.asked)
            asserts += [Assertion(key=name, value=Flag(False)) for name in others]
        return Option(code=option.code, text=self._label(option.label), asserts=tuple(asserts))

    def _list(self, key: Key) -> list[Option]:
        options = [
            Option(
                code=option.code,
                text=self._label(option.label),
                asserts=(Assertion(key=key.name, value=key.affirmation(choice=option.code)),),
                denies=self._denies(key, option),
            )
            for option in key.choices
            if option.affirms is not None
        ]
        none = Option(
            code=NONE_OF_THESE,
            text=self.told.text("None of these", "Ninguna de estas"),
            exclusive=True,
            asserts=(Assertion(key=key.name, value=key.denial()),),
        )
        return [*options, none]

    def _denies(self, key: Key, option: KeyOption) -> tuple[Assertion, ...]:
        """Give what not choosing an option surely rules out: the key's own denials inside what it affirms."""
        affirmed = tuple(key.code(part) for part in (option.affirms or "").split("+"))
        whole = CodeSet.of(self.terms, affirmed)
        inside = tuple(
            code for code in map(key.code, key.denies) if CodeSet.of(self.terms, (code,)).within(whole)
        )
        return (Assertion(key=key.name, value=Denial(inside or affirmed, key.no_means)),)

    def _number(self, key: Key, shared: dict[str, object]) -> Item:
        limits, usual = _limits(key.plausible), _limits(key.usual)
        own = {"key": key.name, "limits": limits or Limits(least=Decimal(0)), "soft_check": usual}
        if key.name == _HEIGHT:
            return Height.model_validate({**shared, **own})
        if key.name == _WEIGHT:
            return Weight.model_validate({**shared, **own})
        if len(key.units) > 1:
            units = tuple(self._unit(key, unit) for unit in key.units)
            return QuantityNumber.model_validate({**shared, "key": key.name, "units": units})
        kind = Integer if key.whole else DecimalNumber
        unit = key.unit or "1"
        return kind.model_validate({**shared, **own, "unit": unit, "unit_text": self._unit_text(unit)})

    def _unit_text(self, unit: str) -> Text | None:
        """Write a unit out; a count has none."""
        return None if unit == "1" else defaults.unit_text(self.told, unit)

    def _unit(self, key: Key, unit: str) -> Unit:
        limits = (_limits(pair, key=key, unit=unit) for pair in (key.plausible, key.usual))
        plausible, usual = limits
        return Unit(
            code=unit,
            text=defaults.unit_text(self.told, unit),
            limits=plausible or Limits(least=Decimal(0)),
            soft_check=usual,
        )

    def _follow_ups(self, asked: Asked, question: Item) -> Iterator[Item]:
        """Ask for the days that windows and stretches of time need, each once."""
        seen: set[tuple[str, str]] = set()
        for leaf in map(coded_part, asked.leaves):
            if leaf is None or not _needs_days(leaf):
                continue
            for option in self._options_for(asked.key, leaf):
                what = _what_days(leaf)
                mark = (option.code if option else "", what)
                if mark not in seen:
                    seen.add(mark)
                    yield self._day(asked.key, question, option, what)

    def _options_for(self, key: Key, leaf: Coded) -> Sequence[KeyOption | None]:
        """Choose the options that a leaf speaks of; none where the question is a plain yes or no."""
        if not key.choices:
            return (None,)
        wanted = CodeSet.of(self.terms, leaf.codes, leaf.but)
        return [
            option
            for option in key.choices
            if option.affirms and CodeSet.of(self.terms, (key.code(option.affirms),)).overlaps(wanted)
        ]

    def _day(self, key: Key, question: Item, option: KeyOption | None, what: str) -> Day:
        label = option.label if option is not None else key.label
        english, spanish = _DAY_WORDS[what]
        statement, fills = _dated_statement(key, option, what)
        suffix = f"{option.code}_{what}" if option is not None else what
        return Day(
            id=item_id(f"{key.name}.{suffix}"),
            section=section_of(key),
            text=self.told.text(
                f"{label['en']}: {english}",
                f"{label.get('es', label['en'])}: {spanish}",
            ),
            show_if=_shown_if(question, option),
            sensitivity=key.sensitivity,
            allow_unknown=True,
            key=key.name,
            statement=statement,
            fills=fills,
            when="future" if what == "planned" else "past",
        )


_DAY_WORDS = {
    "last": ("when was the last time?", "¿cuándo fue la última vez?"),
    "began": ("when did it begin?", "¿cuándo empezó?"),
    "steady": ("since when, without a break?", "¿desde cuándo, sin interrupción?"),
    "dose": (
        "since when has your dose stayed the same?",
        "¿desde cuándo no ha cambiado su dosis?",
    ),
    "planned": ("when is it planned?", "¿para cuándo está previsto?"),
}


def item_id(name: str) -> str:
    """Make a question's id of a key's name."""
    return re.sub(r"[^a-z0-9_]", "_", name.lower())[:63]


def section_of(key: Key) -> str:
    """Say under which caption a key is asked."""
    if key.sensitivity is Sensitivity.SENSITIVE:
        return "personal"
    if key.about is not None:
        return _SUBJECTS[key.about]
    if key.name in _HABITS:
        return "habits"
    if key.name in (_HEIGHT, _WEIGHT, _SEX, _BIRTH):
        return "you"
    if key.kind is KeyKind.QUANTITY:
        return "measurements"
    if key.sensitivity is Sensitivity.FLAT and key.kind is KeyKind.CHOICE:
        return "you"
    return "taking_part" if key.sensitivity is Sensitivity.FLAT else "conditions"


def _needs_days(leaf: Coded) -> bool:
    return leaf.window is not None or leaf.for_at_least is not None or leaf.unchanged_for is not None


def _what_days(leaf: Coded) -> str:
    if leaf.status is CodedStatus.PLANNED:
        return "planned"
    if leaf.unchanged_for is not None:
        return "dose"
    if leaf.for_at_least is not None:
        return "steady"
    return "began" if leaf.dating is Dating.ONSET else "last"


def _dated_statement(key: Key, option: KeyOption | None, what: str) -> tuple[Statement, tuple[str, ...]]:
    """Give the statement that a day completes, and the parts of it that the day fills."""
    choice = option.code if option is not None else None
    if what == "last":
        return key.affirmation(choice=choice, status=StatementStatus.PAST, last=True), ("onset", "ended")
    if what == "planned":
        return key.affirmation(choice=choice, status=StatementStatus.PLANNED), ("onset",)
    said = key.affirmation(choice=choice)
    if what == "dose":
        return said, ("unchanged_since",)
    if what == "steady":
        return _unbroken(said), ("onset",)
    return said, ("onset",)


def _unbroken(said: Statement) -> Statement:
    return Statement(said.code, StatementStatus.CURRENT, unbroken=True)


def _shown_if(question: Item, option: KeyOption | None) -> Condition:
    return Is(item=question.id, code="yes" if option is None else option.code)


def _silent(option: Option) -> Option:
    """Let an answer state nothing by itself where the day asked next states it better."""
    return option.model_copy(update={"asserts": ()})


def _yes_no(key: Key) -> list[dict[str, object]]:
    yes: dict[str, object] = {"code": "yes"}
    if key.affirms is not None:
        yes["asserts"] = (Assertion(key=key.name, value=key.affirmation()),)
    return [yes, {"code": "no", "asserts": (Assertion(key=key.name, value=key.denial()),)}]


def _limits(pair: object, *, key: Key | None = None, unit: str = "") -> Limits | None:
    """Read a pair of limits, in another unit where one is given, cut to two digits outwards enough."""
    if pair is None:
        return None
    ends = [Fraction(getattr(pair, name)) for name in ("lo", "hi")]
    if key is not None and key.unit is not None and unit != key.unit:
        ends = [convert(end, key.unit, unit, analyte=key.analyte) for end in ends]
    least, most = (Decimal(round(end * 100)) / 100 for end in ends)
    return Limits(least=max(least, Decimal(0)), most=most)


def languages_of(icf_languages: Sequence[str]) -> tuple[str, ...]:
    """Give the languages to draft in: those of the consent form that we have words in, else English."""
    known = tuple(code for code in icf_languages if code in KNOWN)
    return known or ("en",)
