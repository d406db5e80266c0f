"""What to ask again on a call, because the words of an agreement have changed since."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.clock import civil_day
from recruit.contact import renewal
from recruit.contact.models import Purpose
from recruit.contact.renewal import Renewal
from recruit.errors import Conflict, Refused
from recruit.intake.pages import FALLBACK
from recruit.matching import calling
from recruit.web.guards import allow
from recruit.web.recruiting import words
from recruit.web.recruiting.reading import Form
from recruit.web.recruiting.scene import Scene, account_id, is_repeated, scene_of, writing
from screening.texts import Respondent, Text

bp = Blueprint("renewing", __name__, url_prefix="/matches/<uuid:match_id>/call/agreements")


@dataclass(frozen=True, slots=True)
class Asked:
    """An agreement to ask for again, as the call page shows it."""

    purpose: str
    label: str
    channels: str
    words: str
    language: str
    is_stopped: bool

    @property
    def read(self) -> str:
        """Mark the words, so that an answer says which ones were read out."""
        return hashlib.sha256(self.words.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def asked_again(session: Session, scene: Scene, respondent: Respondent, *, now: datetime) -> list[Asked]:
    """List what to ask again, in the new words and the person's language where they have it."""
    rows = renewal.due(session, scene.members, scene.study.id, on=civil_day(now, scene.zone))
    return [_asked(one, scene, respondent) for one in rows]


@bp.post("")
@allow(Role.RECRUITER)
def answer(match_id: UUID) -> ResponseReturnValue:
    """Write down the yes or the no that was said on the telephone, with the words that were read out."""
    form = Form(request.form)
    with context.reading() as session:
        scene_of(session, match_id)
    purpose = form.choice("purpose", [one.value for one in Purpose], missing=_("Choose what was asked"))
    said = form.choice("said", ("yes", "no"), missing=_("Choose yes or no"))
    respondent = Respondent(form.choice("about", list(Respondent)) or Respondent.SELF.value)
    if not form.problems:
        with writing(form, reason=f"consent:{'renew' if said == 'yes' else 'decline'}") as session:
            scene = scene_of(session, match_id)
            if not is_repeated(session, form, "renew", match_id):
                _write(session, scene, Purpose(purpose), said == "yes", respondent, read=form.line("read"))
    for problem in form.problems:
        flash(problem.text, "problem")
    if not form.problems:
        flash(_("Noted: yes.") if said == "yes" else _("Noted: no. They are not contacted for it."), "said")
    return redirect(url_for("desk.call.show", match_id=match_id), 303)


def _write(
    session: Session, scene: Scene, purpose: Purpose, given: bool, respondent: Respondent, *, read: str
) -> None:
    """Write an answer down with the words that were read out.

    :raises Refused: those words have been followed by others since the page was shown
    """
    now = context.now()
    call = calling.call_in_progress(session, scene.match, at=now)
    if call is None or call.account_id != account_id():
        raise Conflict("Somebody else is on the phone with this person right now.")
    on = civil_day(now, scene.zone)
    rows = renewal.due(session, scene.members, scene.study.id, on=on)
    shown = next((_asked(one, scene, respondent) for one in rows if one.purpose is purpose), None)
    if shown is None or shown.read != read:
        raise Refused("These words are no longer used. Read out the ones shown here now.")
    renewal.renew(
        session,
        scene.members,
        scene.study.id,
        purpose,
        given=given,
        text=shown.words,
        language=shown.language,
        how="phone",
        at=now,
        on=on,
    )


def _asked(one: Renewal, scene: Scene, respondent: Respondent) -> Asked:
    text = one.change.text.text
    tongue = _tongue(text, scene.person.language)
    return Asked(
        purpose=one.purpose.value,
        label=str(words.PURPOSES[one.purpose]),
        channels=", ".join(str(words.CHANNELS[channel]) for channel in one.channels),
        words=text.say(tongue, respondent),
        language=tongue,
        is_stopped=one.is_stopped,
    )


def _tongue(text: Text, wanted: str) -> str:
    return wanted if text.has(wanted) else FALLBACK
