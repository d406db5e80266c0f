"""Which answers show a question of a screener, and which questions nobody can ever be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from screening.acceptance.items import option_of
from screening.acceptance.screener import AnswerForm, Certainty, Question, Shown, Trigger

MOST_IN_A_ROW: Final = 12


class Shows(StrEnum):
    """Whether some answers show a question."""

    SOMETIMES = "sometimes"
    NEVER = "never"
    LOOP = "loop"


@dataclass(frozen=True, slots=True)
class Showing:
    """How a question with skip logic is shown.

    `after` are the questions and the definite options that show it, all of
    them or with `any` one of them; `for_unsure`: so does not knowing. `sources`
    are the questions of both. `why` says what is wrong, also where only one of
    several triggers is.
    """

    shows: Shows
    after: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sources: frozenset[str] = frozenset()
    any: bool = False
    for_unsure: bool = False
    why: str = ""


def showings(asked: Mapping[str, Question]) -> dict[str, Showing]:
    """Tell for every question with skip logic how it is shown."""
    loops = dict(_in_loops(asked))
    found: dict[str, Showing] = {}
    for code, question in asked.items():
        if question.shown is not None:
            why = loops.get(code)
            found[code] = Showing(Shows.LOOP, why=why) if why else _own(question.shown, asked)
    return _without_hidden_sources(found)


def _own(shown: Shown, asked: Mapping[str, Question]) -> Showing:
    """Look at a question's own triggers, as if those they wait for were always shown."""
    faults = [fault for trigger in shown.triggers if (fault := _fault(trigger, asked))]
    good = [trigger for trigger in shown.triggers if not _fault(trigger, asked)]
    if not good or (faults and not shown.any):
        return Showing(Shows.NEVER, why="; ".join(faults))
    unsure = any(_certainty(trigger, asked) is Certainty.UNSURE for trigger in good)
    definite = [trigger for trigger in good if _certainty(trigger, asked) is not Certainty.UNSURE]
    if not shown.any and (again := _two_at_once(shown, asked)) is not None:
        return Showing(Shows.NEVER, why=f'it waits for two answers to "{again.text}" at once')
    after = _by_question(definite) if shown.any else tuple((one.question, (one.code,)) for one in definite)
    sources = frozenset(trigger.question for trigger in good)
    return Showing(Shows.SOMETIMES, tuple(dict.fromkeys(after)), sources, shown.any, unsure, "; ".join(faults))


def _by_question(triggers: Sequence[Trigger]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    codes: dict[str, list[str]] = {}
    for trigger in triggers:
        codes.setdefault(trigger.question, []).append(trigger.code)
    return tuple((question, tuple(dict.fromkeys(of))) for question, of in codes.items())


def _fault(trigger: Trigger, asked: Mapping[str, Question]) -> str:
    source = asked.get(trigger.question)
    if source is None:
        return f"an answer to {trigger.question}, which the screener does not ask"
    if option_of(source, trigger) is None:
        return f'"{trigger.code}", which is no answer to "{source.text}"'
    return ""


def _certainty(trigger: Trigger, asked: Mapping[str, Question]) -> Certainty | None:
    option = option_of(asked[trigger.question], trigger)
    return option.certainty if option else None


def _two_at_once(shown: Shown, asked: Mapping[str, Question]) -> Question | None:
    """Find a question with one answer of which two are needed."""
    needed: dict[str, set[str]] = {}
    for trigger in shown.triggers:
        needed.setdefault(trigger.question, set()).add(trigger.code)
    return next(
        (
            asked[code]
            for code, codes in needed.items()
            if len(codes) > 1 and asked[code].form is not AnswerForm.SEVERAL
        ),
        None,
    )


def _in_loops(asked: Mapping[str, Question]) -> Iterator[tuple[str, str]]:
    """Find the questions whose showing comes back to themselves, or rests on too many others in a row."""
    for code in asked:
        level = {code}
        for _ in range(MOST_IN_A_ROW + 1):
            level = {trigger.question for one in level for trigger in _triggers(asked.get(one))}
            if code in level:
                yield code, "an answer to itself shows it, by way of others"
                break
        else:
            if level:
                yield code, f"it rests on more than {MOST_IN_A_ROW} questions in a row"


def _triggers(question: Question | None) -> tuple[Trigger, ...]:
    return question.shown.triggers if question is not None and question.shown is not None else ()


def _without_hidden_sources(found: dict[str, Showing]) -> dict[str, Showing]:
    """Hide what only hidden questions show, until nothing changes."""
    changed = True
    while changed:
        changed = False
        for code, showing in found.items():
            if showing.shows is not Shows.SOMETIMES:
                continue
            hidden = sorted(source for source in showing.sources if _is_hidden(found.get(source)))
            if hidden and (not showing.any or len(hidden) == len(showing.sources)):
                found[code] = Showing(Shows.NEVER, why=f"{hidden[0]}, which shows it, is never shown itself")
                changed = True
    return found


def _is_hidden(showing: Showing | None) -> bool:
    return showing is not None and showing.shows is not Shows.SOMETIMES
