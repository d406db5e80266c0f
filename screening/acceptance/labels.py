"""Whether what a patient reads about a rule says something else than the rule.

A label is judged only where its words leave no doubt; otherwise nothing is said about it. "Over 18" is how
people say both "18 or older" and "older than 18", so either is right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from screening.acceptance.numbers import Stretch

_WORDS: Final = {
    word: str(number)
    for number, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    )
}
_N: Final = r"(\d{1,6}(?:\.\d{1,6})?)"
_YEARS: Final = r"(?:\s*(?:years?|yrs?|y\.?o\.?)(?:\s+(?:old|of age))?)?"


@dataclass(frozen=True, slots=True)
class _End:
    """An end that a label states: the number, the words' direction, and whether words leave it open."""

    value: Decimal
    sign: str
    loose: bool = False


_PATTERNS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (rf"(?:between\s+)?{_N}{_YEARS}\s*(?:to|and|-|\u2013|through|until)\s*{_N}{_YEARS}", (">=", "<=")),
    (rf"(?:no|not)\s+(?:more|older|higher|greater|over)\s*(?:than)?\s+{_N}{_YEARS}", ("<=",)),
    (rf"(?:no|not)\s+(?:less|fewer|younger|lower|under)\s*(?:than)?\s+{_N}{_YEARS}", (">=",)),
    (rf"{_N}{_YEARS}\s*(?:\+|or\s+(?:older|over|more|above|greater|higher|up))", (">=",)),
    (rf"{_N}{_YEARS}\s*or\s+(?:younger|under|less|fewer|below|lower)", ("<=",)),
    (rf"(?:at\s+least|minimum(?:\s+of)?|from|>=)\s*{_N}{_YEARS}", (">=",)),
    (rf"(?:at\s+most|up\s+to|maximum(?:\s+of)?|<=)\s*{_N}{_YEARS}", ("<=",)),
    (rf"(?:over|older\s+than|more\s+than|above|greater\s+than|higher\s+than)\s*{_N}{_YEARS}", ("~>",)),
    (rf"(?:under|younger\s+than|less\s+than|fewer\s+than|below|lower\s+than)\s*{_N}{_YEARS}", ("~<",)),
    (rf">\s*{_N}{_YEARS}", (">",)),
    (rf"<\s*{_N}{_YEARS}", ("<",)),
)


def contradicts_numbers(label: str, accepted: Sequence[Stretch], *, whole: bool) -> bool:
    """Tell whether a label states an end that the accepted numbers do not have.

    An end that the label leaves out is no contradiction. Labels with other
    numbers beside the ends are not judged.
    """
    ends = _stated(label)
    if not ends or not accepted:
        return False
    return any(not _agrees(end, accepted[0], accepted[-1], whole=whole) for end in ends)


def _stated(label: str) -> list[_End]:
    text = " ".join(label.casefold().replace("\u2265", ">=").replace("\u2264", "<=").split())
    text = re.sub(r"\b(" + "|".join(_WORDS) + r")\b(?=\s+or\s+)", lambda found: _WORDS[found[1]], text)
    ends: list[_End] = []
    for pattern, signs in _PATTERNS:
        if (found := re.search(pattern, text)) is None:
            continue
        for sign, number in zip(signs, found.groups(), strict=True):
            ends.append(_End(Decimal(number), sign.removeprefix("~"), loose=sign.startswith("~")))
        text = text[: found.start()] + " " + text[found.end() :]
    return [] if re.search(r"\d", text) else ends


def _agrees(end: _End, first: Stretch, last: Stretch, *, whole: bool) -> bool:
    lower = end.sign.startswith(">")
    value, strict = (first.least, first.over) if lower else (last.most, last.under)
    if value is None:
        return False
    step = Decimal(1) if lower else Decimal(-1)
    said_strict = end.sign in ("<", ">")
    if whole:
        return value == end.value + (step if said_strict else 0) or (end.loose and value == end.value)
    return value == end.value and (end.loose or strict == said_strict)


_HEAD: Final = re.compile(
    r"^\W*(?:(?:the|you|your|and|partner|patients?|participants?|subjects?|people|who|must|should|can|may|will|has|have"
    r"|had|do|does|did|is|are|was|were|be|been|currently)\W+)*(?:no|not|never|none|without|free of|cannot)\b",
    re.I,
)
_NEGATIVE: Final = re.compile(
    r"\b(?:no|not|never|none|without|free of|cannot|neither|nor)\b|n['\u2019]t\b", re.I
)
_DEMAND: Final = re.compile(
    r"^\W*(?:(?:the|you|patients?|participants?|subjects?|people|who)\W+)*(?:must|should|need to|has to|have to"
    r"|have|has|confirmed|diagnos\w+)\b",
    re.I,
)
_TURNED: Final = re.compile(
    r"\b(?:no|not|never|none|without|unable|avoid\w*|refrain\w*|stop\w*|abstain\w*|free|negative|willing|agree\w*"
    r"|trouble|difficult\w*|problem\w*|other than|except|besides)\b|n['\u2019]t\b",
    re.I,
)
_LIGHT: Final = frozenset(
    re.findall(
        r"\w+",
        "a an the you your of or and to in on at for any with by be been being are is was were has have had do"
        " does did must should not no never this that than more least from as it its their they who if may"
        " can will ever",
    )
)


def contradicts_yes_no(label: str, question: str, *, accepts_yes: bool) -> bool:
    """Tell whether a label asks for the opposite of the answer that a rule lets pass.

    That is a label that begins with "no" and speaks of the same thing where
    "yes" passes, or a plain demand for it where only "no" does. A question
    that is itself turned round ("Can you avoid ...?") is judged only by its
    periods of time.
    """
    if _periods_differ(label, question):
        return accepts_yes
    shared, of = _shared(label, question)
    if accepts_yes:
        asked = re.sub(r"\b(?:other than|except|besides)\b", " ", question, flags=re.I)
        return _HEAD.match(label) is not None and not _TURNED.search(asked) and shared > 0
    demands = _DEMAND.match(label) is not None and not _NEGATIVE.search(label)
    return demands and not _TURNED.search(question) and of > 0 and 2 * shared >= of


def _shared(label: str, question: str) -> tuple[int, int]:
    """Count a label's telling words, by their first five letters, that the question has, and all of them."""
    said, asked = ({word[:5] for word in re.findall(r"[a-z0-9]{2,}", text.casefold()) if word not in _LIGHT}
                   for text in (label, question))  # fmt: skip
    return len(said & asked), len(said)


_LONG: Final = re.compile(
    r"\b(?:at least|for|more than|over|longer than)\s+(\d{1,3})\s+(day|week|month|year)", re.I
)
_SHORT: Final = re.compile(
    r"\b(?:within|less than|(?:in|during)\s+the\s+(?:last|past))(?:\s+the)?(?:\s+(?:last|past))?"
    r"\s+(\d{1,3})\s+(day|week|month|year)",
    re.I,
)


def _periods_differ(label: str, question: str) -> bool:
    """Tell whether one says "at least 6 months" and the other "within 6 months"."""
    label_long, label_short = _found(_LONG, label), _found(_SHORT, label)
    asked_long, asked_short = _found(_LONG, question), _found(_SHORT, question)
    if label_long & label_short or asked_long & asked_short:
        return False
    return bool(label_short & asked_long or label_long & asked_short)


def _found(pattern: re.Pattern[str], text: str) -> set[tuple[str, str]]:
    return {(found[1], found[2].casefold()) for found in pattern.finditer(text)}
