"""The approved script of a call, with its fields filled in, or why it cannot be read out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context
from recruit.intake.pages import approved_text
from recruit.materials.models import MaterialKind
from recruit.materials.service import VARIABLE
from recruit.studies.naming import neutral_name
from recruit.web import identity
from recruit.web.promises import phone_words
from recruit.web.prose import Block, blocks
from recruit.web.recruiting.scene import Scene


@dataclass(frozen=True, slots=True)
class Script:
    """The approved words of the call; where they cannot be read out, ``problem`` says why."""

    body: tuple[Block, ...]
    language: str
    problem: str = ""


def script_of(session: Session, scene: Scene, *, now: datetime) -> Script | None:
    """Give the approved script in the person's language, or else in English, with its fields filled in."""
    text = approved_text(
        session,
        scene.study.id,
        MaterialKind.PHONE_SCRIPT,
        language=scene.person.language,
        study_site_ids=(scene.match.study_site_id,),
        at=now,
    )
    if text is None:
        return None
    values = _values(scene, text.language)
    problem = _problem(text.body, values)
    body = "" if problem else VARIABLE.sub(lambda found: values[found[1]], text.body)
    return Script(blocks(body), text.language, problem)


def _values(scene: Scene, language: str) -> dict[str, str]:
    """Give what may stand in braces in a script of a language."""
    signed_in = identity.signed_in()
    return {
        "agent": signed_in.display_name if signed_in else "",
        "operator": context.settings().operator_name,
        "study": neutral_name(scene.study.neutral_names, language),
        "site": scene.site.name if scene.site else "",
        "phone": phone_words(scene.site_phone),
    }


def _problem(body: str, values: Mapping[str, str]) -> str:
    """Say why a script cannot be read out: approved words are shown whole or not at all."""
    unknown = [name for name in dict.fromkeys(VARIABLE.findall(body)) if not values.get(name)]
    if unknown:
        return str(
            _(
                "The approved script cannot be shown: it has a field that is not known here (%(names)s). "
                "Tell the study's coordinator.",
                names=", ".join(unknown),
            )
        )
    if set("{}") & set(VARIABLE.sub("", body)):
        return str(
            _(
                "The approved script cannot be shown: one of its fields is not written correctly. "
                "Tell the study's coordinator."
            )
        )
    return ""
