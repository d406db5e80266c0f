"""A questionnaire with what the factories' study lacks: a child, an urgent answer, a branch, soft checks."""

from __future__ import annotations

from screening.asking.questionnaire import Document
from tests.screening.questionnaire.documents import (
    both,
    flag_question,
    make_document,
    option,
    shown_if_is,
    typed,
    yes_no,
)

CANARY = "zebrafishitis"
"""A health word that stands in a question and its answers, and must stay out of titles and addresses."""


def asked() -> Document:
    """Give the questionnaire: age, a branch by smoking, how one feels, and words of one's own."""
    urgent = [
        option("often", urgent=True, text=both("Nearly every day", "Casi todos los días")),
        option("never", text=both("Not at all", "Nunca")),
    ]
    smoking = flag_question(CANARY, "smoking.current") | {
        "text": {
            "en": {"self": f"Do you have {CANARY}?", "child": f"Does your child have {CANARY}?"},
            "es": {"self": f"¿Tiene usted {CANARY}?", "child": f"¿Su hijo tiene {CANARY}?"},
        },
        "allow_unknown": True,
        "errors": {"choose_one": both(f"Select yes if you have {CANARY}", f"Elija sí si tiene {CANARY}")},
        "why_we_ask": both("The study treats it.", "El estudio lo trata."),
    }
    return make_document(
        typed("age", "age", key="birth", text=both("How old are you?", "¿Qué edad tiene?")),
        smoking,
        typed("integer", "packs", show_if=shown_if_is(CANARY), soft_check={"most": "3"}, limits={"most": "90"}),
        yes_no("outdoors", show_if=shown_if_is(CANARY, "no")),
        {
            "type": "single",
            "id": "feelings",
            "text": both("How often do you think of ending your life?", "¿Piensa en quitarse la vida?"),
            "options": urgent,
        },
        typed("short_text", "words", allow_decline=True),
        title=both("Breathing study", "Estudio de la respiración"),
        respondents=["self", "child"],
        safety_page=both("Call 988 now.\n\nDay and night.", "Llame al 988 ahora."),
        consents=[
            {"purpose": "contact", "version": "7", "text": both("You may contact me.", "Pueden contactarme.")},
            {"purpose": "voicemail", "version": "7", "text": both("You may name it.", "Pueden nombrarlo.")},
        ],
    )
