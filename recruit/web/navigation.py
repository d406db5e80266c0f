"""The staff navigation: one row for each page that a role can start from."""

from __future__ import annotations

from dataclasses import dataclass

from recruit.accounts.models import Role


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """A link in the staff navigation; ``label`` and ``group`` are message ids for gettext."""

    group: str
    label: str
    endpoint: str
    roles: frozenset[Role]
    order: int = 50
