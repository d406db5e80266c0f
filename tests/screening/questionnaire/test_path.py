"""The path through a questionnaire, on chosen documents and on random ones."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from screening.asking import path
from screening.asking.assertions import facts_from
from screening.asking.conditions import AtLeast, Condition, Is, holds
from screening.asking.items import Item
from screening.asking.questionnaire import Document
from screening.asking.responses import AgeGiven, Answer, Chosen, Counted, Declined, DontKnow, Measured, Seen
from screening.facts import EvidenceSource
from screening.texts import Respondent
from tests.screening.questionnaire.documents import (
    SELF,
    TODAY,
    choices,
    flag_question,
    make_document,
    option,
    shown_if_is,
    typed,
    yes_no,
)

YES = Chosen(on=TODAY, codes=("yes",))
NO = Chosen(on=TODAY, codes=("no",))
LOST = DontKnow(on=TODAY)
KEPT_TO_SELF = Declined(on=TODAY)


def ids(document: Document, answers: Mapping[str, Answer], respondent: Respondent = SELF) -> list[str]:
    return [step.item.id for step in path.steps(document, answers, respondent)]


def name(item: Item | None) -> str | None:
    return item.id if item is not None else None


def smoking() -> Document:
    """Smokes? If yes, how many, and if 20 or more, since when. Then height."""
    return make_document(
        yes_no("smokes", allow_unknown=True),
        typed("integer", "how_many", show_if=shown_if_is("smokes")),
        typed("date", "since", show_if={"op": "at_least", "item": "how_many", "value": "20"}),
        typed("height", "height"),
    )


def counted(value: int) -> Counted:
    return Counted(on=TODAY, raw=str(value), entered=(("answer", str(value)),), value=value)


class TestSteps:
    def test_shows_a_follow_up_only_after_its_answer(self) -> None:
        document = smoking()

        before = ids(document, {})
        after_yes = ids(document, {"smokes": YES})
        after_no = ids(document, {"smokes": NO})
        after_unknown = ids(document, {"smokes": LOST})

        assert before == after_no == after_unknown == ["smokes", "height"]
        assert after_yes == ["smokes", "how_many", "height"]

    def test_keeps_hidden_answers_out_of_logic_and_brings_them_back(self) -> None:
        document = smoking()
        answers: dict[str, Answer] = {"smokes": NO, "how_many": counted(30)}

        hidden = ids(document, answers)
        submitted = path.on_path_answers(document, answers, SELF)
        back_again = ids(document, answers | {"smokes": YES})

        assert hidden == ["smokes", "height"]
        assert submitted == {"smokes": NO}
        assert back_again == ["smokes", "how_many", "since", "height"]

    def test_never_shows_what_depends_on_a_later_question(self) -> None:
        document = make_document(yes_no("first", show_if=shown_if_is("second")), yes_no("second"))

        shown = ids(document, {"first": YES, "second": YES})

        assert shown == ["second"]

    def test_asks_by_whom_the_questions_are_about(self) -> None:
        about_child = {"op": "about", "respondents": ["child"]}
        document = make_document(
            yes_no("school", show_if=about_child), yes_no("job", show_if={"op": "not", "of": about_child})
        )

        child = ids(document, {}, Respondent.CHILD)
        adult = ids(document, {}, Respondent.SELF)

        assert (child, adult) == (["school"], ["job"])


class TestMoving:
    def test_leads_through_the_questions_to_the_check_page_and_back(self) -> None:
        document = smoking()
        answers: dict[str, Answer] = {"smokes": YES, "how_many": counted(5)}

        following = name(path.next_item(document, answers, SELF, after="smokes"))
        last = path.next_item(document, answers | {"height": NO}, SELF, after="height")
        back = name(path.previous_item(document, answers, SELF, before="height"))
        from_check = name(path.previous_item(document, answers, SELF, before=None))
        start = path.previous_item(document, answers, SELF, before="smokes")

        assert following == "how_many"
        assert last is None
        assert back == "how_many"
        assert from_check == "height"
        assert start is None

    def test_sends_somebody_who_jumped_ahead_to_what_is_open(self) -> None:
        document = smoking()

        after_last = name(path.next_item(document, {"height": NO}, SELF, after="height"))
        allowed = path.may_open(document, {"smokes": YES}, SELF, item_id="how_many")
        too_early = path.may_open(document, {"smokes": YES}, SELF, item_id="height")
        off_path = path.may_open(document, {"smokes": NO}, SELF, item_id="how_many")
        unknown = path.may_open(document, {}, SELF, item_id="nowhere")

        assert after_last == "smokes"
        assert (allowed, too_early, off_path, unknown) == (True, False, False, False)

    def test_returns_from_a_change_to_the_check_page_by_way_of_new_follow_ups(self) -> None:
        document = smoking()
        answers: dict[str, Answer] = {"smokes": NO, "height": NO}

        unchanged = path.next_item(document, answers, SELF, after="smokes", changing=True)
        opened = path.next_item(document, answers | {"smokes": YES}, SELF, after="smokes", changing=True)
        answered = answers | {"smokes": YES, "how_many": counted(3)}
        done = path.next_item(document, answered, SELF, after="how_many", changing=True)

        assert unchanged is None
        assert name(opened) == "how_many"
        assert done is None

    def test_goes_on_from_a_page_that_is_no_longer_on_the_path(self) -> None:
        document = smoking()

        following = name(path.next_item(document, {"smokes": NO}, SELF, after="how_many"))
        unknown = name(path.next_item(document, {"smokes": NO}, SELF, after="nowhere"))
        before_unknown = path.previous_item(document, {}, SELF, before="nowhere")

        assert following == "height"
        assert unknown == "smokes"
        assert before_unknown is None

    def test_finds_the_answer_that_calls_for_the_safety_page(self) -> None:
        options = [option("often", urgent=True), option("never")]
        document = make_document(
            yes_no("low"), choices("single", "hopeless", *options, show_if=shown_if_is("low"))
        )
        answers = {"low": YES, "hopeless": Chosen(on=TODAY, codes=("often",))}

        urgent = name(path.urgent_item(document, answers, SELF))
        calm = path.urgent_item(document, answers | {"hopeless": Chosen(on=TODAY, codes=("never",))}, SELF)
        hidden = path.urgent_item(document, answers | {"low": NO}, SELF)

        assert urgent == "hopeless"
        assert calm is None
        assert hidden is None


class TestProgress:
    def test_counts_what_may_still_open_by_half(self) -> None:
        document = smoking()

        first = path.progress(document, {}, SELF, at="smokes")
        second = path.progress(document, {"smokes": YES}, SELF, at="how_many")
        last = path.progress(document, {"smokes": NO}, SELF, at="height")

        assert first == path.Progress(1, 3)
        assert second == path.Progress(2, 4)
        assert last == path.Progress(2, 2)

    def test_does_not_count_pages_without_a_question(self) -> None:
        document = make_document(typed("statement", "pause"), yes_no("smokes"))

        on_statement = path.progress(document, {}, SELF, at="pause")
        on_question = path.progress(document, {"pause": Seen(on=TODAY)}, SELF, at="smokes")

        assert on_statement is None
        assert on_question == path.Progress(1, 1)


def measured(lo: str, hi: str, unit: str = "cm") -> Measured:
    return Measured(
        on=TODAY,
        raw="",
        entered=(),
        unit=unit,
        parts=(Decimal(hi),),
        lo=Decimal(lo),
        hi=Decimal(hi),
        canonical=unit,
    )


class TestConditions:
    @pytest.mark.parametrize(
        ("code", "answer", "verdict"),
        [
            ("yes", YES, True),
            ("yes", NO, False),
            ("yes", LOST, None),
            ("yes", KEPT_TO_SELF, None),
            ("dont_know", LOST, True),
            ("dont_know", KEPT_TO_SELF, False),
            ("declined", KEPT_TO_SELF, True),
            ("declined", YES, False),
            ("yes", Chosen(on=TODAY, codes=("no",), other="sometimes"), None),
            ("yes", Chosen(on=TODAY, codes=("yes",), other="sometimes"), True),
            ("yes", counted(1), None),
        ],
    )
    def test_judges_a_choice(self, code: str, answer: Answer, verdict: bool | None) -> None:
        condition = Is(item="a", code=code)

        judged = holds(condition, {"a": answer}, SELF)

        assert judged is verdict

    @pytest.mark.parametrize(
        ("answer", "unit", "verdict"),
        [
            (counted(20), None, True),
            (counted(19), None, False),
            (measured("19.5", "20.5"), None, None),
            (measured("20", "21"), None, True),
            (measured("19", "19.9"), None, False),
            (measured("20", "21", "%"), "mmol/mol", None),
            (measured("20", "21", "%"), "%", True),
            (AgeGiven(on=TODAY, raw="", entered=(), years=20, lo=TODAY, hi=TODAY), None, True),
            (LOST, None, None),
            (YES, None, None),
        ],
    )
    def test_judges_a_number(self, answer: Answer, unit: str | None, verdict: bool | None) -> None:
        condition = AtLeast(item="a", value=Decimal(20), unit=unit)

        judged = holds(condition, {"a": answer}, SELF)

        assert judged is verdict


# Random documents: any question may depend on any other, forward, backward, on itself or on nothing.

NAMES = ("a", "b", "c", "d", "e", "f")
KINDS = st.sampled_from(["yes_no", "multiple", "integer", "statement"])
leaf_json = st.one_of(
    st.builds(
        lambda i, c: {"op": "is", "item": i, "code": c},
        st.sampled_from((*NAMES, "ghost")),
        st.sampled_from(["yes", "no", "x", "dont_know"]),
    ),
    st.builds(
        lambda i, n: {"op": "at_least", "item": i, "value": str(n)}, st.sampled_from(NAMES), st.integers(0, 4)
    ),
)
condition_json = st.recursive(
    leaf_json,
    lambda inner: st.one_of(
        st.builds(lambda of: {"op": "not", "of": of}, inner),
        st.builds(
            lambda op, of: {"op": op, "of": of},
            st.sampled_from(["all", "any"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
    ),
    max_leaves=4,
)


def _item(item_id: str, kind: str, condition: object) -> dict[str, object]:
    match kind:
        case "yes_no":
            return flag_question(item_id, f"key_{item_id}", show_if=condition, allow_unknown=True)
        case "multiple":
            return choices("multiple", item_id, option("x"), option("y"), show_if=condition, allow_unknown=True)
        case "integer":
            return typed("integer", item_id, show_if=condition, key=f"key_{item_id}")
        case _:
            return typed("statement", item_id, show_if=condition)


documents = st.lists(st.tuples(KINDS, st.none() | condition_json), min_size=1, max_size=len(NAMES)).map(
    lambda parts: make_document(
        *(_item(i, kind, condition) for i, (kind, condition) in zip(NAMES, parts, strict=False))
    )
)
ANSWERS: dict[str, list[Answer]] = {
    "yes_no": [YES, NO, LOST],
    "multiple": [LOST, *(Chosen(on=TODAY, codes=codes) for codes in (("x",), ("y",), ("x", "y")))],
    "integer": [counted(value) for value in range(5)],
    "statement": [Seen(on=TODAY)],
}


def play(document: Document, moves: st.DataObject) -> dict[str, Answer]:
    """Answer, go back, change and jump at random, then finish properly."""
    answers: dict[str, Answer] = {}
    here = path.next_item(document, answers, SELF, after="")
    changing = False
    for turn in range(40):
        move = (
            moves.draw(st.sampled_from(["answer", "answer", "answer", "back", "change"]))
            if turn < 25
            else "answer"
        )
        if move == "back":
            here = path.previous_item(document, answers, SELF, before=name(here)) or here
            changing = False
        elif move == "change" and (shown := path.steps(document, answers, SELF)):
            here = moves.draw(st.sampled_from([step.item for step in shown]))
            changing = True
        elif here is not None:
            answers[here.id] = moves.draw(st.sampled_from(ANSWERS[here.type]))
            here = path.next_item(document, answers, SELF, after=here.id, changing=changing)
    return answers


def shown_by_definition(document: Document, answers: Mapping[str, Answer]) -> set[str]:
    """Give the ids on the path by the definition alone: earlier, itself shown, answered."""
    places = {item.id: place for place, item in enumerate(document.items)}

    def shown(place: int) -> bool:
        condition = document.items[place].show_if
        return condition is None or judge(condition, place) == 1

    def judge(condition: Condition, place: int) -> int:
        """Give 1, 0 or -1 for true, unknown, false."""
        match condition.op:
            case "not":
                return -judge(condition.of, place)
            case "all":
                return min(judge(child, place) for child in condition.of)
            case "any":
                return max(judge(child, place) for child in condition.of)
            case "is" | "at_least":
                asked = places.get(condition.item, place)
                if asked >= place or not shown(asked) or condition.item not in answers:
                    return 0
                verdict = holds(condition, {condition.item: answers[condition.item]}, SELF)
                return 0 if verdict is None else 1 if verdict else -1
        raise AssertionError(condition)

    return {item.id for place, item in enumerate(document.items) if shown(place)}


class Guarded(Mapping[str, Answer]):
    """Answers that may be read only where they are on the path."""

    def __init__(self, answers: Mapping[str, Answer], allowed: set[str]) -> None:
        self._answers, self._allowed = answers, allowed

    def __getitem__(self, key: str) -> Answer:
        assert key in self._allowed, f"read the answer to {key}, which is hidden"
        return self._answers[key]

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("went through all answers")

    def __len__(self) -> int:
        return len(self._answers)


class TestRandomDocuments:
    @given(document=documents, moves=st.data())
    def test_submits_exactly_the_answers_on_the_final_path(
        self, document: Document, moves: st.DataObject
    ) -> None:
        answers = play(document, moves)

        submitted = path.on_path_answers(document, answers, SELF)

        expected = shown_by_definition(document, answers)
        assert set(ids(document, answers)) == expected
        assert submitted == {key: answer for key, answer in answers.items() if key in expected}
        assert path.first_unanswered(document, answers, SELF) is None
        assert set(submitted) == expected

    @given(document=documents, moves=st.data())
    def test_never_reads_an_answer_off_the_path(self, document: Document, moves: st.DataObject) -> None:
        answers = {
            item.id: moves.draw(st.sampled_from(ANSWERS[item.type]))
            for item in document.items
            if moves.draw(st.booleans())
        }
        allowed = shown_by_definition(document, answers)
        guarded = Guarded(answers, allowed)
        here = moves.draw(st.sampled_from(document.items)).id

        submitted = path.on_path_answers(document, guarded, SELF)
        path.next_item(document, guarded, SELF, after=here)
        path.previous_item(document, guarded, SELF, before=here)
        path.first_unanswered(document, guarded, SELF)
        path.may_open(document, guarded, SELF, item_id=here)
        path.progress(document, guarded, SELF, at=here)
        facts = facts_from(
            document,
            guarded,
            SELF,
            recorded_at=datetime(2026, 11, 22, tzinfo=UTC),
            source=EvidenceSource.PARTICIPANT_ONLINE,
            new_id=lambda: UUID(int=0),
        )

        assert set(submitted) <= allowed
        assert {fact.key for fact in facts} <= {f"key_{item_id}" for item_id in submitted}

    @given(document=documents, moves=st.data())
    def test_asks_only_what_is_on_the_path_and_open(self, document: Document, moves: st.DataObject) -> None:
        answers: dict[str, Answer] = {}
        asked: list[str] = []

        while (item := path.first_unanswered(document, answers, SELF)) is not None:
            assume(len(asked) <= len(NAMES))
            asked.append(item.id)
            progress = path.progress(document, answers, SELF, at=item.id)
            answers[item.id] = moves.draw(st.sampled_from(ANSWERS[item.type]))

            assert progress is None or 1 <= progress.number <= progress.about <= len(document.items)

        assert asked == ids(document, answers)
