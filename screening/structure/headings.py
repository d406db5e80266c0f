"""What a line of an eligibility text announces: a heading, a lead-in, a remark, and how its children combine.

All of it is reading of words. A line that is taken for a heading is no criterion any more, so a line counts
as one only on strong signs; in doubt it stays a criterion that somebody will look at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class TextKind(StrEnum):
    """What the text says a criterion is for; never guessed from the criterion's own words."""

    INCLUSION = "inclusion"
    EXCLUSION = "exclusion"
    UNSTATED = "unstated"


class Group(StrEnum):
    """How the text says that a criterion's children combine.

    ``UNCLEAR``: in words that settle nothing, such as "some or all of the following". ``UNSTATED``: not at all.
    """

    ALL = "all"
    ANY = "any"
    AT_LEAST = "at_least"
    NONE = "none"
    UNCLEAR = "unclear"
    UNSTATED = "unstated"


LONGEST_PATH = 3

_LONGEST = 160
_TAIL = 400

_EXCLUSION = r"(?:non[- ]?inclusion|ineligib[a-z]+|exclusions?|exlusion|exculsion|exclsuion|exclusionary)"
_INCLUSION = r"(?:inclusions?|incusion|inlcusion|inculsion)"
_ELIGIBLE = r"(?:el[ie]gib[a-z]{2,6}|entry|enrol+ment|admission|selection)"
_CRITERIA = r"(?:criteri(?:a|on|ons|um|as)|requirements?)"
_NOUN = re.compile(
    rf"\b(?P<out>{_EXCLUSION})\b|\b(?P<in>{_INCLUSION})\b|\b(?P<entry>{_ELIGIBLE})\s+{_CRITERIA}\b", re.I
)
_BOTH = re.compile(
    rf"\b(?:{_INCLUSION}|{_EXCLUSION})(?:\s+{_CRITERIA})?\s*(?:/|,|&|\band\b|\bor\b)+\s*(?:{_INCLUSION}|{_EXCLUSION})"
    rf"(?:\s+{_CRITERIA})?",
    re.I,
)
_OPENING = re.compile(
    r"^(?:(?:the|key|main|major|general|additional|specific|other|common|core|primary|principal|important|study|subject"
    r"|patient|participant|selected|basic|further|clinical|abbreviated|summary of|pertinent)s?\s+){0,3}"
    rf"(?:{_INCLUSION}|{_EXCLUSION}|el[ie]gib[a-z]{{2,6}})(?:\s+{_CRITERIA}|\s*:|\s*$)",
    re.I,
)
_INLINE = re.compile(
    rf"^(?P<head>(?:[\w/()-]+\s+){{0,4}}?(?:{_INCLUSION}|{_EXCLUSION}|el[ie]gib[a-z]{{2,6}})\s+{_CRITERIA}"
    r"(?:\s+for(?:\s+[\w/()#-]+){1,5})?\s*:)\s*(?P<rest>\S.*)$",
    re.I | re.S,
)
_NONE = r"(?:not applicable|n/?a|none|nil|not specified|unspecified|none specified)"
_EMPTY = re.compile(
    rf"^(?P<head>(?:[\w/()-]+\s+){{0,4}}?(?:{_INCLUSION}|{_EXCLUSION}|el[ie]gib[a-z]{{2,6}})(?:\s+{_CRITERIA})?"
    rf"(?:\s*[:\u2013\u2014-])?)(?:(?<=[:\u2013\u2014-])\s*|\s+)(?P<rest>\W?{_NONE}\W*)$",
    re.I,
)
_CANCER = re.compile(
    r"^-{0,2}\s*(?P<head>DISEASE CHARACTERISTICS|PATIENT CHARACTERISTICS|PRIOR[ /]*CONCURRENT THERAPY"
    r"|PROTOCOL ENTRY CRITERIA)\s*(?:--|:|$)",
    re.I,
)
_DASHED = re.compile(r"^--\s*\S.*\S\s*--:?$")
_WITHDRAWAL = re.compile(r"\b(?:withdrawal|discontinuation|stopping|removal|termination)\s+criteri", re.I)
_VERB = re.compile(
    r"\b(?:must|may|will|can|cannot|could|should|is|are|was|were|be|been|met|meets?|meeting|apply|applies|has|have|having"
    r"|had|do|does|did|fulfil\w*|satisf\w*|who|whose|that|which|if|when|unless|listed|defined|include[sd]?|including"
    r"|following|below|according|not|no|any|agrees?|willing|able|unable|received|diagnosed|confirmed|undergoing)\b",
    re.I,
)
_SPEAKS_OF = re.compile(
    rf"\b(?:of|in|from|before|at|to|with|by|per|prior|after|since|above|these|those|meets?|all|other than)\s+"
    rf"(?:the\s+|all\s+|study\s+)?(?:{_INCLUSION}|{_EXCLUSION}|{_ELIGIBLE})\b",
    re.I,
)
_SAYS_NOTHING = re.compile(r"\b(?:apply|applies|listed|may|not met|is met|are met|available)\b|\bmet$", re.I)
_STATES = re.compile(r"\b(?:is|are|includes?)\b", re.I)
_DANGLING = re.compile(
    r"\b(?:of|with|to|for|by|in|on|or|and|than|from|as|either|including|includes?|if|who|whose|that|must|have|has|having"
    r"|they|she|he|are|is|be|were|was|when|any)\W*$",
    re.I,
)
_REFERS = re.compile(r"\b(?:following|below|as follows)\b", re.I)
_GROUPING = re.compile(
    r"\b(?:cohorts?|parts?|arms?|phases?|groups?|steps?|stages?|study|sub-?stud(?:y|ies)|participants?|patients?|subjects?"
    r"|donors?|recipients?|controls?|volunteers?|caregivers?|providers?|clinicians?|physicians?|parents?|child(?:ren)?"
    r"|famil(?:y|ies)|adults?|women|men|males?|females?|related|specific|conditions?|history|medications?|therap(?:y|ies)"
    r"|treatments?|exclusions?|inclusions?|exceptions?|criteria|characteristics|aims?|period|extension|addendum|assessments?"
    r"|laboratory|demographics?|population|students?|partners?|dose|screening|baseline|randomi[sz]ation|registration|protocol)\b",
    re.I,
)
_VALUE = re.compile(r"[<>≤≥=±%;]|\b\d+(?:\.\d+)?\s*(?:years?|months?|weeks?|days?|mg|kg|g/dl|ml|x\b)", re.I)

_OUT_VERB = re.compile(
    r"\b(?:exclu(?:de|ded|des|ding)|ineligible|disqualif\w+|(?:may|can|will|must|should)\s*not\s+(?:be\s+)?(?:participat\w+"
    r"|enrol\w*|includ\w+|eligible|considered|join|take part|enter\w*)"
    r"|(?:is|are|be)\s+not\s+(?:be\s+)?(?:eligible|included)"
    r"|not be (?:eligible|included|enrolled))\b",
    re.I,
)
_NOT_OUT = re.compile(r"\bnot\s+(?:be\s+)?exclu", re.I)
_IN_VERB = re.compile(
    r"\b(?:eligible|included|qualif\w+|enrolled|recruited|participate|must\s+(?:meet|have|be|satisfy|fulfil\w*))\b",
    re.I,
)

_COUNT = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "1": 1,
    "2": 2,
    "3": 3,
    "4": 4,
    "5": 5,
    "6": 6,
}
_LISTED = (
    r"(?:the |these |those )?(?:\w+ )?(?:following|below|criteria|conditions|items|symptoms|characteristics"
    r"|features|factors)"
)
_SOME = r"\b(?:some|several|many|most)\b(?:\W{1,3}(?:or|and|if|not|but)\b){0,3}"
_UNCLEAR = (
    rf"(?:{_SOME}\W{{1,3}}(?:all|each|every)|\bnot\s+(?:necessarily\s+)?(?:all|each|every))\W{{1,2}}(?:of\s+)?{_LISTED}"
    rf"|{_SOME}\s+of\s+{_LISTED}"
)
_GROUPS = re.compile(
    rf"(?P<unclear>{_UNCLEAR})"
    r"|(?P<least>\b(?:at\s+least|minimum\s+of)\s+(?P<n>one|two|three|four|five|six|[1-6])\b(?:\s*\(\d\))?\s*"
    r"(?::|(?:[\w-]+\s+){0,3}?(?:of\s+(?:the|these|those)\b|of\s+following|following|criteria\s+below)))"
    r"|(?P<more>\b(?P<m>one|two|three|four|five|six|[1-6])(?:\s*\(\d\))?\s+or\s+more\s+(?:of\b|criteria|:))"
    rf"|(?P<none>\b(?:none|neither)\s+of\s+{_LISTED})"
    rf"|(?P<of>\b(?P<k>two|three|four|five|six|[2-6])(?:\s*\(\d\))?\s+of\s+(?:the\s+)?following)"
    rf"|(?P<any>\b(?:any|either|one|1)(?:\s+\(?(?:one|1)\)?)?(?:\s+or\s+(?:more|all))?(?:\s+\w+)?\s+of\s+{_LISTED}"
    rf"|\bany(?:\s+one)?\s+(?:criteria|criterion|condition)s?\s+below|\bany\s+(?:of\s+)?the\s+following|\beither\s*:|\bany\s+of\s*:"
    r"|\b(?:any|one)\s+of\s+following)"
    rf"|(?P<all>\b(?:all|each|every|both)\s+(?:of\s+)?{_LISTED}|\ball\s*:)",
    re.I,
)
_REMARK = re.compile(
    r"^\W{0,3}(?:(?:please\s+)?note\b|n\.?b\.?\b\s*[:.]"
    r"|(?:not applicable|n/?a|none|nil|not specified|unspecified"
    r"|no eligibility criteria|no exclusion criteria|none specified)\W*$"
    r"|(?:other|further|additional|more|complete|full)\b[^.]{0,80}\b(?:criteria|inclusion|exclusion)\b[^.]{0,60}"
    r"\b(?:apply|applies|applied|applicable|(?:are|is)\s+(?:further\s+)?(?:defined|listed|described|specified)\s+in)\b)",
    re.I,
)

_FILLER = re.compile(
    r"a|all|an|and|are|as|at|be|by|criteri(?:a|on)|conditions|defined|either|(?:in|ex)clusion|following|for|has|have"
    r"|having|in|individuals?|is|least|meet(?:s|ing)?|more|must|of|one|or|participants?|patients?|satisf(?:y|ies)"
    r"|shall|should|subjects?|the|their|they|to|who|will|with",
    re.I,
)
_TURNS = re.compile(
    r"\b(?:no|not|none|neither|never|without|except\w*|exempt\w*|unless|other than|excluding|if|when|whether"
    r"|provided|allowed|permitted|eligible|absence|free of|lack\w*|wom[ae]n|m[ae]n|females?|males?|cohorts?"
    r"|parts?|arms?)\b",
    re.I,
)
_ANYBODY = (
    r"(?:(?:all|any|the|each|every|an?|study|clinical|potential|eligible|individuals?|patients?|participants?"
    r"|subjects?|volunteers?|persons?|people|adults?|healthy|those|your|child|following|main|key|are)\b[\s/,-]*)"
    r"{1,6}"
)
_EVERYBODY = re.compile(
    r"(?:(?:to|in order to) (?:be|participate|enrol|qualify)[^,]{0,100},\s*)?"
    rf"{_ANYBODY}"
    r"(?:must|are|is|will|may|should|shall|can|cannot|ha(?:s|ve) to|includes?|meeting|meets?"
    r"|(?:with|having) any of|(?:who|that)\s+(?:meet|satisf|fulfil|have any|has any|are|do)"
    r"|(?:inclusion|exclusion) criteria)"
    r"|(?:the )?presence of any|any (?:one )?of the|answering yes to any",
    re.I,
)
_ANYBODY_WITH = re.compile(rf"{_ANYBODY}(?:with|who|that|having)?(?:\s+(?:have|has|had|are|is))?\W*", re.I)
_NOTHING = re.compile(rf"\W*(?:{_NONE}|no eligibility criteria|no exclusion criteria)\W*", re.I)


def kind_of(heading: str) -> TextKind | None:
    """Tell which kind a heading announces: unstated for a neutral one, none where it says nothing of kinds."""
    if _WITHDRAWAL.search(heading):
        return TextKind.UNSTATED
    rest = _BOTH.sub(" ", heading)
    found = {name for match in _NOUN.finditer(rest) for name in ("out", "in", "entry") if match[name]}
    if "out" in found and "in" in found:
        return TextKind.UNSTATED
    if "out" in found:
        return TextKind.EXCLUSION
    if "in" in found:
        return TextKind.INCLUSION
    return TextKind.UNSTATED if found or rest != heading else None


def is_neutral(heading: str) -> bool:
    """Tell whether a heading speaks of eligibility as such ("Eligibility Criteria")."""
    return (
        kind_of(heading) is TextKind.UNSTATED and not _BOTH.search(heading) and not _WITHDRAWAL.search(heading)
    )


def is_kind_heading(line: str) -> bool:
    """Tell whether a whole line is a heading such as "Key Exclusion Criteria:" or "INCLUSION"."""
    if len(line) > _LONGEST or kind_of(line) is None or re.search(r"\binclusion of\b", line, re.I):
        return False
    bare = line.rstrip(" :*")
    if bare.endswith((".", ";", ",")) and not re.search(rf"{_CRITERIA}\.$", bare, re.I):
        return False
    if _OPENING.match(line) and len(line.split()) <= 16 and not _SAYS_NOTHING.search(bare):
        return line.rstrip(" *").endswith(":") or not _STATES.search(bare)
    if _VERB.search(_BOTH.sub(" ", bare)) or _SPEAKS_OF.search(bare) or len(bare.split()) > 14:
        return False
    if re.search(rf"(?:{_INCLUSION}|{_EXCLUSION}|{_ELIGIBLE})\s+{_CRITERIA}\b", bare, re.I) or line.endswith(
        ":"
    ):
        return True
    return len(bare.split()) <= 6 and bool(_NOUN.search(bare.split()[-1])) and not _VALUE.search(bare)


def inline_heading(line: str) -> tuple[str, str] | None:
    """Take apart "Exclusion Criteria: patients with", a heading and what it opens on the same line.

    What it opens may be that it asks nothing: "Exclusion - none".
    """
    head = line[:_LONGEST]
    cancer = _CANCER.match(head)
    if cancer and line[cancer.end() :].strip():
        return line[: cancer.end()].strip(), line[cancer.end() :].strip()
    found = _EMPTY.match(head) or _INLINE.match(head)
    if found is None or _VERB.search(found["head"]):
        return None
    return found["head"], line[found.start("rest") :].strip()


def is_label(line: str, *, before_list: bool) -> bool:
    """Tell whether a line is a heading without a kind: "Cohort A", "Hepatic:", "PATIENT CHARACTERISTICS"."""
    if len(line) > 100:
        return False
    if _DASHED.match(line) or _CANCER.match(line):
        return True
    bare = line.rstrip(" :*")
    if not bare or bare.endswith((".", ";", ",")) or _VERB.search(bare) or _DANGLING.search(bare):
        return False
    if line.rstrip(" *").endswith(":"):
        return True
    return before_list and not _VALUE.search(bare) and (names_a_part(bare) or len(bare.split()) <= 3)


def names_a_part(line: str) -> bool:
    """Tell whether a line names a part of the study or of its people: "Cohort A", "Recipients"."""
    bare = line.rstrip(" :*")
    if bare.endswith((".", ";", ",")) or _VALUE.search(bare) or _VERB.search(bare) or _DANGLING.search(bare):
        return False
    return len(bare.split()) <= 10 and bool(bare.isupper() or _GROUPING.search(bare))


def is_banner(line: str) -> bool:
    """Tell whether a line is a heading wherever it stands: capitals that name a part of the study."""
    bare = line.rstrip(" :*")
    return (
        bare.isupper() and len(bare.split()) <= 6 and bool(_GROUPING.search(bare)) and not _VALUE.search(bare)
    )


def is_lead_in(line: str, *, before_list: bool) -> bool:
    """Tell whether a line introduces what follows: "Patients must meet all of the following:"."""
    tail = line[-_TAIL:].rstrip(" *")
    if tail.endswith(":"):
        return True
    if not before_list:
        return False
    if not tail.endswith((".", ";")):
        return bool(_REFERS.search(tail) or _DANGLING.search(tail))
    return len(line) <= _LONGEST and bool(re.search(r"\b(?:the following|criteria below)\b", tail, re.I))


def lead_kind(line: str) -> TextKind | None:
    """Tell which kind a lead-in's own verb announces ("will be excluded if"), if any."""
    tail = line[-_TAIL:]
    if _OUT_VERB.search(tail):
        return None if _NOT_OUT.search(tail) else TextKind.EXCLUSION
    return TextKind.INCLUSION if _IN_VERB.search(tail) else None


def is_remark(line: str) -> bool:
    """Tell whether a line only comments: a note, "None", "Other protocol-defined criteria apply"."""
    return bool(_REMARK.match(line[:_TAIL]))


def group_of(text: str) -> tuple[Group, int | None]:
    """Read how children combine from the last such phrase of their lead-in, and the number of an "at least"."""
    phrases = list(_GROUPS.finditer(text[-_TAIL:]))
    if not phrases:
        return Group.UNSTATED, None
    found = phrases[-1]
    if found["unclear"]:
        return Group.UNCLEAR, None
    count = _COUNT.get((found["n"] or found["m"] or found["k"] or "").lower())
    if count is not None:
        return (Group.ANY, None) if count == 1 else (Group.AT_LEAST, count)
    if found["none"]:
        return Group.NONE, None
    return (Group.ANY, None) if found["any"] else (Group.ALL, None)


def only_groups(text: str) -> bool:
    """Tell whether a lead-in says no more than how its children combine: "Must have one of the following:"."""
    if len(text) > _LONGEST or group_of(text)[0] is Group.UNSTATED:
        return False
    return all(_FILLER.fullmatch(word) for word in re.findall(r"[^\W_]+", _GROUPS.sub(" ", text)))


def is_plain_demand(text: str) -> bool:
    """Tell whether a lead-in is free of "not", "except", "if" and what else turns or narrows its children."""
    return not _TURNS.search(text)


def opens_the_list(text: str) -> bool:
    """Tell whether a lead-in speaks of everybody: "Participants must:", "Patients with:".

    Its children are then criteria of their own; "Women of childbearing potential must:" speaks of some only.
    """
    return len(text) <= 2 * _LONGEST and bool(_EVERYBODY.match(text) or _ANYBODY_WITH.fullmatch(text))


def says_there_are_none(text: str) -> bool:
    """Tell whether a remark only says that nothing is asked: "None", "Not applicable"."""
    return bool(_NOTHING.fullmatch(text[:_LONGEST]))


def group_of_endings(texts: list[str]) -> Group:
    """Read how siblings combine from an "or" or "and" that ends one of them; both or neither say nothing."""
    endings = {
        match[1].lower()
        for text in texts[:-1]
        if (match := re.search(r"\b(or|and)\W{0,2}$", text[-_TAIL:], re.I))
    }
    if len(endings) != 1:
        return Group.UNSTATED
    return Group.ANY if endings == {"or"} else Group.ALL


@dataclass(slots=True)
class Scope:
    """The headings in force: the part of the study, the kind with its headings, and the label below it."""

    above: tuple[str, ...] = ()
    kind: TextKind = TextKind.UNSTATED
    neutral: bool = False
    headings: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    fresh: bool = True

    @property
    def section(self) -> tuple[str, ...]:
        """Give the headings from the outside in."""
        return self.above + self.headings + self.label

    def announce(self, heading: str) -> None:
        """Take in a heading that names a kind; two in a row of one kind stand both."""
        kind = kind_of(heading) or TextKind.UNSTATED
        again = self.fresh and self.headings and (kind is self.kind or self.neutral)
        if self.fresh and self.label:
            self.above, again = self.label, False
        kept = self.headings[-(LONGEST_PATH - 1) :] if again else ()
        self.headings, self.label = (*kept, heading), ()
        self.kind, self.neutral, self.fresh = kind, is_neutral(heading), True

    def name(self, label: str) -> None:
        """Take in a heading without a kind, below the kind in force."""
        self.label = (label,)
        self.fresh = True
