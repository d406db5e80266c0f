"""Staff's verdicts laid over the machine's; both are kept, and only the effective one routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from screening.assessment.assess import Assessment, CriterionVerdict, disposition_of
from screening.verdict import Disposition, truth


def effective(assessment: Assessment, passes: Mapping[str, bool]) -> Disposition:
    """Say where a person stands once staff's verdicts take the place of the machine's.

    :param passes: by lineage of the criterion, whether it passes
    """
    verdicts = [_overruled(verdict, passes) for verdict in assessment.verdicts]
    if not assessment.cohorts:
        return disposition_of(verdicts)
    open_ones = [cohort for cohort in assessment.cohorts if not cohort.is_closed]
    return max(
        (disposition_of(_of_cohort(verdicts, one.cohort)) for one in open_ones or assessment.cohorts),
        key=lambda disposition: disposition.rank,
    )


def _overruled(verdict: CriterionVerdict, passes: Mapping[str, bool]) -> CriterionVerdict:
    said = passes.get(verdict.criterion.lineage)
    return verdict if said is None else replace(verdict, passes=truth(said), is_open=False)


def _of_cohort(verdicts: Sequence[CriterionVerdict], cohort: str) -> list[CriterionVerdict]:
    return [one for one in verdicts if not one.criterion.cohorts or cohort in one.criterion.cohorts]
