from __future__ import annotations

from itertools import chain

import pytest

from recruit.studies import defaults, editing, questions
from recruit.studies.defaults import Told
from recruit.vocabulary import terms
from screening.asking.items import Item
from screening.asking.questionnaire import ConsentPurpose, Document, EarlierWords, document_hash, language_hash
from screening.language.notation import parse_rule
from screening.language.protocol import Criterion, CriterionKind, Protocol
from screening.texts import Respondent, Text
from screening.vocabulary import packaged_vocabulary

SELF = Respondent.SELF
NAMES = {"en": "Harbor study", "es": "estudio Faro"}
TOLD = Told(operator="Harbor Trials", names=NAMES, languages=("en", "es"))


@pytest.fixture
def document() -> Document:
    """Give a questionnaire with every kind of text: options, units, numbers, days."""
    rules = (
        "age >= 18 years",
        "hba1c > 7 %",
        "condition in (E11)",
        "pregnant is yes",
        "migraine_days > 4 {days}/mo",
    )
    criteria = tuple(
        Criterion(id=f"c{n}", kind=CriterionKind.INCLUSION, text=rule, rule=parse_rule(rule))
        for n, rule in enumerate(rules)
    )
    return questions.propose(Protocol(criteria=criteria), TOLD, vocabulary=packaged_vocabulary(), terms=terms())


def _held(text: Text | None) -> dict[str, dict[Respondent, str]]:
    words: dict[str, dict[Respondent, str]] = {}
    for language, who, said in text.wordings() if text is not None else ():
        words.setdefault(language, {})[who] = said
    return words


class TestItemWords:
    def test_saving_what_is_there_changes_nothing(self, document: Document) -> None:
        for item in document.items:
            words = {place: _held(text) for place, text in editing.item_places(item)}

            assert editing.with_item_words(item, words) == item

    def test_every_place_of_every_question_can_be_changed(self, document: Document) -> None:
        for item in document.items:
            for place, _text in editing.item_places(item):
                changed = editing.with_item_words(item, {place: {"en": {SELF: "New words"}}})

                assert _place(changed, place).say("en") == "New words"

    def test_empty_hints_go_and_empty_questions_become_a_gap(self, document: Document) -> None:
        item = document.items[0]
        assert item.hint is not None

        changed = editing.with_item_words(item, {"hint": {"en": {SELF: " "}}, "text": {"en": {SELF: ""}}})

        assert changed.hint is None
        assert not changed.text.has("en")

    def test_a_change_in_one_language_leaves_the_hash_of_the_other(self, document: Document) -> None:
        item = document.items[0]
        words = {"en": {SELF: "When were you born?"}, "es": {SELF: item.text.say("es")}}

        changed = editing.with_item(document, editing.with_item_words(item, {"text": words}))

        assert language_hash(changed, "es") == language_hash(document, "es")
        assert language_hash(changed, "en") != language_hash(document, "en")

    def test_words_for_a_child_stand_beside_the_others(self, document: Document) -> None:
        words = {"en": {SELF: "How old are you?", Respondent.CHILD: "How old is your child?"}}

        changed = editing.with_item_words(document.items[0], {"text": words})

        assert changed.text.say("en", Respondent.CHILD) == "How old is your child?"


class TestPageWords:
    def test_saving_what_is_there_changes_nothing(self, document: Document) -> None:
        words = {place: _held(text) for place, text in editing.page_places(document)}

        assert document_hash(editing.with_page_words(document, words)) == document_hash(document)

    def test_every_place_can_be_changed(self, document: Document) -> None:
        for place, _text in editing.page_places(document):
            changed = editing.with_page_words(document, {place: {"en": {SELF: "New words"}}})

            held = dict(editing.page_places(changed))[place]
            assert held is not None
            assert held.say("en") == "New words"


class TestOrder:
    def test_moves_a_question_up_and_down_within_the_ends(self, document: Document) -> None:
        ids = [item.id for item in document.items]

        down = editing.moved(document, ids[0], "down")
        back = editing.moved(down, ids[0], "up")
        stuck = editing.moved(document, ids[0], "up")

        assert [item.id for item in down.items][:2] == [ids[1], ids[0]]
        assert back == document
        assert stuck == document

    def test_takes_a_question_out_with_its_empty_section_but_never_the_last(self, document: Document) -> None:
        personal = next(item for item in document.items if item.section == "personal")

        without = editing.without_item(document, personal.id)

        assert "personal" not in {section.id for section in without.sections}
        for item in document.items[1:]:
            document = editing.without_item(document, item.id)
        with pytest.raises(ValueError, match="at least one"):
            editing.without_item(document, document.items[0].id)


class TestConsents:
    def test_an_agreement_with_new_words_gets_the_next_version(self, document: Document) -> None:
        words = {"consents.contact": {"en": {SELF: "You may call me."}, "es": {SELF: "Pueden llamarme."}}}
        changed = editing.with_page_words(document, words)

        counted = {
            one.purpose.value: one.version for one in editing.counted_consents(changed, document).consents
        }
        again = editing.counted_consents(editing.counted_consents(changed, document), document)

        assert counted["contact"] == "2"
        assert counted["check_answers"] == "1"
        assert {one.version for one in again.consents} == {"1", "2"}

    def test_words_put_back_as_published_keep_their_version(self, document: Document) -> None:
        assert editing.counted_consents(document, document) == document

    def test_new_words_say_what_becomes_of_earlier_ones_and_the_others_stay(self, document: Document) -> None:
        ruled = editing.with_earlier(document, {"contact": EarlierWords.STOP})

        kept = {one.purpose.value: one.earlier for one in ruled.consents}
        assert kept.pop("contact") is EarlierWords.STOP
        assert set(kept.values()) == {EarlierWords.VALID}

    def test_adds_and_drops_an_agreement(self, document: Document) -> None:
        added = editing.with_consent(document, defaults.consent(TOLD, ConsentPurpose.REGISTRY))

        dropped = editing.without_consent(added, "registry")

        assert dropped == document


class TestFrame:
    @pytest.mark.parametrize("languages", [(), ("English",), ("e",)])
    def test_refuses_what_is_no_list_of_languages(self, document: Document, languages: tuple[str, ...]) -> None:
        with pytest.raises(ValueError, match="languages"):
            editing.with_languages(document, languages)

    def test_refuses_questions_about_nobody(self, document: Document) -> None:
        with pytest.raises(ValueError, match="somebody"):
            editing.with_respondents(document, ())


def _place(item: Item, place: str) -> Text:
    held = dict(chain(editing.item_places(item)))[place]
    assert held is not None
    return held
