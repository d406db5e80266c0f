"""One approved message to an audience: ready, start, pause, cancel, and where everybody's copy stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from campaigns import context as campaigning
from campaigns import pipeline
from campaigns.audience import queries, service
from campaigns.audience.criteria import Criteria, WaitingStage
from campaigns.audience.models import Audience, Campaign
from campaigns.audience.service import NewCampaign
from campaigns.links.queries import list_links
from campaigns.outbox.queries import conservation, masked_messages
from campaigns.outbox.states import State
from campaigns.scoping import study_within
from campaigns.web import pages
from recruit import context
from recruit.accounts.models import Role
from recruit.db import found
from recruit.errors import Conflict, Invalid, NotFound, RecruitError, Refused
from recruit.ids import new_token
from recruit.materials.models import Material, MaterialVersion
from recruit.studies.models import Study
from recruit.web import fields, identity, languages
from recruit.web.guards import allow
from recruit.web.moments import recent_moment
from recruit.web.navigation import NavigationItem
from screening.floor import FLOOR

bp = Blueprint("messages", __name__, url_prefix="/staff/marketing/messages")
NAVIGATION: tuple[NavigationItem, ...] = (
    NavigationItem("Marketing", "Messages", "messages.campaigns", frozenset({Role.MARKETER}), order=42),
)
_MESSAGES = (_l("Messages"),)
MOST_QUIET_DAYS = 3650
MOST_SOURCES = 200
Text = tuple[MaterialVersion, Material, Study]


@bp.get("")
@allow(Role.MARKETER)
def campaigns() -> ResponseReturnValue:
    """List the campaigns."""
    with context.reading() as session:
        lines = queries.list_campaigns(session, identity.scope(Role.MARKETER))
    return render_template("marketing/campaigns.html", lines=lines, when=recent_moment)


@bp.get("/new")
@allow(Role.MARKETER)
def new() -> ResponseReturnValue:
    """Ask which study the message is about, then for the text and whom it is for."""
    return _form(request.args)


@bp.post("")
@allow(Role.MARKETER)
def make() -> ResponseReturnValue:
    """Freeze the audience and show the campaign; nothing is sent yet."""
    try:
        wanted, key = _read(), pages.form_key()
        with context.transaction(reason="campaign:make") as session:
            campaign = pipeline.prepare(
                session, wanted, identity.scope(Role.MARKETER), key=key, at=context.now()
            )
    except (Conflict, Invalid, NotFound, Refused) as error:
        return _form(request.form, error), 422
    return redirect(url_for("messages.campaign", campaign_id=campaign.id), 303)


@bp.get("/<uuid:campaign_id>")
@allow(Role.MARKETER)
def campaign(campaign_id: UUID) -> ResponseReturnValue:
    """Show the exact text, the audience in numbers, and the check that nobody is lost or doubled."""
    return _page(campaign_id)


@bp.post("/<uuid:campaign_id>/start")
@allow(Role.MARKETER)
def start(campaign_id: UUID) -> ResponseReturnValue:
    """Start a campaign, or go on with a paused one; pressing twice starts once."""
    try:
        with context.transaction(reason="campaign:start") as session:
            pipeline.start(
                session,
                campaign_id,
                identity.scope(Role.MARKETER),
                wording=campaigning.wording(),
                public_url=context.settings().public_url,
                at=context.now(),
            )
    except Refused as error:
        return _page(campaign_id, error), 422
    return redirect(url_for("messages.campaign", campaign_id=campaign_id), 303)


@bp.post("/<uuid:campaign_id>/pause")
@allow(Role.MARKETER)
def pause(campaign_id: UUID) -> ResponseReturnValue:
    """Pause a campaign."""
    with context.transaction(reason="campaign:pause") as session:
        service.pause(session, campaign_id, identity.scope(Role.MARKETER))
    return redirect(url_for("messages.campaign", campaign_id=campaign_id), 303)


@bp.post("/<uuid:campaign_id>/cancel")
@allow(Role.MARKETER)
def cancel(campaign_id: UUID) -> ResponseReturnValue:
    """Cancel a campaign for good."""
    with context.transaction(reason="campaign:cancel") as session:
        service.cancel(session, campaign_id, identity.scope(Role.MARKETER), at=context.now())
    return redirect(url_for("messages.campaign", campaign_id=campaign_id), 303)


@bp.post("/<uuid:campaign_id>/messages/<uuid:message_id>")
@allow(Role.MARKETER)
def decide(campaign_id: UUID, message_id: UUID) -> ResponseReturnValue:
    """Send a message again of which the carrier has no trace, or leave it."""
    choice = request.form.get("choice", "")
    if choice not in ("again", "leave"):
        raise Invalid("Choose whether to send it again.")
    with context.transaction(reason="message:decide") as session:
        service.decide(
            session,
            campaign_id,
            message_id,
            identity.scope(Role.MARKETER),
            send_again=choice == "again",
            at=context.now(),
        )
    return redirect(url_for("messages.campaign", campaign_id=campaign_id), 303)


def _form(posted: Mapping[str, str], *errors: RecruitError) -> str:
    scope, problems = identity.scope(Role.MARKETER), fields.problems(*errors)
    with context.reading() as session:
        texts = queries.approved_texts(session, scope)
        links = list_links(session, scope)
    offered = list({study.id: study for _version, _material, study in texts}.values())
    study = _about(posted, texts, offered)
    if study is None and offered:
        return render_template("marketing/campaign_study.html", studies=offered)
    chosen = request.form.getlist("stage"), request.form.getlist("source")
    return render_template(
        "marketing/campaign_new.html",
        study=study,
        languages_of=languages.LANGUAGES,
        has_others=len(offered) > 1,
        texts=[(version, material) for version, material, about in texts if about is study],
        links=[line for line in links if study and line.link.study_id in (study.id, None)],
        stages=list(WaitingStage),
        chosen_stages=chosen[0],
        chosen_sources=chosen[1],
        floor=FLOOR,
        key=new_token(),
        posted=posted,
        errors=problems,
        wrong=fields.wrong(problems),
    )


def _about(posted: Mapping[str, str], texts: Sequence[Text], offered: Sequence[Study]) -> Study | None:
    """Find the study of the text that was chosen, else the one that was asked for, or the only one there is."""
    of_text = [study for version, _material, study in texts if str(version.id) == posted.get("text")]
    asked = [study for study in offered if str(study.id) == posted.get("study")]
    only = offered if len(offered) == 1 else []
    return next(iter([*of_text, *asked, *only]), None)


def _page(campaign_id: UUID, *errors: RecruitError) -> str:
    with context.reading() as session:
        row = found(session, Campaign, campaign_id)
        study = study_within(session, row.study_id, identity.scope(Role.MARKETER))
        audience = found(session, Audience, row.audience_id)
        return render_template(
            "marketing/campaign.html",
            campaign=row,
            study=study,
            languages_of=languages.LANGUAGES,
            audience=audience,
            version=found(session, MaterialVersion, row.material_version_id),
            kept=conservation(session, row.id),
            messages=masked_messages(session, row.id),
            states=list(State),
            floor=FLOOR,
            when=recent_moment,
            errors=fields.problems(*errors),
        )


def _read() -> NewCampaign:
    name = fields.line("name", longest=60)
    if not name:
        raise Invalid("Enter a name, so that you find it again.", field="name")
    version_id, study_id = _read_text()
    return NewCampaign(name, study_id, version_id, _read_criteria())


def _read_text() -> tuple[UUID, UUID]:
    version_id = fields.key("text")
    if version_id is None:
        raise Invalid("Select an approved text.", field="text")
    with context.reading() as session:
        for version, _material, study in queries.approved_texts(session, identity.scope(Role.MARKETER)):
            if version.id == version_id:
                return version.id, study.id
    raise Invalid("Select an approved text.", field="text")


def _read_criteria() -> Criteria:
    reference = fields.line("reference", longest=80)
    if reference:
        try:
            return Criteria(reference=UUID(reference))
        except ValueError:
            raise Invalid("Enter the reference as the recruiter gave it to you.", field="reference") from None
    stages, sources = request.form.getlist("stage"), request.form.getlist("source")
    known = {stage.value for stage in WaitingStage}
    if not set(stages) <= known:
        raise Invalid("Select stages from the list.", field="stage")
    try:
        links = tuple(dict.fromkeys(UUID(source) for source in sources[:MOST_SOURCES] if source))
    except ValueError:
        raise Invalid("Select sources from the list.", field="source") from None
    return Criteria(
        stages=tuple(WaitingStage(stage) for stage in dict.fromkeys(stages)),
        source_link_ids=links,
        quiet_days=_read_days(),
    )


def _read_days() -> int | None:
    text = fields.line("quiet_days", longest=10)
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MOST_QUIET_DAYS:
        raise Invalid("Enter a number of days, such as 30.", field="quiet_days")
    return int(text)
