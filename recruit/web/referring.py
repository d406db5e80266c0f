"""The form with which a doctor passes on a patient who has agreed to be called; on the screen and on paper."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context, pipeline
from recruit.addresses import clean_line, read_phone
from recruit.contact.models import ContactChannel, Purpose
from recruit.db import found
from recruit.errors import Invalid, NotFound
from recruit.ids import new_token
from recruit.intake import drafts, once, pages
from recruit.intake.models import InquiryChannel, Medium, SourceLink
from recruit.intake.pages import StudyPage
from recruit.intake.service import Consented, Contact
from recruit.people.service import Identity
from recruit.studies.models import Study
from recruit.web import identity, languages
from recruit.web.contactform import BEST_TIMES
from recruit.web.fields import Problem, said, wrong
from recruit.web.guards import PUBLIC, allow
from recruit.web.promises import phone_words

bp = Blueprint("referring", __name__)
_TYPED = ("clinician", "practice", "clinician_phone", "given", "family", "phone")
_NEEDED = ("clinician", "clinician_phone", "given", "phone")
_FIELDS = (*_TYPED, "study", "best_time", "language", "agreed")
STATEMENT_VERSION = "doctor-1"


@dataclass(frozen=True, slots=True)
class Note:
    """What a doctor wrote: the values to show again, the problems, and whom to call where there are none."""

    values: dict[str, str]
    problems: list[Problem] = field(default_factory=list)
    contact: Contact = field(default_factory=lambda: Contact(Identity()))
    page: StudyPage | None = None

    @property
    def wrong(self) -> dict[str, str | None]:
        """Give the problem of each field."""
        faults = wrong(self.problems)
        return {name: faults.get(name) for name in _FIELDS}


@bp.get("/refer/<code>")
@allow(PUBLIC)
def door(code: str) -> ResponseReturnValue:
    """Lead from the short address to the form in the browser's language."""
    return redirect(url_for(".form", language=languages.current(), code=code), 303)


@bp.get("/<any(en, es):language>/refer/<code>")
@allow(PUBLIC)
def form(language: str, code: str) -> ResponseReturnValue:
    """Show the form."""
    with context.reading() as session:
        _, studies = _open(session, code, language)
    if not studies:
        return render_template("public/refer_closed.html", language=language)
    return _page(studies, Note(dict.fromkeys(_FIELDS, "")), language, code, key=new_token())


@bp.post("/<any(en, es):language>/refer/<code>")
@allow(PUBLIC)
def send(language: str, code: str) -> ResponseReturnValue:
    """Take the patient in once; the first call has a clock from now on."""
    body = once.body_hash(request.form.to_dict(flat=False))
    key = request.form.get("key", "")[:200] or body.hex()
    location = url_for(".thanks", language=language, code=code)
    with context.transaction(reason="inquiry:doctor") as session:
        source, studies = _open(session, code, language)
        if once.replayed(session, "doctor", key, body) is not None:
            return redirect(location, 303)
        if not studies:
            return render_template("public/refer_closed.html", language=language)
        note = _read(studies)
        if note.problems:
            return _page(studies, note, language, code, key=key), 422
        if once.claim(session, "doctor", key, body, at=context.now()) is None:
            _take(session, source, note)
            once.settle(session, "doctor", key, location=location)
    return redirect(location, 303)


@bp.get("/<any(en, es):language>/refer/<code>/thank-you")
@allow(PUBLIC)
def thanks(language: str, code: str) -> ResponseReturnValue:
    """Say that the form has arrived and what follows."""
    with context.reading() as session:
        _source(session, code)
    return render_template("public/refer_thanks.html", code=code, language=language)


@bp.get("/<any(en, es):language>/refer/<code>/print")
@allow(PUBLIC)
def paper(language: str, code: str) -> ResponseReturnValue:
    """Show the form for paper."""
    with context.reading() as session:
        _, studies = _open(session, code, language)
    if not studies:
        return render_template("public/refer_closed.html", language=language)
    return render_template(
        "public/refer_print.html",
        studies=studies,
        statement=statement(),
        phone=phone_words(studies[0].phone),
        code=code,
        language=language,
    )


def statement() -> str:
    """Give what the doctor confirms."""
    return str(_("My patient agreed that I pass on this contact, and agreed to be called about the study."))


def _source(session: Session, code: str) -> SourceLink:
    source = drafts.live_source(session, code)
    if source is None or source.medium is not Medium.DOCTOR:
        raise NotFound("There is no such form.")
    return source


def _open(session: Session, code: str, language: str) -> tuple[SourceLink, list[StudyPage]]:
    """Find the link of a form and the studies that it can be for; none where nobody is looked for.

    :raises NotFound: there is no such link, or it was stopped
    """
    source = _source(session, code)
    if source.study_id is None:
        return source, pages.recruiting(session, language=language, at=context.now())
    study = found(session, Study, source.study_id)
    page = pages.study_page(session, study.slug, language=language, at=context.now())
    return source, [page] if page.places else []


def _read(studies: list[StudyPage]) -> Note:
    problems: list[Problem] = []
    values = {name: _line(name, problems) for name in _TYPED}
    chosen = {str(page.study.id): page for page in studies}
    for name, allowed in (
        ("best_time", BEST_TIMES),
        ("language", tuple(languages.LANGUAGES)),
        ("study", tuple(chosen)),
    ):
        given = request.form.get(name, "")
        values[name] = given if given in allowed else ""
    values["agreed"] = "yes" if request.form.get("agreed") == "yes" else ""
    page = studies[0] if len(studies) == 1 else chosen.get(values["study"])
    phone, country = _phone("phone", values, problems)
    _phone("clinician_phone", values, problems)
    if page is None:
        problems.append(Problem("study", _("Select the study")))
    if not values["agreed"]:
        problems.append(Problem("agreed", _("Confirm that your patient agreed to be contacted")))
    contact = Contact(
        identity=Identity(given=values["given"], family=values["family"]),
        phone=phone,
        phone_country=country,
        best_time=values["best_time"],
        language=values["language"] or languages.current(),
    )
    ordered = sorted(problems, key=lambda problem: _FIELDS.index(problem.field_id))
    return Note(values, ordered, contact, page)


def _line(name: str, problems: list[Problem]) -> str:
    needed = {
        "clinician": _("Enter your name"),
        "clinician_phone": _("Enter your phone number"),
        "given": _("Enter your patient's first name"),
        "phone": _("Enter your patient's phone number"),
    }
    try:
        value = clean_line(request.form.get(name, ""), limit=120)
    except Invalid as error:
        problems.append(Problem(name, said(error)))
        return ""
    if not value and name in _NEEDED:
        problems.append(Problem(name, str(needed[name])))
    return value


def _phone(name: str, values: dict[str, str], problems: list[Problem]) -> tuple[str, str]:
    country = context.settings().country
    if not values[name]:
        return "", country
    try:
        number = read_phone(values[name], country=country)
    except Invalid as error:
        problems.append(Problem(name, said(error)))
        return "", country
    return number.e164, number.country


def _take(session: Session, source: SourceLink, note: Note) -> None:
    page = note.page
    if page is None:
        raise Invalid("Select the study", field="study")
    values = note.values
    agreed = Consented(Purpose.CONTACT, ContactChannel.CALL, statement(), STATEMENT_VERSION)
    pipeline.inquire(
        session,
        page.study,
        note.contact,
        [agreed],
        channel=InquiryChannel.DOCTOR,
        at=context.now(),
        how="doctor_form",
        study_site_id=page.places[0].study_site.id,
        source_link_id=source.id,
        clinician=", ".join(
            v for v in (values["clinician"], values["practice"], values["clinician_phone"]) if v
        ),
        is_test=source.is_test or identity.account_id() is not None,
    )


def _page(studies: list[StudyPage], note: Note, language: str, code: str, *, key: str) -> str:
    return render_template(
        "public/refer.html",
        studies=studies,
        values=note.values,
        wrong=note.wrong,
        errors=note.problems,
        statement=statement(),
        key=key,
        code=code,
        language=language,
    )
