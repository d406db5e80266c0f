"""A protocol in CDISC's Unified Study Definitions Model (USDM 4, JSON) into our own types.

What arrives is somebody else's file. Every part that we keep is checked and every refusal names its path. Of
the people in it nothing is read. Criteria come in the order that the file gives (`nextId` and `previousId`,
else the identifiers, else as they stand), and one that cannot be read refuses the file: none is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from recruit.interop.fields import LONG, Part, quoted, read_date
from recruit.interop.registry import (
    Amendment,
    Enrolment,
    IdentifierType,
    Organisation,
    Origin,
    PartialDate,
    Phase,
    RecordCode,
    RecordCohort,
    RegistryAge,
    RegistryIdentifier,
    RegistrySex,
    RegistryStatus,
    StudyRecord,
    StudyType,
)
from recruit.interop.richtext import Passage
from recruit.interop.usdmcriteria import NAMED_BY_NONE, Criteria, codes_of, in_order
from recruit.interop.usdmtexts import Texts
from screening.intervals import CalendarUnit, Duration

__all__ = ["NAMED_BY_NONE", "in_order", "is_protocol", "read"]

_NCT = re.compile(r"NCT\d{8}", re.ASCII)
_EUDRACT = re.compile(r"\d{4}-\d{6}-\d{2}", re.ASCII)
_CTIS = re.compile(r"\d{4}-5\d{5}-\d{2}-\d{2}", re.ASCII)
_UNITS = {
    "year": CalendarUnit.YEARS,
    "month": CalendarUnit.MONTHS,
    "week": CalendarUnit.WEEKS,
    "day": CalendarUnit.DAYS,
}
_SEXES = {"C49636": {"FEMALE", "MALE"}, "C16576": {"FEMALE"}, "C20197": {"MALE"}}
_SEX_WORDS = {"both": {"FEMALE", "MALE"}, "female": {"FEMALE"}, "male": {"MALE"}}
_TYPES = {
    "C98388": StudyType.INTERVENTIONAL,
    "C16084": StudyType.OBSERVATIONAL,
    "C98722": StudyType.EXPANDED_ACCESS,
}
_PHASES = {
    "0": Phase.EARLY_PHASE1,
    "I": Phase.PHASE1,
    "II": Phase.PHASE2,
    "III": Phase.PHASE3,
    "IV": Phase.PHASE4,
}
_ARABIC = {"1": "I", "2": "II", "3": "III", "4": "IV"}


def is_protocol(document: object) -> bool:
    """Tell a USDM file from other JSON by what it holds."""
    return isinstance(document, dict) and ("usdmVersion" in document or "versions" in _study_of(document))


def _study_of(document: Mapping[object, object]) -> Mapping[object, object]:
    study = document.get("study")
    return study if isinstance(study, dict) else {}


def read(document: object) -> StudyRecord:
    """Read the newest version of the protocol in a USDM file, already decoded from JSON.

    The newest version is the one with the latest date, where all have one, else the last. Several study
    designs are cohorts of one study.

    :raises InvalidRecord: with the path of the field, such as ``study.versions[0].studyIdentifiers``.
    """
    root = Part(document, "")
    _check_language(root)
    study = root.part("study")
    version = _newest(study)
    texts = Texts(document, version)
    designs = list(version.parts("studyDesigns"))
    if not designs:
        raise version.fail("studyDesigns", "The version has no study design.")
    criteria = Criteria(version, designs, texts).read()
    population = designs[0].part("population")
    whole = _ages_and_sex(population) if len(designs) == 1 else _AgesAndSex()
    organisations = {one.required_text("id"): one for one in version.parts("organizations")}
    names = _identifiers(version, organisations)
    titles = _titles(version)
    brief = _first(titles, "brief", "official", "public", "scientific") or study.text("name")
    if brief is None:
        raise version.fail("titles", "The study has no title.")
    return StudyRecord(
        nct_id=names.nct_id,
        brief_title=brief,
        status=RegistryStatus.UNKNOWN,
        origin=Origin.PROTOCOL,
        org_study_id=names.sponsor,
        secondary_ids=names.others,
        official_title=titles.get("official"),
        acronym=titles.get("acronym"),
        sponsor=_sponsor(version, organisations, names),
        study_type=_study_type(designs[0]),
        phases=_phases(designs[0]),
        conditions=_conditions(designs),
        enrolment=_enrolment(population) if len(designs) == 1 else None,
        minimum_age=whole.minimum,
        maximum_age=whole.maximum,
        sex=whole.sex,
        healthy_volunteers=population.flag("includesHealthySubjects") if len(designs) == 1 else None,
        criteria_text=criteria.text,
        criteria=tuple(criteria.said),
        protocol_version=version.text("versionIdentifier"),
        amendments=tuple(_amendment(one) for one in version.parts("amendments")),
        codes=tuple(dict.fromkeys(_indication_codes(designs))),
        criterion_codes=tuple(criteria.codes),
        cohorts=tuple(_cohorts(designs, criteria.places, texts)),
    )


def _check_language(root: Part) -> None:
    version = root.text("usdmVersion")
    if version is None or not version.startswith("4."):
        said = quoted(version) if version else "nothing"
        raise root.fail("usdmVersion", f"Version 4 of USDM is read, and the file says {said}.")


def _newest(study: Part) -> Part:
    versions = list(study.parts("versions"))
    if not versions:
        raise study.fail("versions", "The study has no version.")
    dates = [_latest(one) for one in versions]
    known = [str(one) for one in dates if one is not None]
    if len(known) < len(versions):
        return versions[-1]
    return versions[max(range(len(known)), key=lambda at: (known[at], at))]


def _latest(part: Part) -> PartialDate | None:
    """Give the latest of an instance's governance dates."""
    dates = [
        read_date(text[:10] if text[10:11] == "T" else text, one.at("dateValue"))
        for one in part.parts("dateValues")
        if (text := one.text("dateValue")) is not None
    ]
    return max(dates, key=str, default=None)


def _amendment(part: Part) -> Amendment:
    number = part.text("number") or part.text("name") or part.required_text("id")
    return Amendment(number, part.text("summary", longest=LONG) or "", _latest(part))


@dataclass(frozen=True, slots=True)
class _Names:
    """A study's identifiers: that of ClinicalTrials.gov, the sponsor's own, and all others."""

    nct_id: str = ""
    sponsor: RegistryIdentifier | None = None
    others: tuple[RegistryIdentifier, ...] = ()
    sponsor_organisation: str = ""


def _identifiers(version: Part, organisations: Mapping[str, Part]) -> _Names:
    names = _Names()
    for one in version.parts("studyIdentifiers"):
        value = one.required_text("text").strip()
        scope = one.required_text("scopeId")
        if scope not in organisations:
            raise one.fail("scopeId", f"There is no organization {quoted(scope)}.")
        giver = organisations[scope]
        if _NCT.fullmatch(value) and not names.nct_id:
            names = replace(names, nct_id=value)
        elif _is_clinicaltrials_gov(giver):
            raise one.fail("text", f"{quoted(value)} is no further NCT number (NCT and eight digits, once).")
        elif _is_sponsor(giver) and names.sponsor is None:
            names = replace(names, sponsor=RegistryIdentifier(value), sponsor_organisation=scope)
        else:
            names = replace(names, others=(*names.others, _other(value, giver)))
    if not names.nct_id and names.sponsor is None:
        raise version.fail("studyIdentifiers", "There is neither the sponsor's number nor an NCT number.")
    return names


def _other(value: str, giver: Part) -> RegistryIdentifier:
    """Name who gave an identifier; a European number is known by its form, so that both ways in agree."""
    if _EUDRACT.fullmatch(value):
        return RegistryIdentifier(value, IdentifierType.EUDRACT_NUMBER)
    if _CTIS.fullmatch(value):
        return RegistryIdentifier(value, IdentifierType.CTIS)
    return RegistryIdentifier(value, None, _called(giver))


def _called(organisation: Part) -> str:
    return organisation.text("label") or organisation.required_text("name")


def _is_clinicaltrials_gov(giver: Part) -> bool:
    words = (giver.text("name"), giver.text("label"), giver.text("identifier"))
    plain = {re.sub(r"[^a-z]", "", word.casefold()) for word in words if word}
    return bool(plain & {"clinicaltrialsgov", "clinicaltrials", "ctgov", "nct"})


def _is_sponsor(giver: Part) -> bool:
    kind = giver.part("type")
    return kind.text("code") == "C70793" or "sponsor" in (kind.text("decode") or "").casefold()


def _sponsor(version: Part, organisations: Mapping[str, Part], names: _Names) -> Organisation | None:
    for role in version.parts("roles"):
        if (role.part("code").text("decode") or "").casefold().strip() == "sponsor":
            for name in role.texts("organizationIds"):
                if name in organisations:
                    return Organisation(_called(organisations[name]))
    giver = organisations.get(names.sponsor_organisation)
    return Organisation(_called(giver)) if giver is not None else None


def _titles(version: Part) -> dict[str, str]:
    """Give the titles by the first word of their kind: brief, official, public, scientific, acronym."""
    titles: dict[str, str] = {}
    for one in version.parts("titles"):
        kind = (one.part("type").text("decode") or "").casefold()
        word = "acronym" if "acronym" in kind else kind.partition(" ")[0]
        if (text := one.text("text")) is not None and text.strip():
            titles.setdefault(word, text)
    return titles


def _first(titles: Mapping[str, str], *words: str) -> str | None:
    return next((titles[word] for word in words if word in titles), None)


def _study_type(design: Part) -> StudyType | None:
    code = design.part("studyType").text("code")
    kind = (design.text("instanceType") or "").casefold()
    if code in _TYPES:
        return _TYPES[code]
    return next((one for one in StudyType if one.value.casefold() in kind), None)


def _phases(design: Part) -> tuple[Phase, ...]:
    """Read "Phase II Trial", "Phase II/III Trial" and "Phase 2"; other words are no phase of ours."""
    words = design.part("studyPhase").part("standardCode").text("decode") or ""
    if "not applicable" in words.casefold():
        return (Phase.NA,)
    found = re.search(r"\bphase\s+([0-4IV]+)[ab]?(?:\s*/\s*(?:phase\s+)?([0-4IV]+)[ab]?)?\b", words, re.I)
    read = (_PHASES.get(_ARABIC.get(one, one.upper())) for one in (found.groups() if found else ()) if one)
    return tuple(dict.fromkeys(phase for phase in read if phase is not None))


def _conditions(designs: Sequence[Part]) -> tuple[str, ...]:
    said = (
        one.text("label") or one.text("description") or one.text("name")
        for design in designs
        for one in design.parts("indications")
    )
    return tuple(dict.fromkeys(text for text in said if text))


def _indication_codes(designs: Sequence[Part]) -> Iterator[RecordCode]:
    for design in designs:
        for one in design.parts("indications"):
            yield from codes_of(one)


def _enrolment(population: Part) -> Enrolment | None:
    planned = population.part("plannedEnrollmentNumber")
    if planned.get("maxValue") is not None:
        planned = planned.part("maxValue")
    count = planned.number("value", largest=1e9)
    if count is None:
        return None
    if count < 0 or not count.is_integer():
        raise planned.fail("value", "A whole number of people was expected here.")
    return Enrolment(int(count))


@dataclass(frozen=True, slots=True)
class _AgesAndSex:
    minimum: RegistryAge | None = None
    maximum: RegistryAge | None = None
    sex: RegistrySex | None = None


def _ages_and_sex(population: Part) -> _AgesAndSex:
    planned = population.part("plannedAge")
    rough = planned.flag("isApproximate") is True
    minimum, maximum = (_age(planned, name, rough=rough) for name in ("minValue", "maxValue"))
    if minimum and maximum and maximum.is_below(minimum):
        raise planned.fail("maxValue", f"The age {maximum.text} is below {minimum.text}.")
    return _AgesAndSex(minimum, maximum, _sex(population))


def _age(planned: Part, name: str, *, rough: bool) -> RegistryAge | None:
    """Read an age limit; one that is only about right, or in parts of a unit, is a text without a duration."""
    quantity = planned.part(name)
    count = quantity.number("value", largest=1e5)
    if count is None:
        return None
    standard = quantity.part("unit").part("standardCode")
    word = standard.required_text("decode").strip()
    unit = word.casefold().removesuffix("s")
    if unit not in (*_UNITS, "hour", "minute"):
        raise standard.fail("decode", f"{quoted(word)} is no unit of age, such as Year or Month.")
    if count < 0:
        raise quantity.fail("value", "An age is not below zero.")
    text = f"{'about ' if rough else ''}{count:g} {unit.capitalize()}{'' if count == 1 else 's'}"
    if rough or not count.is_integer() or unit not in _UNITS:
        return RegistryAge(text, None)
    age = RegistryAge(text, Duration(int(count), _UNITS[unit]))
    if age.is_beyond_any:
        raise quantity.fail("value", f"The age {text} is beyond 150 years.")
    return age


def _sex(population: Part) -> RegistrySex | None:
    taken: set[str] = set()
    for one in population.parts("plannedSex"):
        word = (one.text("decode") or "").casefold().strip()
        known = _SEXES.get(one.text("code") or "") or _SEX_WORDS.get(word)
        if known is None:
            raise one.fail("decode", f"{quoted(word)} is not one of: both, female, male.")
        taken |= known
    if not taken:
        return None
    return RegistrySex.ALL if len(taken) == 2 else RegistrySex(taken.pop())


def _cohorts(designs: Sequence[Part], places: Mapping[str, int], texts: Texts) -> Iterator[RecordCohort]:
    """Give the cohorts; several designs are cohorts too, and then no criterion is for everybody."""
    taken: set[str] = set()
    for design in designs:
        population = design.part("population")
        shared = set(_placed(population, places))
        cohorts = list(population.parts("cohorts"))
        if len(designs) == 1:
            for cohort in cohorts:
                own = tuple(at for at in _placed(cohort, places) if at not in shared)
                yield _cohort(cohort, cohort, "", own, taken, texts)
            continue
        design_name = design.text("label") or design.required_text("name")
        everything = {places[one.required_text("id")] for one in design.parts("eligibilityCriteria")}
        for_all = everything - ({at for cohort in cohorts for at in _placed(cohort, places)} - shared)
        for cohort in cohorts or [population]:
            named, before = (cohort, f"{design_name}: ") if cohorts else (design, "")
            concerned = tuple(sorted({*_placed(cohort, places), *for_all}))
            yield _with_limits_of(population, _cohort(cohort, named, before, concerned, taken, texts))


def _with_limits_of(population: Part, cohort: RecordCohort) -> RecordCohort:
    """Give a cohort the limits of its design where it has none of its own."""
    limits = _ages_and_sex(population)
    return replace(
        cohort,
        minimum_age=cohort.minimum_age or limits.minimum,
        maximum_age=cohort.maximum_age or limits.maximum,
        sex=cohort.sex or limits.sex,
    )


def _placed(population: Part, places: Mapping[str, int]) -> Iterator[int]:
    for at, name in enumerate(population.texts("criterionIds")):
        if name not in places:
            raise population.fail(f"criterionIds[{at}]", f"There is no criterion {quoted(name)}.")
        yield places[name]


def _cohort(
    cohort: Part, named: Part, before: str, criteria: tuple[int, ...], taken: set[str], texts: Texts
) -> RecordCohort:
    limits = _ages_and_sex(cohort)
    called = named.text("label") or named.required_text("name")
    return RecordCohort(
        id=_free(named.text("name") or called, taken),
        name=f"{before}{called}",
        criteria=criteria,
        demands=tuple(_demand(one, texts) for one in cohort.parts("characteristics")),
        minimum_age=limits.minimum,
        maximum_age=limits.maximum,
        sex=limits.sex,
    )


def _demand(characteristic: Part, texts: Texts) -> str:
    if characteristic.text("text", longest=LONG) is None:
        return characteristic.text("label") or characteristic.required_text("name")
    return "\n".join(_outlined(texts.passage(characteristic), 0))


def _outlined(passage: Passage, depth: int) -> Iterator[str]:
    if passage.text:
        yield f"{'  ' * depth}{passage.marker}{' ' if passage.marker else ''}{passage.text}"
    for part in passage.parts:
        yield from _outlined(part, depth + 1)


def _free(name: str, taken: set[str]) -> str:
    """Make the id of a cohort: letters, digits, dots and dashes, each id once."""
    base = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:30].strip("-") or "cohort"
    slug, number = base, 1
    while slug.casefold() in taken:
        number += 1
        slug = f"{base}-{number}"
    taken.add(slug.casefold())
    return slug
