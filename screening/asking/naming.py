"""Read what a person named: each in turn looked up, chosen among what it may mean, or kept as words.

Words stay in the box until it is clear what they mean. They are taken without
asking only where they are the whole name of one thing and of nothing else.
"""

from dataclasses import dataclass
from typing import Final

from screening.asking.forms import Page, Posted
from screening.asking.items import NamedList
from screening.asking.responses import Named, Told
from screening.finding.directory import Candidate, packaged_directory
from screening.slips import Problems, Slip

OWN_WORDS: Final = "own"
"""The choice of somebody who means none of the suggestions."""
LONGEST_WORDS: Final = 100
LONGEST_TOKEN: Final = 400


@dataclass(frozen=True, slots=True)
class Taken:
    """How far one page has come: what is clear, and the words that are not."""

    told: tuple[Told, ...]
    unclear: str = ""
    meanings: tuple[Candidate, ...] = ()


def named(item: NamedList, page: Page) -> Named | Problems:
    """Read the page into what was named, or say what is still to be chosen."""
    posted = page.posted
    words, none = posted.raw("answer"), posted.raw("none")
    if len(words) > LONGEST_WORDS:
        return Problems.one(Slip.TOO_LONG, "answer", most=str(LONGEST_WORDS))
    if none and (item.none is None or none != item.none.code):
        return Problems.one(Slip.UNKNOWN_OPTION, "none")
    taken = take(item, posted, page.language)
    if taken is None:
        return Problems.one(Slip.UNKNOWN_OPTION, "answer")
    if item.none is not None and none and (taken.told or taken.unclear):
        return Problems.one(Slip.NONE_AND_SOME, "answer", none=item.none.text.say(page.language))
    return _settled(item, page, taken, none)


def _settled(item: NamedList, page: Page, taken: Taken, none: str) -> Named | Problems:
    if len(taken.told) > item.most:
        return Problems.one(Slip.NAMED_TOO_MANY, "answer", most=str(item.most))
    if taken.unclear:
        return Problems.one(Slip.CHOOSE_MEANING, "meant", words=taken.unclear)
    if page.posted.raw("look_up") and page.posted.raw("answer"):
        return Problems.one(Slip.NAME_MORE, "answer", soft=True)
    if not taken.told and not none:
        return Problems.one(Slip.REQUIRED, "answer")
    return Named(on=page.on, told=taken.told, none=none)


def take(item: NamedList, posted: Posted, language: str) -> Taken | None:
    """Sort what was posted into what is clear and what is not; None where a code is not in the tables."""
    directory = packaged_directory(item.about)
    told = tuple(map(Told.of_token, posted.all("named")))
    if any(not one.words or (one.code and not directory.knows(one.code, one.label)) for one in told):
        return None
    words = posted.raw("answer")[:LONGEST_WORDS]
    if not words:
        return Taken(told)
    meant = posted.raw("meant") if posted.raw("asked") == words else ""
    if meant == OWN_WORDS:
        return Taken(_joined(told, Told(words=words)))
    code, _, label = meant.partition("|")
    if code:
        chosen = Told(words=posted.raw("typed")[:LONGEST_WORDS] or words, code=code, label=label)
        return Taken(_joined(told, chosen)) if directory.knows(code, label) else None
    sure = directory.settle(words, language)
    if sure is not None:
        return Taken(_joined(told, Told(words=words, code=sure.entry.code.code, label=sure.label)))
    return Taken(told, words, directory.suggest(words, language))


def _joined(told: tuple[Told, ...], one: Told) -> tuple[Told, ...]:
    return told if one in told else (*told, one)
