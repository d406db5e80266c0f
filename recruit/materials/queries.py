"""Read materials and approvals: what may be shown or said today, and what runs out soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.materials import approvals
from recruit.materials.approvals import Cover
from recruit.materials.models import (
    Approval,
    ApprovalItem,
    ApprovalSite,
    ApprovedKind,
    Material,
    MaterialKind,
    MaterialState,
    MaterialVersion,
)

ALARM_DAYS = (7, 30, 60)


@dataclass(frozen=True, slots=True)
class Alarm:
    """An end that comes within 60 days: how many are left, and the nearest of 7, 30 and 60 that it is under.

    A negative number of days means that it is over.
    """

    ends_on: date
    days: int
    within: int

    @property
    def is_over(self) -> bool:
        """Whether the last day has passed."""
        return self.days < 0


def alarm(ends_on: date | None, *, on: date) -> Alarm | None:
    """Say whether an end is near; nothing where there is none, or it is further than 60 days away."""
    if ends_on is None:
        return None
    days = (ends_on - on).days
    within = next((limit for limit in ALARM_DAYS if days <= limit), None)
    return Alarm(ends_on, days, within) if within is not None else None


def in_use(
    session: Session,
    study_id: UUID | None,
    kind: MaterialKind,
    language: str,
    *,
    on: date,
    study_site_id: UUID | None = None,
) -> MaterialVersion | None:
    """Give the version of a material that may be shown today: in use, its exact bytes approved.

    Where a study has several materials of a kind, the one made first counts.
    """
    return shelf(session, study_id, kind).pick(kind, language, on=on, study_site_id=study_site_id)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a study has in use, and which of it standing approvals cover; see ``shelf``."""

    versions: tuple[tuple[MaterialKind, MaterialVersion], ...]
    covers: tuple[Cover, ...]

    def pick(
        self, kind: MaterialKind, language: str, *, on: date, study_site_id: UUID | None
    ) -> MaterialVersion | None:
        """Give the version of a kind that may be shown at a site on a day; see ``in_use``."""
        said = {
            (one.subject_id, one.language, one.sha256) for one in self.covers if one.reaches(study_site_id, on)
        }
        wanted = (row for of_kind, row in self.versions if of_kind is kind and row.language == language)
        return next((row for row in wanted if (row.id, row.language, row.sha256) in said), None)


def shelf(session: Session, study_id: UUID | None, *kinds: MaterialKind) -> Shelf:
    """Collect what is in use of these kinds, so that a page of several texts asks twice and no more."""
    rows = session.execute(
        sa.select(Material.kind, MaterialVersion)
        .join(Material, Material.id == MaterialVersion.material_id)
        .where(
            Material.study_id == study_id if study_id is not None else Material.study_id.is_(None),
            Material.kind.in_(kinds),
            MaterialVersion.state == MaterialState.IN_USE,
        )
        .order_by(Material.created_at, Material.id)
    ).all()
    found = tuple((row.kind, row.MaterialVersion) for row in rows)
    subjects = [version.id for _, version in found]
    return Shelf(
        found, approvals.coverage(session, ApprovedKind.MATERIAL_VERSION, subjects) if subjects else ()
    )


def is_approved(
    session: Session, version: MaterialVersion, *, on: date, study_site_id: UUID | None = None
) -> bool:
    """Say whether a live approval covers the exact bytes of a version, for one site or for the whole study."""
    return approvals.covers(
        session,
        ApprovedKind.MATERIAL_VERSION,
        version.id,
        language=version.language,
        sha256=version.sha256,
        study_site_id=study_site_id,
        on=on,
    )


def materials_of(session: Session, study_id: UUID) -> list[tuple[Material, list[MaterialVersion]]]:
    """List a study's materials by kind and name, each with its versions, newest first."""
    materials = session.scalars(
        sa.select(Material)
        .where(Material.study_id == study_id)
        .order_by(Material.kind, Material.name, Material.id)
    ).all()
    versions = session.scalars(
        sa.select(MaterialVersion)
        .where(MaterialVersion.material_id.in_([one.id for one in materials]))
        .order_by(MaterialVersion.language, MaterialVersion.number.desc())
    ).all()
    return [(one, [version for version in versions if version.material_id == one.id]) for one in materials]


def approvals_of(session: Session, study_id: UUID) -> Sequence[Approval]:
    """List a study's approvals, newest decision first."""
    return session.scalars(
        sa.select(Approval)
        .where(Approval.study_id == study_id)
        .order_by(Approval.decided_on.desc(), Approval.recorded_at.desc(), Approval.id)
    ).all()


def items_of(session: Session, approval_ids: Sequence[UUID]) -> Sequence[ApprovalItem]:
    """List what approvals cover."""
    return session.scalars(
        sa.select(ApprovalItem)
        .where(ApprovalItem.approval_id.in_(approval_ids))
        .order_by(ApprovalItem.subject_kind, ApprovalItem.language, ApprovalItem.id)
    ).all()


def sites_of(session: Session, approval_ids: Sequence[UUID]) -> Sequence[ApprovalSite]:
    """List the study sites that approvals are limited to."""
    return session.scalars(sa.select(ApprovalSite).where(ApprovalSite.approval_id.in_(approval_ids))).all()
