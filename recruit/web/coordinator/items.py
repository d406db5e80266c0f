"""One question of a draft: its words in every language side by side, and how it will look."""

from __future__ import annotations

import re
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.errors import Invalid, NotFound
from recruit.studies import editing, versions
from recruit.studies.models import QuestionnaireVersion, Study, VersionStatus
from recruit.studies.questions import Drafting, item_id
from recruit.vocabulary import terms, vocabulary_of
from recruit.web import itempage, languages
from recruit.web.coordinator import frame, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.frame import Failed
from recruit.web.coordinator.questions import (
    page,
    said_condition,
    told_of,
    word_values,
)
from recruit.web.coordinator.reading import Posted
from recruit.web.coordinator.version import study_id_of, to_change, to_read
from recruit.web.guards import allow
from screening.asking.items import Item, ShortText, StatementPage, Zip, fact_keys
from screening.asking.questionnaire import Document
from screening.asking.wording import Hint, forbidden_phrases, reading_hints
from screening.texts import Respondent, Text


@bp.get("/questionnaire-versions/<uuid:version_id>/items/<item_name>")
@allow(Role.COORDINATOR, Role.AUDITOR)
def item(version_id: UUID, item_name: str) -> ResponseReturnValue:
    """Show one question as a form, with a preview."""
    return _page(version_id, item_name)


@bp.post("/questionnaire-versions/<uuid:version_id>/items/<item_name>")
@allow(Role.COORDINATOR)
def save_item(version_id: UUID, item_name: str) -> ResponseReturnValue:
    """Change the words of a question and whether it may be left open."""
    posted = Posted()
    with context.reading() as session:
        document = Document.model_validate(to_read(session, QuestionnaireVersion, version_id)[0].document)
    places = [place for place, _text in editing.item_places(_item(document, item_name))]
    said = {place: posted.words_at(place, document.languages, document.respondents) for place in places}
    open_ended = {name: posted.flag(name) for name in ("allow_unknown", "allow_decline")}

    def work(session: Session) -> None:
        version, _study = to_change(session, QuestionnaireVersion, version_id)
        current = Document.model_validate(version.document)
        changed = editing.with_item_words(_item(current, item_name), said).model_copy(update=open_ended)
        versions.save_questionnaire(
            session, version.id, editing.with_item(current, changed), seen=posted.seen()
        )

    failed = frame.attempt(posted, work, reason="question:edit")
    if failed:
        return _page(version_id, item_name, failed)
    return redirect(url_for("studies.item", version_id=version_id, item_name=item_name, done="saved"), 303)


@bp.post("/questionnaire-versions/<uuid:version_id>/items/<item_name>/move")
@allow(Role.COORDINATOR)
def move_item(version_id: UUID, item_name: str) -> ResponseReturnValue:
    """Put a question one place higher or lower, or take it out."""
    posted = Posted()
    way = posted.raw("way")
    study_id = study_id_of(QuestionnaireVersion, version_id)

    def work(session: Session) -> None:
        version, _study = to_change(session, QuestionnaireVersion, version_id)
        document = Document.model_validate(version.document)
        _item(document, item_name)
        if way in ("up", "down"):
            document = editing.moved(document, item_name, "up" if way == "up" else "down")
        elif way == "out":
            document = _without(document, item_name)
        else:
            raise Invalid(_("Select one from the list."))
        versions.save_questionnaire(session, version.id, document)

    failed = frame.attempt(posted, work, reason="question:move")
    if failed:
        return page(study_id, failed)
    anchor = f"q-{item_name}" if way != "out" else "items"
    return redirect(url_for("studies.questions", study_id=study_id, done="moved", _anchor=anchor), 303)


@bp.post("/questionnaire-versions/<uuid:version_id>/items")
@allow(Role.COORDINATOR)
def add_item(version_id: UUID) -> ResponseReturnValue:
    """Add a question: about a fact of the vocabulary, a ZIP code, a few words, or a page to read."""
    posted = Posted()
    what = posted.text("what", longest=80)
    study_id = study_id_of(QuestionnaireVersion, version_id)
    made: list[str] = []

    def work(session: Session) -> None:
        version, study = to_change(session, QuestionnaireVersion, version_id)
        document = Document.model_validate(version.document)
        added = _new_item(session, study, document, what)
        versions.save_questionnaire(session, version.id, editing.with_added(document, added))
        made.append(added.id)

    failed = frame.attempt(posted, work, reason="question:add")
    if failed:
        return page(study_id, failed)
    return redirect(url_for("studies.item", version_id=version_id, item_name=made[0], done="added"), 303)


@bp.get("/questionnaire-versions/<uuid:version_id>/items/<item_name>/preview")
@allow(Role.COORDINATOR, Role.AUDITOR)
def preview_item(version_id: UUID, item_name: str) -> ResponseReturnValue:
    """Show a question as a participant will see it; nothing can be sent from here."""
    with context.reading() as session:
        version, study = to_read(session, QuestionnaireVersion, version_id)
    document = Document.model_validate(version.document)
    found = _item(document, item_name)
    language = request.args.get("language", document.languages[0])
    if language not in document.languages:
        raise NotFound("There is no such language.")
    return frame.page(
        "studies/preview.html",
        preview=_preview(found, document, language, heading=True),
        version=version,
        study=study,
        item=found,
        document=document,
        language=language,
        words=words,
    )


def _without(document: Document, item_name: str) -> Document:
    try:
        return editing.without_item(document, item_name)
    except ValueError:
        raise Invalid(_("A questionnaire needs at least one question.")) from None


def _new_item(session: Session, study: Study, document: Document, what: str) -> Item:
    vocabulary = vocabulary_of(session, study.id)
    told = told_of(study, document.languages)
    taken = {one.id for one in document.items}
    plain: dict[str, Item] = {
        "+zip": Zip(
            id=_free("zip", taken),
            text=told.text("What is your ZIP code?", "¿Cuál es su código postal?"),
            hint=told.text(
                "We use it to find a clinic near you.", "Lo usamos para buscar una clínica cercana."
            ),
        ),
        "+words": ShortText(
            id=_free("words", taken),
            text=told.text(
                "Is there anything else you would like to tell the study team?",
                "¿Hay algo más que quiera decir al equipo del estudio?",
            ),
            allow_decline=True,
        ),
        "+page": StatementPage(id=_free("page", taken), text=told.text("Please read", "Por favor lea")),
    }
    if what in plain:
        return plain[what]
    key = vocabulary.get(what)
    if key is None or not key.participant_can_tell or key.computed is not None:
        raise Invalid(_("Select one from the list."), field="what")
    asked = frozenset(name for one in document.items for name in fact_keys(one))
    drafted = Drafting(told, vocabulary, terms(), asked | {key.name}).question(key)
    known = {section.id for section in document.sections}
    section = drafted.section if drafted.section in known else None
    return drafted.model_copy(update={"id": _free(item_id(key.name), taken), "section": section})


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name[:58]}_{number}"
    return free


def _item(document: Document, item_name: str) -> Item:
    found = document.item(item_name)
    if found is None:
        raise NotFound("This version has no such question.")
    return found


def _preview(found: Item, document: Document, language: str, *, heading: bool = False) -> Markup:
    """Render a question in its own language; the ids of a preview never meet those of the page around it."""
    tongue = language if language in languages.LANGUAGES else languages.DEFAULT
    with force_locale(tongue):
        body = render_template(
            "studies/preview_fields.html",
            page=itempage.page_of(found, document, language=language, respondent=document.respondents[0]),
            ago_units=itempage.ago_units(),
            heading=heading,
        )
    return Markup(_IDS.sub(rf'\1="{language}-', body))  # noqa: S704 - rendered by our own template


_IDS = re.compile(r'\b(id|for|name|aria-describedby)="')
_HINTS = {
    Hint.LONG_SENTENCE: "A sentence has more than 15 words.",
    Hint.HIGH_GRADE: "This may be hard to read. Try shorter words.",
    Hint.TWO_NEGATIVES: "Two negatives in one sentence.",
}


def advice(text: Text | None, languages: tuple[str, ...]) -> list[str]:
    """Give reasons to look at a text again: forbidden phrases, and what makes it hard to read."""
    told: dict[str, None] = {}
    for code, _who, said in text.wordings() if text is not None else ():
        if code not in languages:
            continue
        for phrase in forbidden_phrases(said, code):
            told[_("%(language)s: do not say “%(phrase)s”.", language=words.language(code), phrase=phrase)] = (
                None
            )
        for hint in reading_hints(said, code):
            told[f"{words.language(code)}: {_HINTS[hint]}"] = None
    return list(told)


def _page(version_id: UUID, item_name: str, failed: Failed | None = None) -> ResponseReturnValue:
    with context.reading() as session:
        version, study = to_read(session, QuestionnaireVersion, version_id)
    document = Document.model_validate(version.document)
    found = _item(document, item_name)
    places = list(editing.item_places(found))
    at = [one.id for one in document.items].index(item_name)
    values = word_values(places, document.languages, document.respondents) | {
        name: "yes" if getattr(found, name) else "" for name in ("allow_unknown", "allow_decline")
    }
    return frame.page(
        "studies/item.html",
        failed=failed,
        values=values,
        version=version,
        document=document,
        item=found,
        number=at + 1,
        previous=document.items[at - 1].id if at else None,
        following=document.items[at + 1].id if at + 1 < len(document.items) else None,
        places=[
            {
                "name": name,
                "advice": advice(text, document.languages),
                "is_hint": name.startswith("options.") and name.endswith(".hint"),
            }
            for name, text in places
        ],
        previews=[(code, _preview(found, document, code)) for code in document.languages],
        condition=said_condition(found.show_if),
        keys=fact_keys(found),
        respondents=[Respondent(one) for one in document.respondents],
        words=words,
        is_draft=version.status is VersionStatus.DRAFT,
        parts=frame.study_parts(study, "questions"),
    )
