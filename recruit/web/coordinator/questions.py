"""A questionnaire version: what it asks, in which words, what keeps it from being published."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.errors import Invalid
from recruit.studies import defaults, editing, questions, reach, versions
from recruit.studies.defaults import Told
from recruit.studies.models import ProtocolVersion, QuestionnaireVersion, Study, VersionStatus
from recruit.vocabulary import terms, vocabulary_of
from recruit.web import fields
from recruit.web.coordinator import frame, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.frame import Failed
from recruit.web.coordinator.reading import Posted
from recruit.web.coordinator.version import chosen, study_id_of, to_change, to_read
from recruit.web.guards import allow
from screening.asking.conditions import All, AnyOf, AtLeast, Condition, Is, IsAbout, Not, OneOf
from screening.asking.items import fact_keys
from screening.asking.questionnaire import ConsentPurpose, Document, EarlierWords
from screening.language.protocol import read_protocol
from screening.texts import Respondent, Text
from screening.vocabulary import Vocabulary


@bp.get("/studies/<uuid:study_id>/questions", endpoint="questions")
@allow(Role.COORDINATOR, Role.AUDITOR)
def show_questions(study_id: UUID) -> ResponseReturnValue:
    """Show a version of the questionnaire, the newest unless another is asked for."""
    return page(study_id)


@bp.post("/studies/<uuid:study_id>/questions")
@allow(Role.COORDINATOR)
def draft_questions(study_id: UUID) -> ResponseReturnValue:
    """Begin a draft: proposed from the newest criteria, or a copy of the newest version."""
    posted = Posted()

    def work(session: Session) -> None:
        study = reach.study_to_change(session, study_id, frame.writing_scope())
        newest = next(iter(versions.versions_of(session, QuestionnaireVersion, study.id)), None)
        if posted.raw("from") == "copy" and newest is not None:
            document = Document.model_validate(newest.document)
        else:
            document = proposal(session, study)
        versions.draft_questionnaire(session, study.id, document, at=context.now())

    failed = frame.attempt(posted, work, reason="questionnaire:draft")
    return page(study_id, failed) if failed else _to(study_id, "drafted")


@bp.post("/questionnaire-versions/<uuid:version_id>/publish")
@allow(Role.COORDINATOR)
def publish_questions(version_id: UUID) -> ResponseReturnValue:
    """Publish a version: from now on no word of it changes."""
    posted = Posted()
    study_id = study_id_of(QuestionnaireVersion, version_id)

    def work(session: Session) -> None:
        to_change(session, QuestionnaireVersion, version_id)
        versions.publish_questionnaire(session, version_id, at=context.now())

    failed = frame.attempt(posted, work, reason="questionnaire:publish")
    return page(study_id, failed) if failed else _to(study_id, "published")


@bp.post("/questionnaire-versions/<uuid:version_id>/frame")
@allow(Role.COORDINATOR)
def save_frame(version_id: UUID) -> ResponseReturnValue:
    """Set languages, whom the questions may be about, their order, and which agreements are asked for."""
    posted = Posted()
    codes = posted.codes("languages")
    about = {one for one in Respondent if one.value in posted.many("respondents")}
    asked = {one for one in ConsentPurpose if one.value in posted.many("consents")}
    is_chosen = "adaptive" in posted.many("order")
    study_id = study_id_of(QuestionnaireVersion, version_id)

    def work(session: Session) -> None:
        version, study = to_change(session, QuestionnaireVersion, version_id)
        document = Document.model_validate(version.document)
        try:
            document = editing.with_languages(document, codes)
            document = editing.with_respondents(document, about)
            document = editing.with_order(document, is_chosen=is_chosen)
        except ValueError:
            raise Invalid(
                _("Choose at least one language, such as en, and whom the questions are about."),
                field="languages",
            ) from None
        document = _with_consents(document, asked, told_of(study, document.languages))
        versions.save_questionnaire(session, version.id, document, seen=posted.seen())

    failed = frame.attempt(posted, work, reason="questionnaire:frame")
    return page(study_id, failed) if failed else _to(study_id, "saved")


@bp.get("/questionnaire-versions/<uuid:version_id>/pages")
@allow(Role.COORDINATOR, Role.AUDITOR)
def pages(version_id: UUID) -> ResponseReturnValue:
    """Show the words around the questions: notice, results, agreements."""
    return _pages_page(version_id)


@bp.post("/questionnaire-versions/<uuid:version_id>/pages")
@allow(Role.COORDINATOR)
def save_pages(version_id: UUID) -> ResponseReturnValue:
    """Change the words around the questions; an agreement with new words gets a new version number."""
    posted = Posted()
    with context.reading() as session:
        document = Document.model_validate(to_read(session, QuestionnaireVersion, version_id)[0].document)
    said = {
        place: posted.words_at(place, document.languages, (Respondent.SELF,))
        for place, _text in editing.page_places(document)
    }

    ruled = {
        one.purpose.value: EarlierWords(chosen)
        for one in document.consents
        if (chosen := posted.raw(f"earlier.{one.purpose.value}")) in {rule.value for rule in EarlierWords}
    }

    def work(session: Session) -> None:
        version, study = to_change(session, QuestionnaireVersion, version_id)
        changed = editing.with_page_words(Document.model_validate(version.document), said)
        changed = editing.with_earlier(changed, ruled)
        published = versions.newest_published(session, QuestionnaireVersion, study.id)
        before = Document.model_validate(published.document) if published else None
        versions.save_questionnaire(
            session, version.id, editing.counted_consents(changed, before), seen=posted.seen()
        )

    failed = frame.attempt(posted, work, reason="questionnaire:pages")
    if failed:
        return _pages_page(version_id, failed)
    return redirect(url_for("studies.pages", version_id=version_id, done="saved"), 303)


def proposal(session: Session, study: Study) -> Document:
    """Draft the questions that the newest criteria ask for.

    :raises Invalid: there are no criteria yet, or none that a participant can answer
    """
    newest = next(iter(versions.versions_of(session, ProtocolVersion, study.id)), None)
    if newest is None:
        raise Invalid(_("Write the criteria first: the questions are drawn from them."))
    told = told_of(study, questions.languages_of(study.icf_languages))
    try:
        return questions.propose(
            read_protocol(newest.document),
            told,
            vocabulary=vocabulary_of(session, study.id),
            terms=terms(),
        )
    except ValueError:
        raise Invalid(
            _("No criterion has a rule that a participant can answer. Confirm some criteria first.")
        ) from None


def told_of(study: Study, languages: tuple[str, ...]) -> Told:
    """Give what the default words need to know about a study."""
    return Told(
        operator=context.settings().operator_name,
        names=study.neutral_names,
        languages=languages,
        screened_out_days=study.screened_out_days,
        registry=study.registry_allowed,
    )


def said_condition(condition: Condition | None) -> str:
    """Say in words when a question is asked; nothing where it always is."""
    match condition:
        case None:
            return ""
        case Is():
            return str(_("%(item)s is %(answer)s", item=condition.item, answer=condition.code))
        case OneOf():
            answers = ", ".join(condition.codes)
            return str(_("%(item)s is one of %(answers)s", item=condition.item, answers=answers))
        case AtLeast():
            least = f"{condition.value} {condition.unit or ''}".strip()
            return str(_("%(item)s is at least %(least)s", item=condition.item, least=least))
        case IsAbout():
            about = ", ".join(words.label(one) for one in condition.respondents)
            return str(_("the questions are about: %(about)s", about=about))
        case Not():
            return str(_("not (%(inner)s)", inner=said_condition(condition.of)))
        case All():
            return f" {_('and')} ".join(said_condition(one) for one in condition.of)
        case AnyOf():
            return f" {_('or')} ".join(said_condition(one) for one in condition.of)


def _with_consents(document: Document, asked: set[ConsentPurpose], told: Told) -> Document:
    held = {one.purpose for one in document.consents}
    for purpose in held - asked:
        document = editing.without_consent(document, purpose.value)
    for purpose in ConsentPurpose:
        if purpose in asked - held:
            document = editing.with_consent(document, defaults.consent(told, purpose))
    return document


def _rows(document: Document) -> list[dict[str, object]]:
    return [
        {
            "item": item,
            "number": place,
            "first": place == 1,
            "last": place == len(document.items),
            "keys": fact_keys(item),
            "condition": said_condition(item.show_if),
            "section": title.say("en") if (title := document.section_title(item)) else "",
            "said": [
                {"language": code, "text": item.text.say(code) if item.text.has(code) else ""}
                for code in document.languages
            ],
        }
        for place, item in enumerate(document.items, start=1)
    ]


def _may_add(document: Document, vocabulary: Vocabulary) -> list[dict[str, str]]:
    asked = {key for item in document.items for key in fact_keys(item)}
    return [
        {"value": key.name, "text": f"{key.text('label', 'en')} ({key.name})"}
        for key in vocabulary
        if key.participant_can_tell and key.computed is None and key.name not in asked
    ]


def page(study_id: UUID, failed: Failed | None = None) -> ResponseReturnValue:
    """Show the version asked for by number, else the newest."""
    with context.reading() as session:
        study = reach.study_to_read(session, study_id, frame.reading_scope())
        rows = list(versions.versions_of(session, QuestionnaireVersion, study.id))
        version = chosen(rows)
        parts: dict[str, object] = {"version": version, "rows": rows}
        values: dict[str, object] = {}
        if version is not None:
            document = Document.model_validate(version.document)
            parts |= {
                "document": document,
                "listed": _rows(document),
                "gaps": [fields.worded(gap) for gap in versions.questionnaire_gaps(session, version)],
                "warnings": [fields.worded(one) for one in versions.questionnaire_warnings(session, version)],
                "hashes": versions.language_hashes(version),
                "addable": _may_add(document, vocabulary_of(session, study.id)),
            }
            values = {
                "languages": ", ".join(document.languages),
                "respondents": [one.value for one in document.respondents],
                "consents": [one.purpose.value for one in document.consents],
                "order": [document.order],
            }
        has_criteria = bool(versions.versions_of(session, ProtocolVersion, study.id))
    return frame.page(
        "studies/questions.html",
        failed=failed,
        values=values,
        words=words,
        respondents=words.options(Respondent),
        consents=words.options(
            one
            for one in ConsentPurpose
            if one not in (ConsentPurpose.PARTNER_SITE, ConsentPurpose.CALL_RECORDING)
        ),
        has_criteria=has_criteria,
        is_draft=version is not None and version.status is VersionStatus.DRAFT,
        parts={**parts, **frame.study_parts(study, "questions")},
    )


def _pages_page(version_id: UUID, failed: Failed | None = None) -> ResponseReturnValue:
    with context.reading() as session:
        version, study = to_read(session, QuestionnaireVersion, version_id)
        published = versions.newest_published(session, QuestionnaireVersion, study.id)
    document = Document.model_validate(version.document)
    asked_before = Document.model_validate(published.document).consents if published is not None else ()
    places = list(editing.page_places(document))
    return frame.page(
        "studies/pages.html",
        failed=failed,
        values=word_values(places, document.languages, (Respondent.SELF,))
        | {f"earlier.{one.purpose.value}": one.earlier.value for one in document.consents},
        earlier=words.options(EarlierWords),
        asked_before={f"consents.{one.purpose.value}": one.purpose.value for one in asked_before},
        version=version,
        document=document,
        places=[place for place, _text in places],
        words=words,
        is_draft=version.status is VersionStatus.DRAFT,
        parts=frame.study_parts(study, "questions"),
    )


def word_values(
    places: list[tuple[str, Text | None]], languages: tuple[str, ...], respondents: tuple[Respondent, ...]
) -> dict[str, object]:
    """Give the words of places as the values of a form."""
    return {
        f"t.{place}.{language}.{who.value}": (
            text.say(language, who) if text is not None and text.has(language, who) else ""
        )
        for place, text in places
        for language in languages
        for who in respondents
    }


def _to(study_id: UUID, done: str) -> ResponseReturnValue:
    return redirect(url_for("studies.questions", study_id=study_id, done=done), 303)
