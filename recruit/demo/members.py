"""Who can sign in to the demonstration; apart from how it is made, which few starts of an application need."""

from __future__ import annotations

from dataclasses import dataclass

from recruit.accounts.models import Role

PASSWORD = "made-up people only 4821"  # noqa: S105 - printed at every start; opens nothing but the demonstration


@dataclass(frozen=True, slots=True)
class Member:
    """One made-up member of staff."""

    key: str
    name: str
    role: Role
    site: str = ""

    @property
    def email(self) -> str:
        """Give the address to sign in with."""
        return f"{self.key}@example.org"


MEMBERS = (
    Member("recruiter", "Nora Whitfield", Role.RECRUITER),
    Member("recruiter-boston", "Dan Okonkwo", Role.RECRUITER, site="Boston"),
    Member("coordinator", "Irene Castellanos", Role.COORDINATOR),
    Member("marketer", "Theo Lindgren", Role.MARKETER),
    Member("admin", "Sasha Petrov", Role.ADMIN),
    Member("auditor", "June Abernathy", Role.AUDITOR),
)
