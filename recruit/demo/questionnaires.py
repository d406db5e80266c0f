"""The questionnaires of the demonstration: drafted from the criteria, then edited as a coordinator would."""

from __future__ import annotations

from recruit.demo.catalogue import StudyData
from recruit.studies import questions
from recruit.studies.defaults import Told
from screening.asking.items import Item
from screening.asking.questionnaire import Document
from screening.asking.wording import addresses_reader
from screening.language.protocol import Protocol
from screening.terms import Terms
from screening.texts import Respondent, Text
from screening.vocabulary import Vocabulary

LANGUAGES = ("en", "es")


def document_of(
    data: StudyData, protocol: Protocol, *, operator: str, vocabulary: Vocabulary, terms: Terms
) -> Document:
    """Write a study's questionnaire in English and Spanish."""
    told = Told(
        operator=operator,
        names=data.neutral_names,
        languages=LANGUAGES,
        screened_out_days=data.screened_out_days,
        registry=data.registry_allowed,
    )
    draft = questions.propose(protocol, told, vocabulary=vocabulary, terms=terms).model_dump(mode="json")
    draft["respondents"] = [one.value for one in data.respondents]
    draft["items"] = _edited(draft["items"], data.items)
    document = Document.model_validate(draft)
    items = tuple(_for_everybody(item, document.respondents) for item in document.items)
    return document.model_copy(update={"items": items})


def _for_everybody(item: Item, respondents: tuple[Respondent, ...]) -> Item:
    """Let a question that never says "you" serve as it stands for whomever it is about."""
    words = {language: dict(said) for language, said in item.text.root.items()}
    for language, said in words.items():
        own = said[Respondent.SELF]
        if not addresses_reader(own, language):
            said.update({who: said.get(who, own) for who in respondents})
    return item.model_copy(update={"text": Text.model_validate(words)})


def _edited(drafted: list[dict[str, object]], edits: dict[str, dict[str, object]]) -> list[dict[str, object]]:
    """Give questions their own words and conditions; ``after`` moves one behind another."""
    items = [{**item, **edits.get(str(item["id"]), {})} for item in drafted]
    for item in [item for item in items if "after" in item]:
        earlier = item.pop("after")
        items.remove(item)
        items.insert(1 + next(i for i, other in enumerate(items) if other["id"] == earlier), item)
    return items
