"""What can be wrong with a questionnaire that is to be published, and the words that name it."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as made
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from screening.slips import N_


class Fault(StrEnum):
    """A reason against publishing."""

    DUPLICATE_ID = "duplicate_id"
    DUPLICATE_OPTION = "duplicate_option"
    UNKNOWN_SECTION = "unknown_section"
    DANGLING_REFERENCE = "dangling_reference"
    BACKWARD_REFERENCE = "backward_reference"
    UNKNOWN_CODE = "unknown_code"
    WRONG_CONDITION = "wrong_condition"
    UNREACHABLE = "unreachable"
    NOT_PROVED = "not_proved"
    UNUSED_QUESTION = "unused_question"
    NO_QUESTION = "no_question"
    UNKNOWN_KEY = "unknown_key"
    NOTHING_DENIED = "nothing_denied"
    WRONG_VALUE = "wrong_value"
    MISSING_TRANSLATION = "missing_translation"
    SAME_WORDING = "same_wording"
    OUTCOME_MISSING = "outcome_missing"
    CHOICE_MISSING = "choice_missing"
    CONSENT_MISSING = "consent_missing"
    DUPLICATE_CONSENT = "duplicate_consent"
    SAFETY_PAGE_MISSING = "safety_page_missing"
    NO_URGENT_ANSWER = "no_urgent_answer"
    FORBIDDEN_PHRASE = "forbidden_phrase"
    TWO_IDEAS = "two_ideas"


WARNINGS: Final = frozenset(
    {
        Fault.NOT_PROVED,
        Fault.NOTHING_DENIED,
        Fault.SAME_WORDING,
        Fault.NO_URGENT_ANSWER,
        Fault.TWO_IDEAS,
    }
)

MESSAGES: Final[Mapping[Fault, str]] = MappingProxyType(
    {
        Fault.DUPLICATE_ID: N_("Two questions have the id %(where)s"),
        Fault.DUPLICATE_OPTION: N_("%(where)s has the option %(code)s twice"),
        Fault.UNKNOWN_SECTION: N_("%(where)s stands in the section %(section)s, which does not exist"),
        Fault.DANGLING_REFERENCE: N_("%(where)s depends on %(item)s, which does not exist"),
        Fault.BACKWARD_REFERENCE: N_("%(where)s depends on %(item)s, which does not come before it"),
        Fault.UNKNOWN_CODE: N_("%(where)s depends on the answer %(code)s, which %(item)s does not offer"),
        Fault.WRONG_CONDITION: N_(
            "%(where)s compares %(item)s in a way that its kind of answer does not allow"
        ),
        Fault.UNREACHABLE: N_("No answers lead to %(where)s"),
        Fault.NOT_PROVED: N_("Too many ways lead to %(where)s to prove that it can be reached"),
        Fault.UNUSED_QUESTION: N_("Nothing uses the answer to %(where)s. Remove it or say what it is for"),
        Fault.NO_QUESTION: N_(
            "The protocol needs %(where)s, which a participant knows, but no question asks it"
        ),
        Fault.UNKNOWN_KEY: N_("%(where)s speaks of the fact %(key)s, which is not in the vocabulary"),
        Fault.NOTHING_DENIED: N_("%(where)s: leaving out %(code)s, or saying no, denies nothing"),
        Fault.WRONG_VALUE: N_("%(where)s states a value that does not suit the fact %(key)s"),
        Fault.MISSING_TRANSLATION: N_(
            "%(where)s: %(place)s is missing in %(language)s (about: %(respondent)s)"
        ),
        Fault.SAME_WORDING: N_(
            "%(where)s: %(place)s says “you” and has no wording in %(language)s about: %(respondent)s"
        ),
        Fault.OUTCOME_MISSING: N_("The result page %(where)s is missing"),
        Fault.CHOICE_MISSING: N_("The first page offers no choice for %(where)s"),
        Fault.CONSENT_MISSING: N_("The consent text %(where)s is missing"),
        Fault.DUPLICATE_CONSENT: N_("There are two consent texts %(where)s"),
        Fault.SAFETY_PAGE_MISSING: N_("%(where)s needs a safety page with numbers to call in %(language)s"),
        Fault.NO_URGENT_ANSWER: N_("No answer to %(where)s opens the safety page"),
        Fault.FORBIDDEN_PHRASE: N_("%(where)s: %(place)s says “%(phrase)s” in %(language)s"),
        Fault.TWO_IDEAS: N_("%(where)s seems to ask two things at once in %(language)s"),
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason: the question, page or fact key that it is about, and what fills its message."""

    fault: Fault
    where: str
    params: Mapping[str, str] = made(default_factory=dict)

    @property
    def blocks(self) -> bool:
        """Whether the version cannot be published with it."""
        return self.fault not in WARNINGS
