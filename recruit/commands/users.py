"""``flask users``: the first administrator, and a way back in; there are no default accounts."""

from __future__ import annotations

import click

from recruit import context
from recruit.accounts import queries, service
from recruit.accounts.models import AccountStatus, LinkPurpose, Role
from recruit.accounts.policy import Permit
from recruit.commands.plain import PlainGroup
from recruit.errors import NotFound
from recruit.web.account import link_url

group = PlainGroup("users", help="Staff accounts.")


@group.command("invite")
@click.argument("email")
@click.option("--name", required=True, help="The person's name.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="What the person may do, everywhere; can be given several times.",
)
def invite(email: str, name: str, roles: tuple[str, ...]) -> None:
    """Make an account and print its one-time link, which works for 24 hours."""
    permits = tuple(Permit(Role(role), None, None) for role in dict.fromkeys(roles))
    with context.transaction(by="cli:users", reason="account:invite") as session:
        _account, token = service.invite(session, email=email, name=name, permits=permits, at=context.now())
    click.echo(link_url(LinkPurpose.INVITE, token))


@group.command("link")
@click.argument("email")
def link(email: str) -> None:
    """Print a new one-time link for an account: its invitation again, or a password reset."""
    with context.transaction(by="cli:users", reason="account:link") as session:
        account = queries.account_of(session, email)
        if account is None:
            raise NotFound("There is no account with this email address.")
        purpose, token = service.renew_link(session, account.id, at=context.now())
    click.echo(link_url(purpose, token))


@group.command("list")
def show() -> None:
    """List the accounts with their status and roles."""
    with context.reading() as session:
        members = queries.members(session)
    for member in sorted(members, key=lambda member: list(AccountStatus).index(member.status)):
        roles = ", ".join(member.roles) or "no role"
        click.echo(f"{member.email}  {member.status.value}  {roles}")
