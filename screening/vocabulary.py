"""The vocabulary: every fact that can be asked, recorded or computed, under one key.

A key says how its value is written, who can tell it, how long it holds and
what a "no" denies. Its question is a draft; what a participant reads is the
wording of an approved questionnaire. Laboratory values and vital signs come
from the table of `screening.analytes`; `data/vocabulary.toml` adds what is
asked about them.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache, cached_property
from importlib import resources
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from screening.analytes import Analyte, packaged_analytes
from screening.computed import COMPUTATIONS
from screening.errors import InvalidUnit, InvalidVocabulary, UnknownKey
from screening.exact import CalendarDuration, ExactDecimal, KeyName, Plain
from screening.facts import Code, Denial, DenialScope, Statement, StatementStatus
from screening.intervals import DateRange, DecimalRange
from screening.terms import ATC, ICD10CM, CodeSet, Terms
from screening.units import UPPER_LIMIT, check_unit, convertible

STUDY_PREFIX: Final = "study."
LANGUAGES: Final = ("en", "es")


class KeyKind(StrEnum):
    """What the value of a key looks like."""

    QUANTITY = "quantity"
    DATE = "date"
    CHOICE = "choice"
    FLAG = "flag"
    CODED = "coded"


class Sensitivity(StrEnum):
    """How late in a questionnaire a question belongs; see SEMANTICS 4."""

    FLAT = "flat"
    NORMAL = "normal"
    SENSITIVE = "sensitive"


class Answerer(StrEnum):
    """Who can tell."""

    PARTICIPANT = "participant"
    RECORD = "record"
    LABORATORY = "laboratory"
    CLINICIAN = "clinician"
    INVESTIGATOR = "investigator"


class Policy(StrEnum):
    """Which of several facts of a key is effective.

    NEWEST: the newest valid measurement. PER_SOURCE: the newest of each
    source, which must not contradict one another. AFFIRMATION: a yes stands
    until it is retracted, whatever is said later.
    """

    NEWEST = "newest"
    PER_SOURCE = "per_source"
    AFFIRMATION = "affirmation"


class About(StrEnum):
    """What a coded key or criterion speaks of."""

    CONDITION = "condition"
    MEDICINE = "medicine"
    PROCEDURE = "procedure"


DEFAULT_SYSTEM: Final = {About.CONDITION: ICD10CM, About.MEDICINE: ATC, About.PROCEDURE: ICD10CM}

Texts = dict[str, Plain]
"""A text by language."""


def _range(ends: object) -> object:
    if isinstance(ends, list | tuple) and len(ends) == 2:
        return {"lo": ends[0], "hi": ends[1]}
    return ends


class Limits(BaseModel):
    """A lowest and a highest number, in the key's own unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lo: ExactDecimal
    hi: ExactDecimal

    @property
    def range(self) -> DecimalRange:
        """The same as an interval."""
        return DecimalRange(self.lo, self.hi)


LimitPair = Annotated[Limits, BeforeValidator(_range)]


class Option(BaseModel):
    """One choice; on a coded key it names the code that it affirms."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: KeyName
    label: Texts
    affirms: str | None = None


class Computation(BaseModel):
    """A reference function of `screening.computed` and the keys that it reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    function: str
    inputs: tuple[KeyName, ...] = Field(min_length=1)


class Key(BaseModel):
    """One entry of the vocabulary.

    `validity` counts from the day of observation; without it a value holds for
    good. `plausible` is refused beyond, `usual` is asked back beyond; both are
    in `unit`. On a coded key, `affirms` is the code of a plain "yes" and
    `denies` are the codes that a "no" rules out, less `denies_but`.
    `concerns_safety` marks questions about self-harm and the like.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: KeyName
    kind: KeyKind
    label: Texts
    question: Texts = {}
    hint: Texts = {}
    unit: str | None = None
    units: tuple[str, ...] = ()
    digits: int = Field(default=2, ge=0, le=8)
    whole: bool = False
    analyte: str | None = None
    plausible: LimitPair | None = None
    usual: LimitPair | None = None
    choices: tuple[Option, ...] = ()
    sensitivity: Sensitivity = Sensitivity.NORMAL
    told_by: tuple[Answerer, ...] = Field(min_length=1)
    validity: CalendarDuration | None = None
    policy: Policy
    allow_unknown: bool = True
    allow_decline: bool = False
    concerns_safety: bool = False
    computed: Computation | None = None
    about: About | None = None
    affirms: str | None = None
    yes_means: StatementStatus = StatementStatus.EVER
    denies: tuple[str, ...] = ()
    denies_but: tuple[str, ...] = ()
    no_means: DenialScope = DenialScope.EVER

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, document: object) -> object:
        """Give a key the policy and the list of units that its kind implies."""
        if not isinstance(document, dict):
            return document
        filled: dict[str, Any] = dict(document)
        kind = str(filled.get("kind"))
        filled.setdefault("policy", _POLICIES.get(kind, Policy.PER_SOURCE))
        if filled.get("unit") and not filled.get("units"):
            filled["units"] = (filled["unit"],)
        return filled

    @model_validator(mode="after")
    def _agree(self) -> Self:
        for problem in _contradictions(self):
            raise ValueError(problem)
        return self

    @property
    def participant_can_tell(self) -> bool:
        """Whether the person can answer it."""
        return Answerer.PARTICIPANT in self.told_by

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of a choice."""
        return tuple(option.code for option in self.choices)

    @cached_property
    def digest(self) -> str:
        """The hash of everything that the key says; changes when any of it does."""
        return _digest(self.model_dump(mode="json", exclude_defaults=True))

    def text(self, name: str, language: str) -> str:
        """Give the `label`, `question` or `hint` in a language, or in English where it has no other."""
        texts: Texts = getattr(self, name)
        return texts.get(language) or texts.get("en", "")

    def code(self, text: str) -> Code:
        """Read a code as the key writes it, in the system of what it is about or as `system|code`."""
        system, bar, rest = text.partition("|")
        return Code(system, rest) if bar else Code(DEFAULT_SYSTEM[self._about], text)

    def denied(self, terms: Terms) -> CodeSet:
        """Give the codes that a "no" denies: also what the question is able to tell about."""
        return CodeSet.of(terms, map(self.code, self.denies), map(self.code, self.denies_but))

    def affirmation(
        self,
        *,
        choice: str | None = None,
        status: StatementStatus | None = None,
        onset: DateRange | None = None,
        ended: DateRange | None = None,
        last: bool = False,
    ) -> Statement:
        """Make the statement of a "yes", or of one option of a list.

        :raises UnknownKey: when the option is not one of the key's.
        """
        affirmed = self.affirms if choice is None else self._option(choice).affirms
        if affirmed is None:
            raise UnknownKey(choice or self.name)
        return Statement(self.code(affirmed), status or self.yes_means, onset=onset, ended=ended, last=last)

    def denial(self, *, but: Collection[Code] = (), since: DateRange | None = None) -> Denial:
        """Make the denial of a "no", or of what was left out of a closed list."""
        spared = (*map(self.code, self.denies_but), *but)
        return Denial(tuple(map(self.code, self.denies)), self.no_means, since=since, but=spared)

    def closed_list(self, chosen: Collection[str]) -> tuple[Statement | Denial, ...]:
        """Turn the ticked options of a list into statements, and the rest into one denial.

        :raises UnknownKey: when an option is not one of the key's.
        """
        statements = tuple(self.affirmation(choice=option) for option in sorted(chosen))
        return (*statements, self.denial(but=[statement.code for statement in statements]))

    def _option(self, code: str) -> Option:
        for option in self.choices:
            if option.code == code:
                return option
        raise UnknownKey(code, suggestion=nearest(code, self.codes))

    @property
    def _about(self) -> About:
        if self.about is None:
            raise InvalidVocabulary(f"{self.name} is not a coded key")
        return self.about


_POLICIES: Final = {"quantity": Policy.NEWEST, "coded": Policy.AFFIRMATION}


def _contradictions(key: Key) -> Iterator[str]:
    """Say what in a key does not go together."""
    if "en" not in key.label:
        yield "label.en is missing"
    if (key.kind is KeyKind.QUANTITY) != (key.unit is not None):
        yield "a quantity, and only a quantity, has a unit"
    if (key.kind is KeyKind.CODED) != (key.about is not None):
        yield "a coded key, and only a coded key, says what it is about"
    if key.kind is KeyKind.CHOICE and len(key.choices) < 2:
        yield "a choice needs at least two options"
    if key.choices and key.kind not in (KeyKind.CHOICE, KeyKind.CODED):
        yield "only a choice or a coded key has options"
    if len(set(key.codes)) < len(key.codes) or {"yes", "no"} & set(key.codes):
        yield "options need different codes, none of them yes or no"
    if key.computed is not None and key.computed.function not in COMPUTATIONS:
        yield f"there is no computation {key.computed.function}"
    if key.kind is KeyKind.CODED and not key.denies:
        yield "a coded key says what its no denies"
    yield from _unit_contradictions(key)


def _unit_contradictions(key: Key) -> Iterator[str]:
    for unit in key.units:
        try:
            check_unit(unit)
        except InvalidUnit as error:
            yield str(error)
            continue
        if unit == key.unit and unit != UPPER_LIMIT:
            continue
        if unit == UPPER_LIMIT or not convertible(unit, key.unit or "", analyte=key.analyte):
            yield f"{unit} cannot be turned into {key.unit}"


class Vocabulary:
    """All keys by name. Immutable.

    `version` is the hash of what they say and of the table of analytes, whose
    factors every vocabulary converts with.
    """

    __slots__ = ("_keys", "_version")

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys: Mapping[str, Key] = _unique(keys)
        for key in self._keys.values():
            for name in key.computed.inputs if key.computed else ():
                if name not in self._keys:
                    raise InvalidVocabulary(f"{key.name} is computed from {name}, which does not exist")
        self._version = ""

    @property
    def version(self) -> str:
        """The hash of what the keys say; worked out when somebody first asks."""
        if not self._version:
            digests = {name: key.digest for name, key in sorted(self._keys.items())}
            self._version = _digest({"analytes": packaged_analytes().version, "keys": digests})
        return self._version

    def __getitem__(self, name: str) -> Key:
        """Give the key of a name.

        :raises UnknownKey: when there is none; it names the nearest one.
        """
        try:
            return self._keys[name]
        except KeyError:
            raise UnknownKey(name, suggestion=self.nearest(name)) from None

    def __contains__(self, name: str) -> bool:
        return name in self._keys

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys.values())

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, name: str) -> Key | None:
        """Give the key of a name, or nothing."""
        return self._keys.get(name)

    def nearest(self, name: str) -> str | None:
        """Give the name that somebody may have meant: an analyte so called, or else the most similar one."""
        for analyte in packaged_analytes().named(name):
            if analyte.key in self._keys:
                return analyte.key
        return nearest(name, self._keys)

    def extended(self, keys: Iterable[Key]) -> Vocabulary:
        """Give a vocabulary with a study's own keys, named `study.<slug>`, added.

        :raises InvalidVocabulary: when a name is outside that space or taken.
        """
        added = tuple(keys)
        for key in added:
            if not key.name.startswith(STUDY_PREFIX):
                raise InvalidVocabulary(f"a study's own key is named {STUDY_PREFIX}<slug>, not {key.name}")
        return Vocabulary((*self._keys.values(), *added))


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Give the word that is most like another one, if any is near."""
    from rapidfuzz import process  # here for the start: only a word that is unknown needs them
    from rapidfuzz.distance import OSA

    found = process.extractOne(word, list(words), scorer=OSA.normalized_similarity, score_cutoff=0.6)
    return None if found is None else found[0]


def read_vocabulary(source: str) -> Vocabulary:
    """Read a vocabulary written in TOML, one table `[key."<name>"]` per key.

    :raises InvalidVocabulary: with the key and what is wrong with it.
    """
    return Vocabulary(read_key(name, table) for name, table in _tables(source).items())


def _tables(source: str) -> dict[str, object]:
    try:
        document = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise InvalidVocabulary(str(error)) from error
    tables = document.get("key")
    if not isinstance(tables, dict) or set(document) != {"key"}:
        raise InvalidVocabulary("a vocabulary consists of tables [key.<name>]")
    return tables


def read_key(name: str, table: object) -> Key:
    """Read one key from plain data, as in TOML or in the database.

    :raises InvalidVocabulary: when a part is missing, unknown or contradicts another.
    """
    if not isinstance(table, dict):
        raise InvalidVocabulary(f"{name}: not a table")
    try:
        return Key.model_validate({**table, "name": name})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, (name, *first["loc"])))
        raise InvalidVocabulary(f"{where}: {first['msg'].removeprefix('Value error, ')}") from None


@cache
def packaged_vocabulary() -> Vocabulary:
    """Give the vocabulary that comes with the package."""
    source = resources.files("screening").joinpath("data/vocabulary.toml").read_text("utf-8")
    return Vocabulary(_with_analytes(_tables(source)))


def _with_analytes(tables: Mapping[str, object]) -> Iterator[Key]:
    """Read keys and add those of the analytes; a table for an analyte adds what the analytes do not say."""
    for name, table in tables.items():
        analyte = packaged_analytes().get(name)
        yield read_key(name, table if analyte is None else supplemented(analyte, table))
    for analyte in packaged_analytes():
        if analyte.key not in tables:
            yield read_key(analyte.key, analyte_table(analyte))


def analyte_table(analyte: Analyte) -> dict[str, object]:
    """Write what the key of an analyte says, as plain data."""
    said = {
        "kind": KeyKind.QUANTITY.value,
        "label": {"en": analyte.names[0], "es": analyte.spanish[0]},
        "unit": analyte.unit,
        "units": [scale.unit for scale in analyte.scales],
        "digits": analyte.digits,
        "analyte": analyte.substance,
        "usual": list(analyte.usual),
        "plausible": list(analyte.plausible),
        "told_by": list(analyte.told_by),
        "validity": analyte.validity,
    }
    return {name: value for name, value in said.items() if value is not None}


def supplemented(analyte: Analyte, table: object) -> object:
    """Add to the key of an analyte what a vocabulary says besides: questions, hints, computations.

    :raises InvalidVocabulary: when it says again what the table of analytes says.
    """
    if not isinstance(table, dict):
        return table
    said = analyte_table(analyte)
    if twice := said.keys() & table.keys():
        raise InvalidVocabulary(f"{analyte.key}: {', '.join(sorted(twice))} stands in the table of analytes")
    return {**said, **table}


def _unique(keys: Iterable[Key]) -> dict[str, Key]:
    held: dict[str, Key] = {}
    for key in keys:
        if key.name in held:
            raise InvalidVocabulary(f"{key.name} stands there twice")
        held[key.name] = key
    return held


def _digest(document: object) -> str:
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
