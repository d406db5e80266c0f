"""How many of the pool a version of the criteria leaves, and what another limit would bring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.errors import Invalid, NotFound
from recruit.matching import poolcounts
from recruit.matching.figures import MILES, USUAL_MILES, Asked, Bounds, Counted, Figure, Taken, Why
from recruit.matching.models import FeasibilityCount
from recruit.studies import overview, reach, reading, versions
from recruit.studies.models import ProtocolVersion, Site, StudySite
from recruit.web import fields
from recruit.web.coordinator import frame, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.frame import Failed
from recruit.web.coordinator.reading import Posted
from recruit.web.coordinator.rulepool import UNKNOWN_FACT
from recruit.web.coordinator.version import chosen, study_id_of, to_change
from recruit.web.guards import allow
from screening.errors import NotationError, UnknownKey
from screening.floor import FLOOR
from screening.language.criteria import Age, Number
from screening.language.notation import write_rule
from screening.language.protocol import Criterion, Protocol
from screening.language.tree import walk

_LONGEST: Final = 8_000


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the picture: how much of its length is sure, and how much is possible; none where hidden."""

    label: str
    bounds: Bounds
    least: float | None
    most: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """What one criterion takes, with its words."""

    number: str
    text: str
    here: Figure
    left: Bounds
    alone: Bounds
    only: Bounds
    try_url: str | None


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One site: how many live near it, and how many of them are left."""

    name: str
    people: Bounds
    left: Bounds


@bp.get("/studies/<uuid:study_id>/feasibility")
@allow(Role.COORDINATOR, Role.AUDITOR)
def feasibility(study_id: UUID) -> ResponseReturnValue:
    """Show what was counted last for a version of the criteria, and the form to count anew."""
    return _page(study_id)


@bp.post("/protocol-versions/<uuid:version_id>/feasibility")
@allow(Role.COORDINATOR)
def count_feasibility(version_id: UUID) -> ResponseReturnValue:
    """Count a version of the criteria over the pool, with one criterion read otherwise where that is asked."""
    posted = Posted()
    study_id_of(ProtocolVersion, version_id)
    with context.reading() as session:
        version, study = to_change(session, ProtocolVersion, version_id)
    slips: list[NotationError] = []
    made: list[UUID] = []
    failed = _count(posted, version_id, made, slips)
    if failed:
        return _page(study.id, version_id=version_id, failed=failed, slips=slips)
    where = url_for(
        "studies.feasibility",
        study_id=study.id,
        version=version.number,
        count=made[0],
        _anchor="counted",
    )
    return redirect(where, 303)


def _count(posted: Posted, version_id: UUID, made: list[UUID], slips: list[NotationError]) -> Failed | None:
    from recruit.matching import feasibility as pooled  # here for the start: few requests count over a pool

    asked = _asked(posted)
    if posted.problems:
        return Failed(tuple(posted.problems), 422)
    try:
        laid = pooled.lay(context.database(), version_id, asked, at=context.now())
    except NotationError as slip:
        slips.append(slip)
        posted.fail("rule", _("The rule cannot be read. See the place below it."))
    except UnknownKey:
        posted.fail("", str(UNKNOWN_FACT))
    except Invalid as error:
        posted.problems.extend(fields.problems(error))

    def work(session: Session) -> None:
        to_change(session, ProtocolVersion, version_id)
        made.append(pooled.keep(session, laid, at=context.now()).id)

    return frame.attempt(posted, work, reason="study:count_feasibility")


def _asked(posted: Posted) -> Asked:
    criterion = posted.text("criterion", longest=80)
    rule = posted.text("rule", longest=_LONGEST, lines=True) if criterion else ""
    if criterion and not rule and not posted.problems:
        posted.fail("rule", _("Write the rule as it would read."))
    return Asked(
        miles=posted.number("miles") or USUAL_MILES,
        study_site_id=posted.key("site"),
        cohort=posted.text("cohort", longest=80),
        criterion=criterion,
        rule=rule,
    )


def _page(
    study_id: UUID,
    *,
    version_id: UUID | None = None,
    failed: Failed | None = None,
    slips: Sequence[NotationError] = (),
) -> ResponseReturnValue:
    with context.reading() as session:
        study = reach.study_to_read(session, study_id, frame.reading_scope())
        rows = list(versions.versions_of(session, ProtocolVersion, study.id))
        version = _version(rows, version_id)
        places = overview.sites_of(session, study.id, frame.reading_scope())
        counts = poolcounts.counts_of(session, version.id) if version else []
        shown = _shown(session, version, counts) if version else None
    parts = frame.study_parts(study, "feasibility")
    protocol = reading.protocol_of(version) if version else Protocol()
    trial = _trial(protocol, shown)
    return frame.page(
        "studies/feasibility.html",
        failed=failed,
        values=_values(protocol, shown, trial),
        words=words,
        version=version,
        rows=rows,
        counts=[(row, _place_of(row, places)) for row in counts],
        row=shown,
        asked=Asked.from_json(shown.asked) if shown is not None else None,
        place=_place_of(shown, places) if shown else "",
        is_stale=shown is not None and version is not None and shown.sha256 != version.sha256,
        **_numbers(protocol, shown, places, may_try=bool(parts["may_change"])),
        trial=trial,
        slips=[_slip(slip) for slip in slips],
        options=_options(protocol, places),
        floor=FLOOR,
        parts=parts,
    )


def _version(rows: Sequence[ProtocolVersion], version_id: UUID | None) -> ProtocolVersion | None:
    return chosen(rows) if version_id is None else next(row for row in rows if row.id == version_id)


def _shown(
    session: Session, version: ProtocolVersion, counts: Sequence[FeasibilityCount]
) -> FeasibilityCount | None:
    """Choose the count that the address asks for, else the newest."""
    key = request.args.get("count", "")
    if not key:
        return counts[0] if counts else None
    try:
        return poolcounts.count_of(session, version.id, UUID(key))
    except ValueError:
        raise NotFound("There is no such count.") from None


def _trial(protocol: Protocol, shown: FeasibilityCount | None) -> Criterion | None:
    """Give the criterion that is to be tried with another rule, as the form or the address names it."""
    asked = Asked.from_json(shown.asked).criterion if shown is not None else ""
    wanted = request.form.get("criterion") or request.args.get("try") or asked
    return next((one for one in protocol.criteria if one.id == wanted and one.rule is not None), None)


def _values(protocol: Protocol, shown: FeasibilityCount | None, trial: Criterion | None) -> dict[str, object]:
    asked = Asked.from_json(shown.asked) if shown is not None else Asked(cohort=_first_cohort(protocol))
    is_again = trial is not None and asked.criterion == trial.id
    return {
        "miles": asked.miles,
        "site": asked.study_site_id or "",
        "cohort": asked.cohort,
        "rule": asked.rule if is_again else _rule(trial),
    }


def _first_cohort(protocol: Protocol) -> str:
    return protocol.cohorts[0].id if protocol.cohorts else ""


def _options(protocol: Protocol, places: Sequence[tuple[StudySite, Site]]) -> dict[str, list[words.Choice]]:
    whole = words.Choice(value="", text=_("Everybody in the pool"))
    near = [words.Choice(value=str(row.id), text=_("Near %(site)s", site=site.name)) for row, site in places]
    shared = words.Choice(value="", text=_("Only what holds for all cohorts"))
    return {
        "site": [whole, *near],
        "miles": [words.Choice(value=str(one), text=_("%(number)s miles", number=one)) for one in MILES],
        "cohort": [*(words.Choice(value=one.id, text=one.name) for one in protocol.cohorts), shared]
        if protocol.cohorts
        else [],
    }


def _numbers(
    protocol: Protocol,
    shown: FeasibilityCount | None,
    places: Sequence[tuple[StudySite, Site]],
    *,
    may_try: bool,
) -> dict[str, object]:
    """Prepare the picture and the tables of a count; nothing before there is one."""
    if shown is None:
        return {"counted": None, "hides": False, "bars": [], "taken": [], "sites": [], "tried": None}
    counted = Counted.from_json(shown.result)
    names = {row.id: site.name for row, site in places}
    known = {one.id: one for one in protocol.criteria}
    return {
        "counted": counted,
        "hides": any(one.hidden is Why.TOO_NEAR for one in counted.figures),
        "bars": list(_bars(counted, known)),
        "taken": [_row(shown, one, known, may_try=may_try) for one in counted.taken],
        "sites": [
            SiteRow(names[one.study_site_id], one.people, one.left)
            for one in counted.sites
            if one.study_site_id in names
        ],
        "tried": counted.tried,
        "tried_before": _rule(known.get(counted.tried.criterion)) if counted.tried else "",
    }


def _bars(counted: Counted, known: dict[str, Criterion]) -> Iterator[Bar]:
    """Draw what is left after each criterion in order, each bar as a share of the whole pool.

    A step of which neither number may be shown, or whose numbers are those of the step before, has no bar.
    """
    whole = counted.pool.number
    steps = [(str(_("The pool")), Bounds(counted.pool, counted.pool))]
    if counted.people != steps[0][1]:
        steps.append((str(_("Near the site")), counted.people))
    for one in counted.taken:
        number, text = _named(known.get(one.criterion))
        steps.append((f"{number} {text}".strip(), one.left))
    before: Bounds | None = None
    for label, bounds in steps:
        is_told = bounds.least.number is not None or bounds.most.number is not None
        if bounds == before or (before is not None and not is_told):
            continue
        before = bounds
        yield Bar(label, bounds, _share(bounds.least, whole), _share(bounds.most, whole))


def _share(figure: Figure, whole: int | None) -> float | None:
    if figure.number is None or not whole:
        return None
    return min(1.0, figure.number / whole)


def _row(shown: FeasibilityCount, one: Taken, known: dict[str, Criterion], *, may_try: bool) -> Row:
    criterion = known.get(one.criterion)
    number, text = _named(criterion)
    return Row(
        number,
        text,
        one.here,
        one.left,
        one.alone,
        one.only,
        _try_url(shown, criterion) if criterion is not None and may_try and _has_limit(criterion) else None,
    )


def _try_url(shown: FeasibilityCount, criterion: Criterion) -> str:
    """Give the address of the form with a criterion's rule in it, under the count that is shown."""
    asked: dict[str, str] = {"count": str(shown.id), "try": criterion.id}
    if "version" in request.args:
        asked["version"] = request.args["version"]
    where = url_for("studies.feasibility", study_id=shown.study_id)
    return f"{where}?{urlencode(asked)}#trial"


def _has_limit(criterion: Criterion) -> bool:
    return criterion.rule is not None and any(isinstance(one, Age | Number) for one in walk(criterion.rule))


def _named(criterion: Criterion | None) -> tuple[str, str]:
    if criterion is None:  # of a draft that was changed after it was counted
        return "", str(_("A criterion that was taken out since"))
    return criterion.number, criterion.text


def _rule(criterion: Criterion | None) -> str:
    return write_rule(criterion.rule) if criterion is not None and criterion.rule is not None else ""


def _place_of(row: FeasibilityCount, places: Sequence[tuple[StudySite, Site]]) -> str:
    """Say whom a count was about."""
    asked = Asked.from_json(row.asked)
    if asked.study_site_id is None:
        return str(_("Everybody in the pool"))
    name = next((site.name for one, site in places if one.id == asked.study_site_id), str(_("Another site")))
    return str(_("%(miles)s miles around %(site)s", miles=asked.miles, site=name))


def _slip(slip: NotationError) -> dict[str, object]:
    hint = " " + _("Did you mean %(word)s?", word=slip.suggestion) if slip.suggestion else ""
    return {"line": slip.line, "column": slip.column, "text": f"{fields.worded(slip.saying)}{hint}"}
