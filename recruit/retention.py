"""How long each kind of row is kept: the one table that pages, consents and jobs print and obey.

The periods are the product's proposal (research on telephone screening guidance, GDPR 5(1)(e)); a study
may shorten those that say so. Every model names one of these classes, and a guard test checks that it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from screening.slips import N_


class Retention(StrEnum):
    """The retention class of a table."""

    DRAFT = "draft"
    PERSON = "person"
    STUDY_RECORD = "study_record"
    ACCOUNT = "account"
    SUPPRESSION = "suppression"
    COUNTER = "counter"
    TRAIL = "trail"
    OPERATION = "operation"


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to rows of one class, in words, and after how many days where a clock runs."""

    kept: str
    days: int | None


RULES: dict[Retention, Rule] = {
    Retention.DRAFT: Rule(N_("Until 24 hours after the last answer."), 1),
    Retention.PERSON: Rule(
        N_(
            "As long as you want to be considered. If the study is not a match: 90 days, unless the study says "
            "otherwise. If you ask before you sign a study's consent form, we delete them at once."
        ),
        90,
    ),
    Retention.STUDY_RECORD: Rule(N_("As long as the law asks a study to keep its records."), None),
    Retention.ACCOUNT: Rule("While the account exists, then with the trail that names it.", None),
    Retention.SUPPRESSION: Rule(
        N_("For good, so that a no stays a no: only a coded fingerprint of the number or address."), None
    ),
    Retention.COUNTER: Rule(N_("For good: these are numbers without names."), None),
    Retention.TRAIL: Rule("As long as the records it speaks about; holds no answers, names or numbers.", None),
    Retention.OPERATION: Rule("30 days.", 30),
}

RESUME_DAYS = 30
ABANDONED_HOURS = 24
SCREENED_OUT_DAYS = 90
