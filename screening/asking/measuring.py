"""Read the page of a number, a quantity, a height or a weight into an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from screening.asking.forms import Page, Posted, bare
from screening.asking.items import DecimalNumber, Height, Integer, Item, Limits, QuantityNumber, Weight
from screening.asking.numerals import Measure, fold, read_height, read_number, read_quantity, read_weight
from screening.asking.responses import Counted, Measured
from screening.asking.summary import amount, canonical, describe, plain
from screening.slips import Problems, Slip
from screening.texts import Text

_BOXES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "height": {"ft_in": ("feet", "inches"), "cm": ("cm",)},
    "weight": {"lb": ("lb",), "kg": ("kg",), "st_lb": ("stone", "pounds")},
}
_CANONICAL: Final = {"height": "cm", "weight": "kg"}
_WORDS: Final = {"ft_in": ("ft", "in"), "st_lb": ("st", "lb")}


def count(item: Integer, page: Page) -> Counted | Problems:
    """Read a whole number; a count is exact."""
    posted = page.posted
    if not posted.filled("answer"):
        return Problems.one(Slip.REQUIRED, "answer")
    number = read_number(posted.folded("answer"), language=page.language)
    if number is Slip.NOT_A_NUMBER or (not isinstance(number, Slip) and number.half != Decimal("0.5")):
        return Problems.one(Slip.NOT_WHOLE, "answer")
    if isinstance(number, Slip):
        return Problems.one(number, "answer")
    answer = Counted(
        on=page.on, raw=posted.raw("answer"), entered=posted.entered("answer"), value=int(number.value)
    )
    return (
        _beyond(item, number.value, item.limits, unit=item.unit, page=page)
        or _unlikely(item, answer, number.value, item.soft_check, page=page)
        or answer
    )


def quantity(item: DecimalNumber | QuantityNumber, page: Page) -> Measured | Problems:
    """Read a number whose unit is fixed, chosen, or typed behind it."""
    posted = page.posted
    if not posted.filled("answer"):
        return Problems.one(Slip.REQUIRED, "answer")
    scales = _scales(item)
    names = {name: scale.code for scale in scales for name in scale.names}
    reading = read_quantity(posted.folded("answer"), lambda name: names.get(_key(name)), language=page.language)
    if isinstance(reading, Slip):
        alone = reading is Slip.UNKNOWN_UNIT and len(scales) == 1
        return Problems.one(Slip.NOT_A_NUMBER if alone else reading, "answer")
    number, typed = reading
    picked = posted.raw("unit") or typed or (scales[0].code if len(scales) == 1 else "")
    scale = next((scale for scale in scales if scale.code == picked), None)
    if scale is None:
        return Problems.one(Slip.UNKNOWN_OPTION if picked else Slip.CHOOSE_UNIT, "unit")
    if typed not in (None, scale.code):
        return Problems.one(Slip.TWO_UNITS, "answer")
    answer = Measured(
        on=page.on,
        raw=posted.raw("answer"),
        entered=posted.entered("answer", "unit"),
        unit=scale.code,
        parts=(number.value,),
        lo=number.lo,
        hi=number.hi,
        canonical=scale.code,
    )
    return _settled(item, answer, scale.limits, scale.soft_check, page=page)


@dataclass(frozen=True, slots=True)
class _Scale:
    """A unit that a number may be in, all that may be typed for it, and its limits."""

    code: str
    names: tuple[str, ...]
    limits: Limits
    soft_check: Limits | None


def _scales(item: DecimalNumber | QuantityNumber) -> tuple[_Scale, ...]:
    if isinstance(item, DecimalNumber):
        words = _words(item.unit_text) if item.unit_text is not None else ()
        return (_Scale(item.unit, (_key(item.unit), *words), item.limits, item.soft_check),)
    return tuple(
        _Scale(
            unit.code,
            (_key(unit.code), *map(_key, unit.also), *_words(unit.text)),
            unit.limits,
            unit.soft_check,
        )
        for unit in item.units
    )


def _words(text: Text) -> tuple[str, ...]:
    return tuple(_key(words) for _, _, words in text.wordings())


def _key(name: str) -> str:
    return "".join(fold(name).casefold().split()).rstrip(".")


def body_measure(item: Height | Weight, page: Page) -> Measured | Problems:
    """Read a height or a weight from its boxes, or from one box in any usual notation."""
    posted, boxes = page.posted, _BOXES[item.type]
    picked = posted.raw("unit")
    if picked and picked not in item.units:
        return Problems.one(Slip.UNKNOWN_OPTION, "unit")
    if posted.filled("answer"):
        return _one_box(item, picked, page)
    filled = [unit for unit in boxes if posted.filled(*boxes[unit])]
    if not filled:
        return Problems.one(Slip.REQUIRED, boxes[picked or item.units[0]][0])
    if len(filled) > 1 and picked not in filled:
        return Problems.one(Slip.TWO_UNITS, boxes[filled[0]][0])
    unit = picked if picked in filled else filled[0]
    measure = _read(item, _joined(unit, boxes[unit], posted), unit, page)
    return _measured(item, measure, boxes[unit], page)


def _one_box(item: Height | Weight, picked: str, page: Page) -> Measured | Problems:
    words = page.posted.folded("answer")
    if (
        isinstance(item, Weight)
        and not picked
        and not isinstance(read_number(words, language=page.language), Slip)
    ):
        return Problems.one(Slip.CHOOSE_UNIT, "unit")
    measure = _read(item, words, picked or _CANONICAL[item.type], page)
    if measure is Slip.NOT_A_HEIGHT and not picked:
        measure = _read(item, words, "ft_in", page)
    return _measured(item, measure, ("answer",), page)


def _joined(unit: str, boxes: tuple[str, ...], posted: Posted) -> str:
    """Write boxes as one text; what is complete in the first box alone stays as it is."""
    texts = [posted.folded(box) for box in boxes]
    if len(boxes) == 1 or not texts[1]:
        return texts[0]
    large, small = _WORDS[unit]
    tail = f"{bare(texts[1])} {small}"
    return f"{bare(texts[0])} {large} {tail}" if texts[0] else tail


def _read(item: Height | Weight, words: str, unit: str, page: Page) -> Measure | Slip:
    read = read_height if isinstance(item, Height) else read_weight
    return read(words, unit=unit, language=page.language)


def _measured(
    item: Height | Weight, measure: Measure | Slip, fields: tuple[str, ...], page: Page
) -> Measured | Problems:
    posted = page.posted
    if isinstance(measure, Slip):
        return Problems.one(measure, posted.filled(*fields)[0])
    answer = Measured(
        on=page.on,
        raw=" ".join(posted.raw(name) for name in posted.filled(*fields)),
        entered=posted.entered(*fields, "unit"),
        unit=measure.unit,
        parts=measure.parts,
        lo=measure.lo,
        hi=measure.hi,
        canonical=_CANONICAL[item.type],
    )
    return _settled(item, answer, item.limits, item.soft_check, page=page)


def _settled(
    item: Item, answer: Measured, limits: Limits, usual: Limits | None, *, page: Page
) -> Measured | Problems:
    """Hold a measurement against its limits, then cut its interval by them."""
    value = canonical(answer)
    wrong = _beyond(item, value, limits, unit=answer.unit, page=page) or _unlikely(
        item, answer, value, usual, page=page
    )
    if wrong is not None:
        return wrong
    lo = answer.lo if limits.least is None else max(answer.lo, limits.least)
    hi = answer.hi if limits.most is None else min(answer.hi, limits.most)
    return answer.model_copy(update={"lo": lo, "hi": hi})


def _beyond(item: Item, value: Decimal, limits: Limits, *, unit: str, page: Page) -> Problems | None:
    field = page.posted.filled(*_FIELDS)[0]
    if limits.least is not None and value < limits.least:
        return Problems.one(Slip.TOO_SMALL, field, least=_bound(item, limits.least, unit, page.language))
    if limits.most is not None and value > limits.most:
        return Problems.one(Slip.TOO_BIG, field, most=_bound(item, limits.most, unit, page.language))
    return None


_FIELDS: Final = ("answer", *(box for boxes in _BOXES.values() for names in boxes.values() for box in names))


def _bound(item: Item, bound: Decimal, unit: str, language: str) -> str:
    return amount(bound, unit, language=language) if isinstance(item, Height | Weight) else plain(bound)


def _unlikely(
    item: Item, answer: Counted | Measured, value: Decimal, usual: Limits | None, *, page: Page
) -> Problems | None:
    if usual is None or _inside(value, usual):
        return None
    token = plain(value)
    if page.posted.raw("confirmed") == token:
        return None
    return Problems.one(
        Slip.UNLIKELY,
        page.posted.filled(*_FIELDS)[0],
        soft=True,
        entered=describe(answer, item, page.language),
        confirm=token,
    )


def _inside(value: Decimal, usual: Limits) -> bool:
    return (usual.least is None or value >= usual.least) and (usual.most is None or value <= usual.most)
