"""One immutable version of a questionnaire: its structure once, its words in every language.

A document may hold faults (a draft is one); ``screening.asking.publishing`` names them.
What cannot even be read, an unknown field above all, is refused here.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainSerializer

from screening.asking.items import Item
from screening.texts import Identifier, Language, Part, Respondent, Text


class Section(Part):
    """A group of questions with the caption that stands over them."""

    id: Identifier
    title: Text


class Opening(Part):
    """The first page: whom the questions are about, and what a minor who answers alone reads."""

    question: Text
    choices: Annotated[Mapping[Respondent, Text], AfterValidator(MappingProxyType), PlainSerializer(dict)]
    minor: Text


class Notice(Part):
    """The five lines read before the first question."""

    who: Text
    why: Text
    how_long: Text
    what_is_kept: Text
    how_to_stop: Text


class Outcome(StrEnum):
    """What the result page says; none of them is a verdict on a person."""

    MAY_FIT = "may_fit"
    NEED_TO_TALK = "need_to_talk"
    NOT_THIS_STUDY = "not_this_study"
    LATER = "later"
    WAITLIST = "waitlist"


class ResultPage(Part):
    """A result page: the heading, what it means, and what happens next."""

    heading: Text
    body: Text
    next_steps: Text | None = None


class ConsentPurpose(StrEnum):
    """What a person may agree to, each by itself."""

    CHECK_ANSWERS = "check_answers"
    CONTACT = "contact"
    VOICEMAIL = "voicemail"
    REGISTRY = "registry"
    PARTNER_SITE = "partner_site"
    MEDICAL_RECORDS = "medical_records"
    CALL_RECORDING = "call_recording"


class EarlierWords(StrEnum):
    """What new words of an agreement make of a yes that was given to earlier ones."""

    VALID = "valid"
    ASK_AGAIN = "ask_again"
    STOP = "stop"


class ConsentText(Part):
    """The approved words of one consent and their version; months where the words say for how long.

    `earlier` says what becomes of what people agreed to in earlier words, once these are in force.
    """

    purpose: ConsentPurpose
    version: Annotated[str, Field(min_length=1, max_length=40)]
    text: Text
    months: Annotated[int, Field(ge=1, le=120)] | None = None
    earlier: Annotated[EarlierWords, Field(exclude_if=lambda rule: rule is EarlierWords.VALID)] = (
        EarlierWords.VALID
    )


Chance = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Chances = Annotated[
    Mapping[str, Mapping[str, Chance]],
    AfterValidator(MappingProxyType),
    PlainSerializer(lambda table: {item: dict(said) for item, said in table.items()}),
    Field(exclude_if=lambda table: not table),
]


class PhraseException(Part):
    """A forbidden phrase, by the name that the publish gate gives it, that stays, and why it may."""

    phrase: Annotated[str, Field(min_length=1)]
    reason: Annotated[str, Field(min_length=10)]


class Document(Part):
    """One version of a questionnaire."""

    format: Literal[1] = 1
    title: Text
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    respondents: Annotated[tuple[Respondent, ...], Field(min_length=1)] = (Respondent.SELF,)
    order: Literal["fixed", "adaptive"] = "fixed"
    chances: Chances = Field(default_factory=lambda: MappingProxyType({}))
    """How often each thing is said to an item: what was counted, frozen, for an adaptive order to go by."""

    notice: Notice
    opening: Opening
    sections: tuple[Section, ...] = ()
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=500)]
    results: Annotated[Mapping[Outcome, ResultPage], AfterValidator(MappingProxyType), PlainSerializer(dict)]
    consents: tuple[ConsentText, ...] = ()
    safety_page: Text | None = None
    exceptions: tuple[PhraseException, ...] = ()

    def item(self, item_id: str) -> Item | None:
        """Find an item; a draft with a doubled id gives the first."""
        return next((item for item in self.items if item.id == item_id), None)

    def section_title(self, item: Item) -> Text | None:
        """Give the caption that stands over an item."""
        return next((section.title for section in self.sections if section.id == item.section), None)


def document_from_json(text: str | bytes) -> Document:
    """Read a document.

    :raises pydantic.ValidationError: (a ValueError) naming each place that cannot be read.
    """
    return Document.model_validate_json(text)


def document_to_json(document: Document) -> str:
    """Write the canonical form: the same document always gives the same bytes."""
    return _canonical(document.model_dump(mode="json"))


def document_hash(document: Document) -> str:
    """Give the SHA-256 of the canonical form."""
    return _sha256(document_to_json(document))


def language_hash(document: Document, language: str) -> str:
    """Give the SHA-256 of all that a participant meets in one language: its words and the whole logic.

    An approval binds this. Words of another language, and a language that is
    added, leave it as it is; a changed question, option, condition or mapping does not.
    """
    return _sha256(
        _canonical(document.model_dump(mode="json", context={"language": language}, exclude={"languages"}))
    )


def _canonical(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def page_texts(document: Document) -> Iterator[tuple[str, Text]]:
    """Go through all texts that belong to no item, with their places, such as "notice.who"."""
    yield "title", document.title
    for name in Notice.model_fields:
        yield f"notice.{name}", getattr(document.notice, name)
    yield "opening.question", document.opening.question
    for respondent, text in document.opening.choices.items():
        yield f"opening.choices.{respondent.value}", text
    yield "opening.minor", document.opening.minor
    for section in document.sections:
        yield f"sections.{section.id}", section.title
    for outcome, page in document.results.items():
        for name in ResultPage.model_fields:
            if (text := getattr(page, name)) is not None:
                yield f"results.{outcome.value}.{name}", text
    for consent in document.consents:
        yield f"consents.{consent.purpose.value}", consent.text
    if document.safety_page is not None:
        yield "safety_page", document.safety_page
