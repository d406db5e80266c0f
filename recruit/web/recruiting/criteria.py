"""Why somebody fits or does not, criterion by criterion, in the order in which staff need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from recruit.matching import assessing
from recruit.matching.assessing import Judged
from recruit.matching.models import AssessmentRow, Match, Override
from recruit.web import languages
from screening.assessment.assess import CriterionVerdict, explain
from screening.language.protocol import CriterionKind
from screening.verdict import Label
from screening.vocabulary import Vocabulary

_ORDER = {Label.UNKNOWN: 1, Label.RULES_OUT: 2, Label.PASSES: 3, Label.DOES_NOT_APPLY: 4}
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class CriterionRow:
    """One criterion as the page shows it.

    ``stands_out`` where somebody has to look at it; ``note`` is staff's own verdict beside the machine's.
    """

    lineage: str
    number: str
    kind: str
    text: str
    verdict: str
    stands_out: bool
    evidence: str
    missing: list[str]
    note: str | None
    is_open: bool
    overridden: bool


def rows_of(session: Session, match: Match, judged: Judged, *, names: Mapping[str, str]) -> list[CriterionRow]:
    """List all criteria: what can still be asked first, then unknown, ruling out, passing.

    :param names: how staff are called, by the actor that a row names
    """
    verdicts = sorted(judged.assessment.counting, key=_place)
    return [
        _row(session, match, verdict, judged.overrides.get(verdict.criterion.lineage), judged, names)
        for verdict in verdicts
    ]


def elsewhere(judged: Judged) -> list[str]:
    """Name the criteria of cohorts that rule this person out, while another one may still take them."""
    counting = judged.assessment.counting
    return [
        f"{_number(verdict)} {verdict.criterion.text}"
        for verdict in judged.assessment.verdicts
        if verdict not in counting
    ]


def _number(verdict: CriterionVerdict) -> str:
    """Tell inclusion 3 from exclusion 3."""
    criterion = verdict.criterion
    is_inclusion = criterion.kind is CriterionKind.INCLUSION
    return str(
        _("I%(number)s", number=criterion.number) if is_inclusion else _("E%(number)s", number=criterion.number)
    )


def _place(verdict: CriterionVerdict) -> int:
    return 0 if verdict.is_open else _ORDER[verdict.label]


def _row(
    session: Session,
    match: Match,
    verdict: CriterionVerdict,
    override: Override | None,
    judged: Judged,
    names: Mapping[str, str],
) -> CriterionRow:
    criterion = verdict.criterion
    return CriterionRow(
        lineage=criterion.lineage,
        number=_number(verdict),
        kind=_("Inclusion") if criterion.kind is CriterionKind.INCLUSION else _("Exclusion"),
        text=criterion.text,
        verdict=verdict.label.value,
        stands_out=override is not None or verdict.label in (Label.UNKNOWN, Label.RULES_OUT),
        evidence=" ".join(explain(verdict)),
        missing=missing_words(verdict, judged.vocabulary),
        note=_note(session, match, override, names) if override else None,
        is_open=verdict.is_open,
        overridden=override is not None,
    )


def _note(session: Session, match: Match, override: Override, names: Mapping[str, str]) -> str:
    said = _("Passes") if override.passes else _("Rules out")
    return str(
        _(
            "%(who)s sees this differently: %(verdict)s. %(reason)s",
            who=names.get(override.made_by, override.made_by),
            verdict=said,
            reason=assessing.reason_of(session, match, override),
        )
    )


def missing_words(verdict: CriterionVerdict, vocabulary: Vocabulary) -> list[str]:
    """Name the facts that are missing, where the person could tell them."""
    if not verdict.is_open:
        return []
    labels = [label(one.key, vocabulary) for one in verdict.missing]
    return list(dict.fromkeys(labels))


def label(key: str, vocabulary: Vocabulary) -> str:
    """Name a fact as staff do, in the reader's language."""
    found = vocabulary.get(key)
    return found.text("label", languages.current()) if found else key.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Counted:
    """How many criteria came out how, as the page shows them."""

    passes: int
    does_not_apply: int
    unknown: int
    rules_out: int


def count(judged: Judged) -> Counted:
    """Count the verdicts that tell where the person stands."""
    labels = [verdict.label for verdict in judged.assessment.counting]
    return Counted(
        labels.count(Label.PASSES),
        labels.count(Label.DOES_NOT_APPLY),
        labels.count(Label.UNKNOWN),
        labels.count(Label.RULES_OUT),
    )


def why(assessment: AssessmentRow | None, labels: Mapping[str, str]) -> str:
    """Say in one line how a stored assessment came out: what rules out, what to ask, or that it fits.

    What does not apply to the person, or belongs to a cohort that rules them out while another is open to
    them, is not counted.

    :param labels: words for fact keys
    """
    if assessment is None:
        return str(_("Not assessed: no version is in force"))
    criteria = _criteria(assessment)
    ruling = [one for one in criteria if one.get("passes") == "not met"]
    if ruling:
        return str(_("Ruled out by %(criteria)s", criteria=_numbers(ruling)))
    asking = _askable(criteria, labels)
    if asking:
        named, more = ", ".join(asking[:_MOST_NAMED]), len(asking) - _MOST_NAMED
        if more > 0:
            return str(_("Ask: %(facts)s and %(number)s more", facts=named, number=more))
        return str(_("Ask: %(facts)s", facts=named))
    passing = sum(one.get("passes") == "met" for one in criteria)
    left = len(criteria) - passing
    if left:
        return str(
            ngettext(
                "Fits %(fits)s of %(all)s; %(num)s only the site can tell",
                "Fits %(fits)s of %(all)s; %(num)s only the site can tell",
                left,
                fits=passing,
                all=len(criteria),
            )
        )
    return str(_("Fits all %(number)s criteria", number=passing))


def _criteria(assessment: AssessmentRow) -> list[dict[str, object]]:
    found, counting = assessment.result.get("criteria"), assessment.result.get("counting")
    if not isinstance(found, list) or not isinstance(counting, list):
        return []
    return [
        one
        for one in found
        if isinstance(one, dict)
        and one.get("criterion") in counting
        and one.get("label") != Label.DOES_NOT_APPLY.value
    ]


def _numbers(criteria: Sequence[Mapping[str, object]]) -> str:
    return ", ".join(str(one.get("number") or one.get("criterion")) for one in criteria)


def _askable(criteria: Sequence[Mapping[str, object]], labels: Mapping[str, str]) -> list[str]:
    keys: list[str] = []
    for one in criteria:
        missing = one.get("missing")
        if one.get("open") and isinstance(missing, list):
            keys += [str(fact["key"]) for fact in missing if isinstance(fact, dict)]
    return list(dict.fromkeys(labels.get(key, key.replace("_", " ")) for key in keys))
