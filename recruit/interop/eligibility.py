"""From a registry's record to the draft criteria of a protocol version.

The registry's own age limits and sex become real criteria, since they are fields. All the rest stays text until
a coordinator has turned it into a rule: a text is unknown, and unknown keeps nobody out. Only "one of the
following" and its kin come as a group of texts, where the lead-in says nothing else.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from recruit.interop.registry import (
    RecordCode,
    RecordCohort,
    RegistryAge,
    RegistrySex,
    StudyRecord,
)
from screening.language.criteria import Age, AllOf, AnyOf, AtLeast, Is, Node, NoneOf, Unconfirmed
from screening.language.protocol import Cohort, Criterion, CriterionKind, Protocol
from screening.structure.headings import (
    Group,
    TextKind,
    is_plain_demand,
    only_groups,
    opens_the_list,
    says_there_are_none,
)
from screening.structure.splitting import Role, TextCriterion

AGE = "age"
SEX = "sex"
GENDER = "gender"
REGISTRY_MEMBER = "x-registry"
"""The member of a criterion that holds its headings, and a kind or role that a criterion cannot say."""

CODES_MEMBER = "x-codes"
"""The member of a criterion that holds the codes that its authors put beside it."""
INDICATIONS_MEMBER = "x-indications"
"""The member of a protocol that holds the codes of what it treats."""

SEX_KEY = "sex"
_CODES = {RegistrySex.FEMALE: "female", RegistrySex.MALE: "male"}
_LONGEST = 19_000
_LONGEST_LEAD = 400
_ENDS_WITH = re.compile(r"\bwith\W*$", re.I)
_UNHEALTHY = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff]")
_KINDS = {TextKind.INCLUSION: CriterionKind.INCLUSION, TextKind.EXCLUSION: CriterionKind.EXCLUSION}
_SEPARATE = {(TextKind.INCLUSION, Group.ALL), (TextKind.EXCLUSION, Group.ANY), (TextKind.UNSTATED, Group.ALL)}


def drafts(record: StudyRecord) -> Protocol:
    """Make the draft criteria of a study from its record, in the order of the registry.

    A criterion whose kind the text does not state is drafted as inclusion and says so under ``x-registry``. A
    lead-in for everybody ("Patients must meet all of the following:") is no criterion: its parts are, with it
    among their headings. Lineages are made of the words: the same text gives the same lineage everywhere.
    """
    made = [*_registry_fields(record), *_texts(record).criteria(), *_cohort_fields(record)]
    document: dict[str, object] = {
        "criteria": tuple(with_own_lineages(made)),
        "cohorts": tuple(Cohort(id=one.id, name=one.name) for one in record.cohorts),
    }
    if record.codes:
        document[INDICATIONS_MEMBER] = [_code(one) for one in record.codes]
    return Protocol.model_validate(document)


@dataclass(frozen=True, slots=True)
class Blank:
    """A list of criteria that the registry leaves empty in words: its headings, and "None" as written."""

    section: tuple[str, ...]
    text: str

    @property
    def headings(self) -> tuple[str, ...]:
        """Give the headings without the signs that announce a list."""
        return tuple(heading.rstrip(" :-\u2013\u2014*") for heading in self.section)


def blanks(record: StudyRecord) -> tuple[Blank, ...]:
    """Give what the record says of lists that ask nothing; no criterion is drafted from it."""
    texts = _texts(record)
    deque(texts.criteria(), maxlen=0)
    return tuple(texts.blanks)


def with_own_lineages(made: Sequence[Criterion], *, taken: Collection[str] = ()) -> Iterator[Criterion]:
    """Give every criterion a lineage of its own, apart from those taken; the first of equals keeps its own."""
    seen = set(taken)
    for criterion in made:
        names = (f"{criterion.lineage}-{number}" for number in count(2))
        lineage = criterion.lineage
        while lineage in seen:
            lineage = next(names)
        seen.add(lineage)
        yield criterion.model_copy(update={"lineage": lineage})


def _registry_fields(record: StudyRecord) -> Iterator[Criterion]:
    """Make the criteria of the record's own fields."""
    yield from _ages_and_sex(record, source=record.origin.value)
    if record.gender_description:
        yield Criterion(
            id=GENDER,
            kind=CriterionKind.INCLUSION,
            text=_clean(f"Gender: {record.gender_description} ({record.origin.value})"),
        )


def _cohort_fields(record: StudyRecord) -> Iterator[Criterion]:
    """Make the criteria of the cohorts' own fields and demands."""
    for cohort in record.cohorts:
        made = [
            *_ages_and_sex(cohort, source=record.origin.value),
            *(
                Criterion(id=f"demand-{at}", kind=CriterionKind.INCLUSION, text=piece)
                for at, piece in enumerate(
                    (piece for text in cohort.demands for piece in _pieces(_clean(text))), start=1
                )
            ),
        ]
        for criterion in made:
            words = _lineage(TextKind.INCLUSION, f"{cohort.id} {criterion.id} {criterion.text}")
            name = f"{cohort.id}.{criterion.id}"
            yield criterion.model_copy(update={"id": name, "lineage": words, "cohorts": (cohort.id,)})


def _ages_and_sex(said: StudyRecord | RecordCohort, *, source: str) -> Iterator[Criterion]:
    limits = [
        f"{name} {age.text}"
        for name, age in (("at least", said.minimum_age), ("at most", said.maximum_age))
        if age is not None
    ]
    if limits and not _no_limit(said):
        yield Criterion(
            id=AGE,
            kind=CriterionKind.INCLUSION,
            text=f"Age {' and '.join(limits)} ({source})",
            rule=_age_rule(said.minimum_age, said.maximum_age),
        )
    if said.sex in _CODES:
        code = _CODES[said.sex]
        yield Criterion(
            id=SEX,
            kind=CriterionKind.INCLUSION,
            text=f"Sex {code} ({source})",
            rule=Is(key=SEX_KEY, codes=(code,)),
        )


def _no_limit(record: StudyRecord | RecordCohort) -> bool:
    minimum = record.minimum_age
    trivial = minimum is None or (minimum.duration is not None and minimum.duration.count == 0)
    return trivial and record.maximum_age is None


def _age_rule(minimum: RegistryAge | None, maximum: RegistryAge | None) -> Node | None:
    """Make the rule of two age limits, each in its own unit; none where a limit is in hours of a day."""
    lower, upper = (age.duration if age else None for age in (minimum, maximum))
    if (minimum and lower is None) or (maximum and upper is None):
        return None
    if lower and lower.count == 0 and upper:
        lower = None
    if lower and upper and lower.unit is upper.unit:
        return Age(unit=lower.unit, ge=lower.count, le=upper.count)
    ends: list[Node] = []
    if lower:
        ends.append(Age(unit=lower.unit, ge=lower.count))
    if upper:
        ends.append(Age(unit=upper.unit, le=upper.count))
    return ends[0] if len(ends) == 1 else AllOf(of=tuple(ends))


def _texts(record: StudyRecord) -> _Texts:
    cohorts: defaultdict[int, list[str]] = defaultdict(list)
    for cohort in record.cohorts:
        for order in cohort.criteria:
            cohorts[order].append(cohort.id)
    codes: defaultdict[int, list[RecordCode]] = defaultdict(list)
    for order, code in record.criterion_codes:
        codes[order].append(code)
    return _Texts(record.criteria, cohorts, codes)


@dataclass(slots=True)
class _Texts:
    """The criteria of a text with their children at hand; ``blanks`` are found on the way.

    ``cohorts`` and ``codes`` are of the places of top criteria; what stands below one is for its cohorts alone.
    """

    said: Sequence[TextCriterion]
    cohorts: Mapping[int, Sequence[str]]
    codes: Mapping[int, Sequence[RecordCode]]
    children: Mapping[int, list[int]] = field(init=False)
    blanks: list[Blank] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        below: defaultdict[int, list[int]] = defaultdict(list)
        for criterion in self.said:
            if criterion.parent is not None:
                below[criterion.parent].append(criterion.order)
        self.children = below

    def criteria(self) -> Iterator[Criterion]:
        """Give the criteria, parents before children; an opening right before a heading reaches over it."""
        counts: Counter[TextKind] = Counter()
        opening: TextCriterion | None = None
        for criterion in self.said:
            if criterion.parent is not None:
                continue
            if opening is not None and opening.kind is not criterion.kind:
                opening = None
            yield from self._top(criterion, counts, (_last_sentence(opening),) if opening else ())
            if self._is_opening(criterion) and not self._below(criterion):
                opening = criterion

    def _top(
        self, said: TextCriterion, counts: Counter[TextKind], above: tuple[str, ...]
    ) -> Iterator[Criterion]:
        if says_there_are_none(said.text):
            self.blanks.append(Blank((*said.section, *above), said.text))
            return
        if self._is_opening(said):
            yield from self._opened(said, counts)
        else:
            yield from self._counted(said, counts, above)

    def _counted(
        self, said: TextCriterion, counts: Counter[TextKind], above: tuple[str, ...]
    ) -> Iterator[Criterion]:
        counts[said.kind] += 1
        prefix = {TextKind.INCLUSION: "in", TextKind.EXCLUSION: "ex", TextKind.UNSTATED: "un"}[said.kind]
        yield from self._whole(said, f"{prefix}-{counts[said.kind]}", None, said.number or "", above)

    def _is_opening(self, said: TextCriterion) -> bool:
        """Tell whether a lead-in only opens the list, so that its parts stand alone.

        A numbered one must say how they combine; what may mean "any" of an inclusion list stays together.
        """
        if said.role is not Role.LEAD_IN or not opens_the_list(_last_sentence(said)):
            return False
        if (said.kind, said.group) in _SEPARATE:
            return True
        vague = said.kind is not TextKind.EXCLUSION and _ENDS_WITH.search(said.text)
        return said.group is Group.UNSTATED and not said.marker and not vague

    def _opened(self, said: TextCriterion, counts: Counter[TextKind]) -> Iterator[Criterion]:
        """Give the parts of a lead-in, after what its earlier sentences demand."""
        opening = _last_sentence(said)
        earlier = said.text.removesuffix(opening).rstrip()
        if earlier:
            yield from self._counted(replace(said, text=earlier, order=-1 - said.order), counts, ())
        for child in self._below(said):
            yield from self._top(child, counts, (opening,))

    def _below(self, said: TextCriterion) -> list[TextCriterion]:
        return [self.said[at] for at in self.children.get(said.order, ())]

    def _whole(
        self, said: TextCriterion, name: str, parent: str | None, number: str, above: tuple[str, ...]
    ) -> Iterator[Criterion]:
        """Give a criterion: with its parts in one text, or before its parts where each stands for itself."""
        apart = self._stands_apart(said)
        rule = None if apart else self._group(said)
        text = said.text if apart else self._text(said)
        for at, piece in enumerate(_pieces(_clean(text))):
            yield Criterion.model_validate(
                {
                    "id": name if at == 0 else f"{name}_{at + 1}",
                    "lineage": _lineage(said.kind, piece),
                    "number": _clean(number),
                    "parent": parent if at == 0 else name,
                    "kind": _KINDS.get(said.kind, CriterionKind.INCLUSION),
                    "text": piece,
                    "rule": rule if at == 0 else None,
                    "cohorts": tuple(self.cohorts.get(self._top_of(said), ())),
                    **_extension(said, above, self.codes.get(_place(said), ())),
                }
            )
        if apart:
            for at, child in enumerate(self._below(said), start=1):
                below = f"{number}.{child.number}" if number and child.number else child.number or ""
                yield from self._whole(child, f"{name}.{at}", name, below, above)

    def _top_of(self, said: TextCriterion) -> int:
        """Give the place of the top criterion above one; what was cut off one has its place turned negative."""
        place = _place(said)
        while (parent := self.said[place].parent) is not None:
            place = parent
        return place

    def _stands_apart(self, said: TextCriterion) -> bool:
        """Tell whether every part is a criterion of its own: all of an inclusion, any of an exclusion."""
        return (
            (said.kind, said.group) in _SEPARATE
            and not only_groups(said.text)
            and is_plain_demand(said.text)
            and len(self._below(said)) > 1
        )

    def _group(self, said: TextCriterion) -> Node | None:
        """Give the group of texts of a bare "one of the following"; none where the lead-in says more."""
        parts = self._below(said)
        if len(parts) < 2 or not only_groups(said.text) or any(part.role is Role.REMARK for part in parts):
            return None
        texts = [_clean(self._text(part)) for part in parts]
        if max(map(len, texts)) > _LONGEST:
            return None
        of = tuple(self._group(part) or Unconfirmed(text=text) for part, text in zip(parts, texts, strict=True))
        match said.group:
            case Group.ALL:
                return AllOf(of=of)
            case Group.ANY:
                return AnyOf(of=of)
            case Group.NONE if said.kind is not TextKind.EXCLUSION:
                return NoneOf(of=of)
            case Group.AT_LEAST if said.least is not None and said.least <= len(of):
                return AtLeast(count=said.least, of=of)
            case _:
                return None

    def _text(self, said: TextCriterion) -> str:
        """Give a criterion with everything below it, one line each, indented and marked as written."""
        lines = [said.text]
        waiting = [(child, 1) for child in reversed(self._below(said))]
        while waiting:
            part, depth = waiting.pop()
            below = part.text.replace("\n", f"\n{'  ' * (depth + 1)}")
            lines.append(f"{'  ' * depth}{part.marker or '-'} {below}")
            waiting += [(child, depth + 1) for child in reversed(self._below(part))]
        return "\n".join(lines)


def _last_sentence(said: TextCriterion) -> str:
    return said.text[-_LONGEST_LEAD:].rpartition(". ")[2]


def _place(said: TextCriterion) -> int:
    return said.order if said.order >= 0 else -1 - said.order


def _extension(
    said: TextCriterion, above: tuple[str, ...], codes: Sequence[RecordCode] = ()
) -> dict[str, object]:
    """Give what a criterion has no member for."""
    headings = [_clean(heading) for heading in (*said.section, *above)]
    told: dict[str, object] = {"section": headings} if headings else {}
    if said.kind is TextKind.UNSTATED:
        told["kind"] = said.kind.value
    if said.role is Role.REMARK:
        told["role"] = said.role.value
    extension: dict[str, object] = {REGISTRY_MEMBER: told} if told else {}
    return extension | ({CODES_MEMBER: [_code(one) for one in codes]} if codes else {})


def _code(one: RecordCode) -> dict[str, str]:
    """Write a code as an extension; parts that say nothing are left out."""
    known = {"system": one.system, "release": one.release, "code": one.code, "words": one.words}
    return {name: text for name, text in known.items() if text}


def _lineage(kind: TextKind, text: str) -> str:
    words = " ".join(text.casefold().split())
    return "r" + hashlib.sha256(f"{kind.value} {words}".encode()).hexdigest()[:16]


def _clean(text: str) -> str:
    """Put a space for signs that no page shows and no database keeps."""
    return _UNHEALTHY.sub(" ", text)


def _pieces(text: str) -> Iterator[str]:
    """Cut a text that is longer than a criterion may be, between words where there are any."""
    while len(text) > _LONGEST:
        cut = text.rfind(" ", _LONGEST // 2, _LONGEST)
        cut = _LONGEST if cut < 0 else cut
        yield text[:cut]
        text = text[cut:].lstrip()
    yield text
