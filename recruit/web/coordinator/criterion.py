"""One criterion of a draft: its rule in the notation, its plain words, and who can tell."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.errors import Invalid
from recruit.studies import versions
from recruit.studies.models import Cohort, ProtocolVersion, VersionStatus
from recruit.vocabulary import terms, vocabulary_of
from recruit.web import fields, languages
from recruit.web.coordinator import frame, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.criteria import state_of, tellers_of
from recruit.web.coordinator.frame import Failed
from recruit.web.coordinator.reading import Posted
from recruit.web.coordinator.ruleframe import criterion_of
from recruit.web.coordinator.version import to_change, to_read
from recruit.web.guards import allow
from screening.editor.sentences import Telling
from screening.errors import NotationError
from screening.language.criteria import Node, Note, SiteOnly
from screening.language.notation import write_rule
from screening.language.protocol import Cohort as ProtocolCohort
from screening.language.protocol import Criterion, CriterionKind, read_protocol
from screening.language.questions import Resolver
from screening.vocabulary import Answerer, Key, KeyKind, Vocabulary

_LONGEST = 20_000


@bp.get("/protocol-versions/<uuid:version_id>/criteria/<criterion_id>")
@allow(Role.COORDINATOR, Role.AUDITOR)
def criterion(version_id: UUID, criterion_id: str) -> ResponseReturnValue:
    """Show one criterion as a form."""
    return _page(version_id, criterion_id)


@bp.post("/protocol-versions/<uuid:version_id>/criteria/<criterion_id>")
@allow(Role.COORDINATOR)
def save_criterion(version_id: UUID, criterion_id: str) -> ResponseReturnValue:
    """Change one criterion; a slip in the notation comes back with line and column."""
    posted = Posted()
    slips: dict[str, NotationError] = {}
    changes: dict[str, object] = {
        "text": posted.text("text", longest=_LONGEST, lines=True),
        "number": posted.text("number", longest=20),
        "kind": posted.choice("kind", CriterionKind) or CriterionKind.INCLUSION,
        "evidence": posted.choice("evidence", Answerer) if posted.raw("evidence") else None,
        "cohorts": tuple(posted.many("cohorts")),
        "wording": _wording(posted),
    }
    if not changes["text"] and not posted.problems:
        posted.fail("text", _("Write the criterion's text as the protocol has it."))

    def work(session: Session) -> None:
        version, study = to_change(session, ProtocolVersion, version_id)
        for name in ("rule", "unless"):
            changes[name] = _rule(session, study.id, posted, name, slips)
        if slips:
            raise Invalid("The rule cannot be read. See the place below it.", field=next(iter(slips)))
        versions.save_criterion(
            session,
            version.id,
            criterion_id,
            changes,
            seen=posted.seen(),
            cohorts=tuple(ProtocolCohort(id=one.code, name=one.name) for one in _cohorts(session, study.id)),
        )

    failed = frame.attempt(posted, work, reason="criterion:edit")
    if failed:
        return _page(version_id, criterion_id, failed, slips)
    return _onwards(version_id, criterion_id, go_on=posted.raw("then") == "next")


@bp.post("/protocol-versions/<uuid:version_id>/criteria/<criterion_id>/confirm")
@allow(Role.COORDINATOR)
def confirm_criterion(version_id: UUID, criterion_id: str) -> ResponseReturnValue:
    """Decide that a text is for the site to check, is a note, or is text again."""
    posted = Posted()
    made = {"site": SiteOnly, "note": Note}
    decision = posted.raw("decision")

    def work(session: Session) -> None:
        version, _study = to_change(session, ProtocolVersion, version_id)
        found = criterion_of(read_protocol(version.document), criterion_id)
        if decision not in (*made, "text"):
            raise Invalid("Select one from the list.", field="decision")
        rule = made[decision](text=found.text) if decision in made else None
        versions.save_criterion(session, version.id, criterion_id, {"rule": rule})

    failed = frame.attempt(posted, work, reason="criterion:confirm")
    if failed:
        return _page(version_id, criterion_id, failed)
    in_editor = posted.raw("page") == "rule"
    return _onwards(version_id, criterion_id, go_on=posted.raw("then") == "next", in_editor=in_editor)


@bp.post("/protocol-versions/<uuid:version_id>/criteria/<criterion_id>/remove")
@allow(Role.COORDINATOR)
def remove_criterion(version_id: UUID, criterion_id: str) -> ResponseReturnValue:
    """Take a criterion out of a draft."""
    posted = Posted()

    def work(session: Session) -> None:
        version, _study = to_change(session, ProtocolVersion, version_id)
        versions.remove_criterion(session, version.id, criterion_id)

    failed = frame.attempt(posted, work, reason="criterion:remove")
    if failed:
        return _page(version_id, criterion_id, failed)
    return _to_list(version_id, "removed")


def _wording(posted: Posted) -> dict[str, str]:
    said = {code: posted.text(f"wording_{code}", longest=4_000, lines=True) for code in words.LANGUAGES}
    return {code: text for code, text in said.items() if text}


def _rule(
    session: Session, study_id: UUID, posted: Posted, name: str, slips: dict[str, NotationError]
) -> Node | None:
    notation = posted.text(name, longest=_LONGEST, lines=True)
    if not notation:
        return None
    try:
        return versions.read_rule(session, study_id, notation)
    except NotationError as slip:
        slips[name] = slip
        return None


def _cohorts(session: Session, study_id: UUID) -> list[Cohort]:
    return list(session.scalars(sa.select(Cohort).where(Cohort.study_id == study_id).order_by(Cohort.code)))


def _values(criterion: Criterion) -> dict[str, object]:
    values: dict[str, object] = {
        "text": criterion.text,
        "number": criterion.number,
        "kind": criterion.kind.value,
        "evidence": criterion.evidence.value if criterion.evidence else "",
        "rule": write_rule(criterion.rule) if criterion.rule is not None else "",
        "unless": write_rule(criterion.unless) if criterion.unless is not None else "",
        "cohorts": criterion.cohorts,
    }
    return values | {f"wording_{code}": criterion.wording.get(code, "") for code in words.LANGUAGES}


def _page(
    version_id: UUID,
    criterion_id: str,
    failed: Failed | None = None,
    slips: dict[str, NotationError] | None = None,
) -> ResponseReturnValue:
    with context.reading() as session:
        version, study = to_read(session, ProtocolVersion, version_id)
        found = criterion_of(read_protocol(version.document), criterion_id)
        vocabulary = vocabulary_of(session, study.id)
        cohorts = _cohorts(session, study.id)
        everything = read_protocol(version.document).criteria
    place = next(at for at, one in enumerate(everything) if one.id == criterion_id)
    return frame.page(
        "studies/criterion.html",
        failed=failed,
        values=_values(found),
        version=version,
        criterion=found,
        state=state_of(found),
        sentence=_sentence(found, vocabulary),
        tellers=tellers_of(found, Resolver(vocabulary, terms())),
        previous=everything[place - 1] if place else None,
        following=everything[place + 1] if place + 1 < len(everything) else None,
        left=sum(state_of(one) == "text" for one in everything),
        slips={name: [_slip(slip)] for name, slip in (slips or {}).items()},
        keys=_keys(vocabulary),
        cohorts=[{"value": one.code, "text": one.name} for one in cohorts],
        kinds=words.options(CriterionKind),
        answerers=words.options(Answerer, blank=str(_("Whoever the vocabulary says"))),
        words=words,
        is_draft=version.status is VersionStatus.DRAFT,
        parts=frame.study_parts(study, "criteria"),
    )


def _sentence(criterion: Criterion, vocabulary: Vocabulary) -> str:
    if criterion.rule is None:
        return ""
    telling = Telling.of(vocabulary, language=languages.current(), say=_)
    return f"{telling.criterion(criterion.rule, criterion.unless)}."


def _slip(slip: NotationError) -> dict[str, object]:
    hint = " " + _("Did you mean %(word)s?", word=slip.suggestion) if slip.suggestion else ""
    return {"line": slip.line, "column": slip.column, "text": f"{fields.worded(slip.saying)}{hint}"}


def _keys(vocabulary: Vocabulary) -> list[dict[str, str]]:
    """List what a rule can speak of, with an example in the notation."""
    return [
        {"name": key.name, "label": key.text("label", languages.current()), "example": example(key)}
        for key in vocabulary
    ]


def example(key: Key) -> str:
    """Give a short rule about a key, to be copied and changed."""
    match key.kind:
        case KeyKind.FLAG:
            return f"{key.name} is yes"
        case KeyKind.CHOICE:
            return f"{key.name} is {key.codes[0]}"
        case KeyKind.DATE:
            return "age >= 18 years" if key.name == "birth" else f"{key.name} within 6 months before today"
        case KeyKind.QUANTITY:
            return f"{key.name} >= {key.usual.lo if key.usual else 1} {key.unit}"
        case KeyKind.CODED:
            about = key.about.value if key.about else "condition"
            return f"{about} in ({', '.join(key.denies[:2])})"


def _onwards(
    version_id: UUID, criterion_id: str, *, go_on: bool, in_editor: bool = False
) -> ResponseReturnValue:
    """Go back to the list, or on to the next criterion that is still text, around the end where need be."""
    if not go_on:
        return _to_list(version_id, "saved", criterion_id)
    with context.reading() as session:
        version, _study = to_read(session, ProtocolVersion, version_id)
    everything = read_protocol(version.document).criteria
    place = next((at for at, one in enumerate(everything) if one.id == criterion_id), 0)
    waiting = [one for one in (*everything[place + 1 :], *everything[:place]) if state_of(one) == "text"]
    if not waiting:
        return _to_list(version_id, "all_confirmed")
    page = "studies.rule" if in_editor else "studies.criterion"
    where = url_for(page, version_id=version_id, criterion_id=waiting[0].id, done="saved")
    return redirect(where, 303)


def _to_list(version_id: UUID, done: str, anchor: str = "") -> ResponseReturnValue:
    with context.reading() as session:
        version, study = to_read(session, ProtocolVersion, version_id)
    where = url_for(
        "studies.criteria",
        study_id=study.id,
        version=version.number,
        done=done,
        _anchor=f"c-{anchor}" if anchor else None,
    )
    return redirect(where, 303)
