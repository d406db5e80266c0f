"""A caller or somebody at the door: look first whether they are known."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.errors import Invalid
from recruit.matching import finding
from recruit.matching.finding import Hit
from recruit.web.guards import allow
from recruit.web.recruiting import clocks, words
from recruit.web.recruiting.reading import Form
from recruit.web.recruiting.scene import look, scope

bp = Blueprint("newcomer", __name__, url_prefix="/new")


@dataclass(frozen=True, slots=True)
class Found:
    """A person who was found, in words; masked where they belong to others."""

    person_id: UUID
    name: str
    born: str
    matches: list[dict[str, str]]
    is_masked: bool


@bp.get("/")
@allow(Role.RECRUITER)
def find() -> ResponseReturnValue:
    """Ask for a name, a telephone number or an email address."""
    return _page(Form(request.form), None)


@bp.post("/")
@allow(Role.RECRUITER)
def search() -> ResponseReturnValue:
    """Show who was found; what was typed stays out of addresses and logs."""
    form = Form(request.form)
    typed = form.line("q")
    found: list[Found] | None = None
    if not form.problems:
        try:
            with context.reading() as session:
                hits = finding.find(session, typed, scope(), country=context.settings().country)
                found = [_found(session, hit) for hit in hits]
        except Invalid as error:
            form.refuse(error)
    for one in found or []:
        if not one.is_masked:
            look(one.person_id, "desk.search")
    return _page(form, found), 422 if form.problems else 200


def _found(session: Session, hit: Hit) -> Found:
    if hit.known is None:
        return Found(hit.person_id, "", "", [], is_masked=True)
    return Found(
        person_id=hit.person_id,
        name=hit.known.full_name,
        born=clocks.day(hit.known.birth) if hit.known.birth else "",
        matches=[
            {
                "text": study.nickname,
                "state": str(words.TRIAGE[match.triage]),
                "url": url_for("desk.person.show", match_id=match.id),
            }
            for match, study in hit.matches
        ],
        is_masked=False,
    )


def _page(form: Form, found: list[Found] | None) -> str:
    return render_template(
        "desk/find.html",
        posted=form.values,
        errors=form.problems,
        wrong=form.wrong,
        found=found,
    )
