"""Who may do what: grants as values, and the one place that decides.

Nothing is allowed unless a grant says so. A grant without a site covers all sites; without a study, all
studies. Queries take a ``Scope`` and never see more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from recruit.accounts.models import Role


@dataclass(frozen=True, slots=True)
class Permit:
    """One live grant as a value."""

    role: Role
    site_id: UUID | None
    study_id: UUID | None


@dataclass(frozen=True, slots=True)
class Scope:
    """The pairs of site and study that an account may see in a role; ``None`` in a pair means all."""

    pairs: frozenset[tuple[UUID | None, UUID | None]]

    @property
    def is_everything(self) -> bool:
        """Whether nothing is held back."""
        return (None, None) in self.pairs

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is shown."""
        return not self.pairs

    def covers(self, *, site_id: UUID | None, study_id: UUID | None) -> bool:
        """Say whether a thing is within; one without a site needs a grant over all sites."""
        return any(
            (site is None or site == site_id) and (study is None or study == study_id)
            for site, study in self.pairs
        )


NOTHING = Scope(frozenset())


@dataclass(frozen=True, slots=True)
class Permits:
    """Everything an account is granted."""

    permits: tuple[Permit, ...]

    @classmethod
    def of(cls, permits: Iterable[Permit]) -> Permits:
        """Collect grants."""
        return cls(tuple(permits))

    @property
    def roles(self) -> frozenset[Role]:
        """Name the roles held anywhere."""
        return frozenset(permit.role for permit in self.permits)

    def scope(self, *roles: Role) -> Scope:
        """Give where any of these roles is held."""
        return Scope(frozenset((p.site_id, p.study_id) for p in self.permits if p.role in roles))
