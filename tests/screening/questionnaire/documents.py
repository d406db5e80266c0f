"""Documents, items and a small vocabulary for tests; each factory names only what matters."""

from collections.abc import Mapping
from datetime import date

from screening.asking.items import Item
from screening.asking.questionnaire import Document
from screening.texts import Respondent
from screening.vocabulary import Vocabulary, read_vocabulary

TODAY = date(2026, 11, 22)
SELF = Respondent.SELF
ASTHMA = {"system": "ICD-10-CM", "code": "J45"}
COPD = {"system": "ICD-10-CM", "code": "J44"}
DIABETES = {"system": "ICD-10-CM", "code": "E11"}


def both(english: str, spanish: str | None = None) -> dict[str, str]:
    """Give a text in both languages."""
    return {"en": english, "es": spanish or f"{english} (es)"}


def yes_no(item_id: str = "smokes", **changes: object) -> dict[str, object]:
    return {"type": "yes_no", "id": item_id, "text": both(f"Is it {item_id}?")} | changes


def flag_question(item_id: str, key: str, **changes: object) -> dict[str, object]:
    """Make a yes/no question that states a flag both ways."""
    options = [
        {"code": code, "asserts": [{"key": key, "value": {"type": "flag", "value": code == "yes"}}]}
        for code in ("yes", "no")
    ]
    return yes_no(item_id, options=options) | changes


def option(code: str, **changes: object) -> dict[str, object]:
    return {"code": code, "text": both(code.title())} | changes


def states(
    code: Mapping[str, str], status: str = "current", key: str = "conditions"
) -> list[dict[str, object]]:
    return [{"key": key, "value": {"type": "statement", "code": dict(code), "status": status}}]


def denies(
    *codes: Mapping[str, str], scope: str = "current", key: str = "conditions"
) -> list[dict[str, object]]:
    return [{"key": key, "value": {"type": "denial", "codes": [dict(code) for code in codes], "scope": scope}}]


def choices(kind: str, item_id: str, *options: dict[str, object], **changes: object) -> dict[str, object]:
    return {"type": kind, "id": item_id, "text": both(f"Which {item_id}?"), "options": list(options)} | changes


def typed(kind: str, item_id: str, **changes: object) -> dict[str, object]:
    return {"type": kind, "id": item_id, "text": both(f"What {item_id}?")} | changes


def shown_if_is(item: str, code: str = "yes") -> dict[str, object]:
    return {"op": "is", "item": item, "code": code}


def make_json(*items: dict[str, object], **changes: object) -> dict[str, object]:
    """Give a document that has everything but what a test takes away."""
    notice = ("who", "why", "how_long", "what_is_kept", "how_to_stop")
    outcomes = ("may_fit", "need_to_talk", "not_this_study", "later", "waitlist")
    return {
        "title": both("Breathing study", "Estudio de la respiración"),
        "languages": ["en", "es"],
        "notice": {name: both(f"Line about {name}") for name in notice},
        "opening": {
            "question": both("Who is this for?", "¿Para quién es?"),
            "choices": {"self": both("Me", "Para mí"), "child": both("My child", "Para mi hijo")},
            "minor": both("Please fetch a parent", "Llame a su madre o a su padre"),
        },
        "items": list(items) or [flag_question("smokes", "smoker")],
        "results": {name: {"heading": both("Thank you"), "body": both("We will call.")} for name in outcomes},
        "consents": [{"purpose": "contact", "version": "1", "text": both("Call me")}],
    } | changes


def make_document(*items: dict[str, object], **changes: object) -> Document:
    return Document.model_validate(make_json(*items, **changes))


def make_item(item: dict[str, object]) -> Item:
    return make_document(item).items[0]


def make_vocabulary() -> Vocabulary:
    return read_vocabulary(
        """
        [key.smoker]
        kind = "flag"
        label = {en = "Smoker"}
        told_by = ["participant"]
        [key.hopeless]
        kind = "flag"
        label = {en = "Thoughts of death"}
        told_by = ["participant"]
        concerns_safety = true
        [key.birth]
        kind = "date"
        label = {en = "Birth"}
        told_by = ["participant", "record"]
        [key.height]
        kind = "quantity"
        unit = "cm"
        label = {en = "Height"}
        told_by = ["participant"]
        [key.weight]
        kind = "quantity"
        unit = "kg"
        label = {en = "Weight"}
        told_by = ["participant"]
        [key.bmi]
        kind = "quantity"
        unit = "kg/m2"
        label = {en = "BMI"}
        told_by = ["participant"]
        computed = {function = "body_mass_index", inputs = ["height", "weight"]}
        [key.hba1c]
        kind = "quantity"
        unit = "%"
        units = ["%", "mmol/mol"]
        analyte = "hba1c"
        label = {en = "HbA1c"}
        told_by = ["laboratory"]
        [key.sex]
        kind = "choice"
        label = {en = "Sex"}
        told_by = ["participant"]
        choices = [{code = "female", label = {en = "Female"}}, {code = "male", label = {en = "Male"}}]
        [key.conditions]
        kind = "coded"
        about = "condition"
        label = {en = "Conditions"}
        told_by = ["participant"]
        denies = ["J45", "J44"]
        """
    )
