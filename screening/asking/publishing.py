"""The gate before a questionnaire version can be published: every reason against it, by name.

An error blocks; a warning asks somebody to look. Nothing is repaired here.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Final, assert_never

from screening.asking.conditions import AtLeast, Leaf, codes_of
from screening.asking.faults import Fault, Problem
from screening.asking.items import (
    Age,
    ChoiceItem,
    CodedList,
    Day,
    DecimalNumber,
    Height,
    Integer,
    Item,
    Multiple,
    NamedList,
    QuantityNumber,
    ShortText,
    StatementPage,
    Weight,
    YesNo,
    Zip,
    assertions,
    fact_keys,
    item_texts,
    reads,
)
from screening.asking.questionnaire import ConsentPurpose, Document, Outcome, page_texts
from screening.asking.responses import DECLINED, DONT_KNOW
from screening.asking.routes import TooManyRoutes, reachable
from screening.asking.wording import addresses_reader, folded, forbidden_phrases, two_ideas
from screening.errors import InvalidUnit
from screening.facts import Absence, Choice, Dated, Denial, Flag, Quantity, Statement, Value
from screening.texts import Respondent, Text
from screening.units import convertible
from screening.vocabulary import Key, KeyKind, Vocabulary

_PAGES: Final = "pages"


def problems(
    document: Document, *, keys_needed: Collection[str], languages: Collection[str], vocabulary: Vocabulary
) -> tuple[Problem, ...]:
    """List every reason against publishing, in the order of the document.

    ``keys_needed`` are the fact keys that a criterion, a result or a contact
    rule of the protocol reads; computed ones stand for what they are computed
    from. ``languages`` are those in which the study recruits.
    """
    needed = _inputs(keys_needed, vocabulary)
    tongues = tuple(dict.fromkeys((*document.languages, *languages)))
    found = (
        *_structure(document),
        *_reachability(document),
        *_usefulness(document, needed, vocabulary),
        *_mappings(document, vocabulary),
        *_pages(document),
        *_safety(document, tongues, vocabulary),
        *_translations(document, tongues),
        *_phrases(document),
    )
    return tuple(found)


def _inputs(keys: Collection[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    """Replace computed keys by what they are computed from."""
    found: dict[str, None] = {}
    waiting = list(keys)
    while waiting:
        name = waiting.pop(0)
        key = vocabulary.get(name)
        if key is not None and key.computed is not None:
            waiting.extend(part for part in key.computed.inputs if part not in found)
        else:
            found[name] = None
    return tuple(found)


def _structure(document: Document) -> Iterator[Problem]:
    for name, count in Counter(item.id for item in document.items).items():
        if count > 1:
            yield Problem(Fault.DUPLICATE_ID, name)
    sections = {section.id for section in document.sections}
    for item in document.items:
        if item.section is not None and item.section not in sections:
            yield Problem(Fault.UNKNOWN_SECTION, item.id, {"section": item.section})
        if isinstance(item, ChoiceItem):
            for code, count in Counter(option.code for option in item.options).items():
                if count > 1:
                    yield Problem(Fault.DUPLICATE_OPTION, item.id, {"code": code})
    yield from _references(document)


def _references(document: Document) -> Iterator[Problem]:
    items = {item.id: item for item in document.items}
    earlier: set[str] = set()
    for item in document.items:
        for leaf in reads(item):
            asked = items.get(leaf.item)
            if asked is None:
                yield Problem(Fault.DANGLING_REFERENCE, item.id, {"item": leaf.item})
            elif leaf.item not in earlier:
                yield Problem(Fault.BACKWARD_REFERENCE, item.id, {"item": leaf.item})
            else:
                yield from _leaf_problems(item, asked, leaf)
        earlier.add(item.id)


def _leaf_problems(item: Item, asked: Item, leaf: Leaf) -> Iterator[Problem]:
    if isinstance(leaf, AtLeast):
        units = _number_units(asked)
        if not units or leaf.unit not in (*units, None) or (leaf.unit is None and len(units) > 1):
            yield Problem(Fault.WRONG_CONDITION, item.id, {"item": asked.id})
        return
    offered = {option.code for option in asked.options} if isinstance(asked, ChoiceItem) else set()
    if isinstance(asked, NamedList) and asked.none is not None:
        offered = {asked.none.code}
    offered |= {DONT_KNOW} if asked.allow_unknown else set()
    offered |= {DECLINED} if asked.allow_decline else set()
    for code in codes_of(leaf):
        if code not in offered:
            yield Problem(Fault.UNKNOWN_CODE, item.id, {"item": asked.id, "code": code})


def _number_units(item: Item) -> tuple[str, ...]:
    match item:
        case Integer() | DecimalNumber():
            return (item.unit,)
        case QuantityNumber():
            return tuple(unit.code for unit in item.units)
        case Height():
            return ("cm",)
        case Weight():
            return ("kg",)
        case Age():
            return ("a",)
        case _:
            return ()


def _reachability(document: Document) -> Iterator[Problem]:
    """Prove that each question can be met; one whose condition is broken has its problem already."""
    broken = {problem.where for problem in _references(document)}
    for item in document.items:
        if item.show_if is None or item.id in broken:
            continue
        try:
            if not reachable(document, item):
                yield Problem(Fault.UNREACHABLE, item.id)
        except TooManyRoutes:
            yield Problem(Fault.NOT_PROVED, item.id)


def _usefulness(document: Document, needed: tuple[str, ...], vocabulary: Vocabulary) -> Iterator[Problem]:
    used: set[str] = set()
    for item in reversed(document.items):
        if item.id in used or _is_read(item) or set(fact_keys(item)).intersection(needed):
            used.add(item.id)
            used.update(leaf.item for leaf in reads(item))
    for item in document.items:
        if item.id not in used:
            yield Problem(Fault.UNUSED_QUESTION, item.id)
    asked = {key for item in document.items for key in fact_keys(item)}
    for name in needed:
        key = vocabulary.get(name)
        if key is None:
            yield Problem(Fault.UNKNOWN_KEY, name, {"key": name})
        elif key.participant_can_tell and name not in asked:
            yield Problem(Fault.NO_QUESTION, name)


def _is_read(item: Item) -> bool:
    """Tell whether a page serves without a fact: safety, words for people, the ZIP code that finds a site."""
    if isinstance(item, ChoiceItem):
        return any(option.urgent for option in item.options)
    return isinstance(item, NamedList | StatementPage | ShortText | Zip)


def _mappings(document: Document, vocabulary: Vocabulary) -> Iterator[Problem]:
    for item in document.items:
        for name in fact_keys(item):
            key = vocabulary.get(name)
            if key is None:
                yield Problem(Fault.UNKNOWN_KEY, item.id, {"key": name})
            elif key.computed is not None or not _suits(item, key):
                yield Problem(Fault.WRONG_VALUE, item.id, {"key": name})
        yield from _silent_options(item)


def _silent_options(item: Item) -> Iterator[Problem]:
    """Find statements that a person can only affirm: a no would leave the fact as unknown as before."""
    if isinstance(item, YesNo):
        yes, no = item.options
        if yes.asserts and not no.asserts:
            yield Problem(Fault.NOTHING_DENIED, item.id, {"code": yes.code})
    elif isinstance(item, Multiple | CodedList):
        closed = item.exhaustive or any(option.exclusive for option in item.options)
        for option in item.options:
            if closed and option.asserts and not option.denies and not option.exclusive:
                yield Problem(Fault.NOTHING_DENIED, item.id, {"code": option.code})


def _suits(item: Item, key: Key) -> bool:
    """Tell whether what an item states about a key can be a value of that key."""
    match item:
        case Day():
            return key.kind is (KeyKind.DATE if item.statement is None else KeyKind.CODED)
        case Age():
            return key.kind is KeyKind.DATE
        case _ if isinstance(item, ChoiceItem):
            return all(_value_suits(a.value, key) for a in assertions(item) if a.key == key.name)
        case NamedList():
            none = item.none.asserts if item.none is not None else ()
            named = key.name != item.key or (key.kind is KeyKind.CODED and key.about is item.about)
            return named and all(_value_suits(a.value, key) for a in none if a.key == key.name)
        case Zip():
            return _value_suits(Choice.of(*(f"zip{digit}" for digit in range(10))), key)
        case _:
            return key.kind is KeyKind.QUANTITY and all(_unit_suits(unit, key) for unit in _number_units(item))


def _value_suits(value: Value | Absence, key: Key) -> bool:
    match value:
        case Absence():
            return True
        case Quantity():
            return key.kind is KeyKind.QUANTITY and _unit_suits(value.unit, key)
        case Dated():
            return key.kind is KeyKind.DATE
        case Choice():
            return key.kind is KeyKind.CHOICE and value.codes.issubset(key.codes)
        case Flag():
            return key.kind is KeyKind.FLAG
        case Statement():
            return key.kind is KeyKind.CODED
        case Denial():
            return key.kind is (KeyKind.CODED if value.codes else KeyKind.DATE)
        case _:
            assert_never(value)


def _unit_suits(unit: str, key: Key) -> bool:
    try:
        return key.unit is not None and convertible(unit, key.unit, analyte=key.analyte)
    except InvalidUnit:
        return False


def _pages(document: Document) -> Iterator[Problem]:
    for outcome in Outcome:
        if outcome not in document.results:
            yield Problem(Fault.OUTCOME_MISSING, outcome.value)
    for respondent in document.respondents:
        if respondent not in document.opening.choices:
            yield Problem(Fault.CHOICE_MISSING, respondent.value)
    purposes = Counter(consent.purpose for consent in document.consents)
    if ConsentPurpose.CONTACT not in purposes:
        yield Problem(Fault.CONSENT_MISSING, ConsentPurpose.CONTACT.value)
    for purpose, count in purposes.items():
        if count > 1:
            yield Problem(Fault.DUPLICATE_CONSENT, purpose.value)


def _safety(document: Document, languages: tuple[str, ...], vocabulary: Vocabulary) -> Iterator[Problem]:
    """Ask for a safety page with numbers to call wherever a question touches self-harm or the like."""
    for item in document.items:
        urgent = isinstance(item, ChoiceItem) and any(option.urgent for option in item.options)
        keys = (vocabulary.get(name) for name in fact_keys(item))
        concerned = any(key is not None and key.concerns_safety for key in keys)
        if concerned and not urgent:
            yield Problem(Fault.NO_URGENT_ANSWER, item.id)
        for language in languages if urgent or concerned else ():
            page = document.safety_page
            if page is None or not page.has(language) or not any(map(str.isdigit, page.say(language))):
                yield Problem(Fault.SAFETY_PAGE_MISSING, item.id, {"language": language})


def _texts(document: Document) -> Iterator[tuple[str, str, Text]]:
    """Go through all texts as (question or "pages", place, text)."""
    for place, text in page_texts(document):
        yield _PAGES, place, text
    for item in document.items:
        for place, text in item_texts(item):
            yield item.id, place, text


def _translations(document: Document, languages: tuple[str, ...]) -> Iterator[Problem]:
    """Ask for every text in every language, and for a question's own wording per respondent.

    Pages speak to whoever reads them. A hint or an option that serves for a
    child as it stands needs no second wording, unless it says "you".
    """
    for where, place, text in _texts(document):
        for language in languages:
            for respondent in (Respondent.SELF,) if where == _PAGES else document.respondents:
                if text.has(language, respondent):
                    continue
                fault = Fault.MISSING_TRANSLATION
                if place != "text" and text.has(language):
                    fault = Fault.SAME_WORDING
                if fault is Fault.MISSING_TRANSLATION or addresses_reader(text.say(language), language):
                    params = {"place": place, "language": language, "respondent": respondent.value}
                    yield Problem(fault, where, params)


def _phrases(document: Document) -> Iterator[Problem]:
    allowed = {folded(exception.phrase) for exception in document.exceptions}
    for where, place, text in _texts(document):
        for language, _, words in text.wordings():
            for phrase in forbidden_phrases(words, language):
                if folded(phrase) not in allowed:
                    yield Problem(
                        Fault.FORBIDDEN_PHRASE, where, {"place": place, "language": language, "phrase": phrase}
                    )
    for item in document.items:
        for language, _, words in item.text.wordings() if isinstance(item, YesNo) else ():
            if two_ideas(words, language):
                yield Problem(Fault.TWO_IDEAS, item.id, {"language": language})
