"""Edit a questionnaire document: words by language and respondent, order, questions; pure.

Every function takes a document and gives another one. ``screening.asking.publishing`` judges it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

from screening.asking.items import Item, QuantityNumber, item_texts
from screening.asking.questionnaire import ConsentText, Document, EarlierWords, Outcome, ResultPage, page_texts
from screening.texts import Respondent, Text

Words = Mapping[str, Mapping[Respondent, str]]
"""What somebody wrote for one place: by language, then by respondent."""

_OPTIONAL = ("hint", "why_we_ask")


def item_places(item: Item) -> Iterator[tuple[str, Text | None]]:
    """Go through the places of a question that hold words, with those that may be filled in and are not yet."""
    known = dict(item_texts(item))
    yield "text", known.pop("text")
    for name in _OPTIONAL:
        yield name, known.pop(name, None)
    options = getattr(item, "options", ())
    for option in options:
        for name in ("text", "hint"):
            place = f"options.{option.code}.{name}"
            yield place, known.pop(place, None)
    yield from known.items()


def page_places(document: Document) -> Iterator[tuple[str, Text | None]]:
    """Go through the places of the pages around the questions, with those that may be filled in."""
    known = dict(page_texts(document))
    for place in list(known):
        yield place, known[place]
        outcome = place.split(".")[1] if place.startswith("results.") and place.endswith(".body") else ""
        if outcome and document.results[Outcome(outcome)].next_steps is None:
            yield f"results.{outcome}.next_steps", None
    if document.safety_page is None:
        yield "safety_page", None


def said(words: Words) -> Text | None:
    """Make a text of what somebody wrote; empty words are left out, and no words at all are no text."""
    kept = {
        language: {who: text.strip() for who, text in wording.items() if text.strip()}
        for language, wording in words.items()
    }
    filled = {language: wording for language, wording in kept.items() if wording}
    return Text.model_validate(filled) if filled else None


def with_item_words(item: Item, words: Mapping[str, Words]) -> Item:
    """Give a question with other words in some places; a place that must not be empty keeps a blank text.

    :raises pydantic.ValidationError: (a ValueError) where a text is too long or holds signs that no page shows
    """
    changes: dict[str, object] = {}
    options = {option.code: option for option in getattr(item, "options", ())}
    units = {unit.code: unit for unit in item.units} if isinstance(item, QuantityNumber) else {}
    errors = dict(item.errors)
    for place, wording in words.items():
        text = said(wording)
        kind, _, rest = place.partition(".")
        if kind == "options":
            code, name = rest.rsplit(".", 1)
            given = text if name == "hint" else text or Text({})
            options[code] = options[code].model_copy(update={name: given})
        elif kind == "units":
            code = rest.removesuffix(".text")
            units[code] = units[code].model_copy(update={"text": text or Text({})})
        elif kind == "errors":
            slip = next(one for one in errors if one.value == rest)
            errors[slip] = text or Text({})
        else:
            changes[kind] = text if kind in (*_OPTIONAL, "unit_text") else text or Text({})
    if options:
        changes["options"] = tuple(options.values())
    if units:
        changes["units"] = tuple(units.values())
    return item.model_copy(update={**changes, "errors": errors})


def with_page_words(document: Document, words: Mapping[str, Words]) -> Document:
    """Give a document with other words on the pages around its questions.

    :raises pydantic.ValidationError: (a ValueError) where a text is too long or holds signs that no page shows
    """
    for place, wording in words.items():
        document = _with_page_text(document, place, said(wording))
    return document


def _with_page_text(document: Document, place: str, text: Text | None) -> Document:
    kind, _, rest = place.partition(".")
    given = text or Text({})
    match kind:
        case "title":
            return document.model_copy(update={"title": given})
        case "safety_page":
            return document.model_copy(update={"safety_page": text})
        case "notice":
            return document.model_copy(update={"notice": document.notice.model_copy(update={rest: given})})
        case "opening" if rest.startswith("choices."):
            who = Respondent(rest.removeprefix("choices."))
            choices = {**document.opening.choices, who: given}
            opening = document.opening.model_copy(update={"choices": choices})
            return document.model_copy(update={"opening": opening})
        case "opening":
            return document.model_copy(update={"opening": document.opening.model_copy(update={rest: given})})
        case "sections":
            sections = tuple(
                one.model_copy(update={"title": given}) if one.id == rest else one for one in document.sections
            )
            return document.model_copy(update={"sections": sections})
        case "results":
            outcome, name = rest.split(".")
            page = document.results[Outcome(outcome)].model_copy(
                update={name: text if name == "next_steps" else given}
            )
            return document.model_copy(update={"results": {**document.results, Outcome(outcome): page}})
        case _:
            consents = tuple(
                one.model_copy(update={"text": given}) if one.purpose.value == rest else one
                for one in document.consents
            )
            return document.model_copy(update={"consents": consents})


def with_item(document: Document, item: Item) -> Document:
    """Give a document in which a question stands in the place of the one with its id."""
    items = tuple(item if one.id == item.id else one for one in document.items)
    return document.model_copy(update={"items": items})


def with_added(document: Document, item: Item) -> Document:
    """Give a document with another question after the last one of its section, or at the end."""
    same = [at for at, one in enumerate(document.items) if one.section == item.section]
    place = same[-1] + 1 if same else len(document.items)
    return document.model_copy(update={"items": (*document.items[:place], item, *document.items[place:])})


def without_item(document: Document, item_id: str) -> Document:
    """Give a document without a question; sections that nothing stands under go with it.

    :raises ValueError: it is the last one
    """
    items = tuple(item for item in document.items if item.id != item_id)
    if not items:
        raise ValueError("a questionnaire needs at least one question")
    used = {item.section for item in items}
    sections = tuple(section for section in document.sections if section.id in used)
    return document.model_copy(update={"items": items, "sections": sections})


def moved(document: Document, item_id: str, way: Literal["up", "down"]) -> Document:
    """Give a document in which a question stands one place higher or lower."""
    items = list(document.items)
    at = next(place for place, item in enumerate(items) if item.id == item_id)
    to = max(0, at - 1) if way == "up" else min(len(items) - 1, at + 1)
    items[at], items[to] = items[to], items[at]
    return document.model_copy(update={"items": tuple(items)})


def with_languages(document: Document, languages: Sequence[str]) -> Document:
    """Give a document in these languages; words of others stay in it and are shown to nobody.

    :raises pydantic.ValidationError: (a ValueError) where a language is no short code, or there is none
    """
    return Document.model_validate({**document.model_dump(mode="json"), "languages": tuple(languages)})


def with_respondents(document: Document, respondents: Collection[Respondent]) -> Document:
    """Give a document whose questions may be about these people.

    :raises ValueError: about nobody
    """
    chosen = tuple(who for who in Respondent if who in respondents)
    if not chosen:
        raise ValueError("the questions are about somebody")
    return document.model_copy(update={"respondents": chosen})


def with_order(document: Document, *, is_chosen: bool) -> Document:
    """Give a document whose order is chosen for each person, or its own; what was counted stays with it."""
    return document.model_copy(update={"order": "adaptive" if is_chosen else "fixed"})


def with_result(document: Document, outcome: Outcome, page: ResultPage) -> Document:
    """Give a document with another result page."""
    return document.model_copy(update={"results": {**document.results, outcome: page}})


def with_consent(document: Document, consent: ConsentText) -> Document:
    """Give a document that asks for one more agreement, or for the same in other words."""
    others = tuple(one for one in document.consents if one.purpose is not consent.purpose)
    return document.model_copy(update={"consents": (*others, consent)})


def without_consent(document: Document, purpose: str) -> Document:
    """Give a document that does not ask for an agreement."""
    kept = tuple(one for one in document.consents if one.purpose.value != purpose)
    return document.model_copy(update={"consents": kept})


def with_earlier(document: Document, ruled: Mapping[str, EarlierWords]) -> Document:
    """Give a document that says, for each agreement by its purpose, what becomes of earlier words."""
    consents = tuple(
        one.model_copy(update={"earlier": ruled.get(one.purpose.value, one.earlier)})
        for one in document.consents
    )
    return document.model_copy(update={"consents": consents})


def counted_consents(document: Document, published: Document | None) -> Document:
    """Give every agreement whose words changed since they were published the next version number."""
    if published is None:
        return document
    before = {one.purpose: one for one in published.consents}
    consents = []
    for one in document.consents:
        old = before.get(one.purpose)
        if old is None or old.text == one.text:
            version = old.version if old is not None else one.version
        else:
            version = str(int(old.version) + 1) if old.version.isdecimal() else f"{old.version}.1"
        consents.append(one.model_copy(update={"version": version}))
    return document.model_copy(update={"consents": tuple(consents)})
