"""Carry over into a restored database what must not be undone: noes, erasures, closed accounts, what went out.

Everything goes through the services that would have done it, with the day on which it happened; only the
trail names the restore. Whatever the restored database knows already is passed over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import privacy
from recruit.accounts import service as accounts
from recruit.accounts.models import Account, AccountStatus, Grant, LoginSession, OneTimeLink
from recruit.backups import outgoing
from recruit.backups.survivors import Closing, EndedGrant, Persons, Standing, Survivors, Withdrawal
from recruit.contact import service as contact
from recruit.contact.models import Consent, ContactChannel, Suppression
from recruit.contact.service import OwnAct
from recruit.db import Row, locked
from recruit.errors import Refused
from recruit.events import Event
from recruit.keys import vault_of
from recruit.matching import merging, stopping
from recruit.people.models import ContactPoint, Person
from recruit.people.queries import cluster_of, root_of
from recruit.studies.models import QuestionnaireVersion, Site, Study, StudySite

SESSION_ENDED = "restored"
_AT_ONCE = 500
_History = dict[datetime, datetime | None]
"""When an address was closed, and when each closing was lifted."""


@dataclass(frozen=True, slots=True)
class Carried:
    """How much of each kind was carried over.

    :param records_elsewhere: people erased again of whom a study's record had to stay, which this backup
        does not know: it is only in what was replaced
    :param last_administrators: accounts that were deactivated, or lost that role, and are the only ones
        here that can manage accounts: they stay, without a password
    :param why_nothing: why the replaced database could not be read at all; empty where it was
    :param unread: kinds that could not be read there
    """

    addresses_closed: int = 0
    addresses_opened: int = 0
    people_erased: int = 0
    records_elsewhere: int = 0
    do_not_contact: int = 0
    consents_withdrawn: int = 0
    accounts_deactivated: int = 0
    last_administrators: int = 0
    roles_ended: int = 0
    passwords_changed: int = 0
    messages: int = 0
    campaigns_paused: int = 0
    why_nothing: str = ""
    unread: tuple[str, ...] = ()


def end_sessions(session: Session, *, at: datetime) -> None:
    """Sign everybody out and void all one-time links, whatever became of them since the backup."""
    signed_in = sa.select(LoginSession.account_id).where(LoginSession.ended_at.is_(None)).distinct()
    for account_id in session.scalars(signed_in).all():
        accounts.end_sessions(session, account_id, reason=SESSION_ENDED, at=at)
    session.execute(
        sa.update(OneTimeLink)
        .where(OneTimeLink.used_at.is_(None), OneTimeLink.expires_at > at)
        .values(expires_at=at)
    )


def carry_over(session: Session, found: Survivors, *, why_nothing: str = "", at: datetime) -> Carried:
    """Apply everything that was found, in an order that keeps one act from hiding another.

    What went out comes first, so that nothing of it is closed as unsent; addresses are closed before people
    are erased, so that a stop stays a stop; and withdrawals come before the marks that would write them anew.
    """
    settled = outgoing.carry(session, found.outgoing)
    opened, closed = _settle_addresses(session, found.closings)
    erased, elsewhere = _erase(session, found)
    withdrawn = _withdraw(session, found.withdrawals)
    refusing = _refuse(session, found.persons)
    passwords = sum(_change_password(session, standing, at=at) for standing in found.accounts)
    deactivated, last = _deactivate(session, found.accounts, at=at)
    ended, kept = _end_grants(session, found.ended_grants, at=at)
    return Carried(
        addresses_closed=closed,
        addresses_opened=opened,
        people_erased=erased,
        records_elsewhere=elsewhere,
        do_not_contact=refusing,
        consents_withdrawn=withdrawn,
        accounts_deactivated=deactivated,
        last_administrators=len(last | kept),
        roles_ended=ended,
        passwords_changed=passwords,
        messages=settled.messages,
        campaigns_paused=settled.campaigns_paused,
        why_nothing=why_nothing,
        unread=found.unread,
    )


def _fingerprints(session: Session) -> dict[bytes, bytes]:
    """Give, for each address held here, the fingerprint it has for those it would have under other keys.

    Needed only while there are several master keys: one of them may have made the fingerprints of the backup
    and another one those of what is carried over.
    """
    vault = vault_of(session)
    if len(vault.keyring.keys) < 2:
        return {}
    points = session.scalars(sa.select(ContactPoint).where(ContactPoint.address_sealed != b"")).all()
    vault.load({point.id for point in points})
    alike: dict[bytes, bytes] = {}
    for point in points:
        address = vault.open(point.id, "contact_point", "address_sealed", point.id, point.address_sealed) or ""
        for _, token in vault.keyring.fingerprints(f"address.{point.kind.value}", address):
            alike[token] = point.address_token
    return alike


def _settle_addresses(session: Session, closings: Collection[Closing]) -> tuple[int, int]:
    """Open what was opened and then close what is closed, as far as it is not known here; count both."""
    alike = _fingerprints(session)
    known = _closings_here(session)
    opened = closed = 0
    for closing in closings:
        token = alike.get(closing.token, closing.token)
        opened += _open(session, closing, token, known[token, closing.channel])
    for closing in closings:
        token = alike.get(closing.token, closing.token)
        closed += _close(session, closing, token, known[token, closing.channel])
    return opened, closed


def _closings_here(session: Session) -> defaultdict[tuple[bytes, ContactChannel], _History]:
    """Give when each address was closed on each channel, and when that ended."""
    known: defaultdict[tuple[bytes, ContactChannel], _History] = defaultdict(dict)
    row = Suppression
    for token, channel, at, lifted_at in session.execute(
        sa.select(row.address_token, row.channel, row.at, row.lifted_at)
    ):
        known[token, channel][at] = lifted_at
    return known


def _open(session: Session, closing: Closing, token: bytes, known: _History) -> bool:
    """Open an address whose holder opened it again, unless what closes it here came after that closing."""
    if closing.lifted_at is None or closing.lifted_by not in {act.value for act in OwnAct}:
        return False
    closed_at = next((at for at, lifted_at in known.items() if lifted_at is None), None)
    if closed_at is None or closed_at > closing.at:
        return False
    act = OwnAct(closing.lifted_by)
    if not contact.lift(session, token, closing.channel, act=act, at=closing.lifted_at):
        return False
    known[closed_at] = closing.lifted_at
    return True


def _close(session: Session, closing: Closing, token: bytes, known: _History) -> bool:
    """Close an address that is open here, unless it was opened here after that."""
    if closing.lifted_at is not None:
        return False
    if any(lifted_at is None or lifted_at >= closing.at for lifted_at in known.values()):
        return False
    contact.suppress(session, token, closing.channel, closing.reason, source=closing.source, at=closing.at)
    known[closing.at] = None
    return True


def _erase(session: Session, found: Survivors) -> tuple[int, int]:
    """Erase people again; count them, and those of whom a record had to stay that is not here."""
    there = _present(session, Person, {erasure.person_id for erasure in found.erased})
    known = _erased_here(session)
    due = [e for e in found.erased if e.person_id in there and (e.person_id, e.at) not in known]
    _part(session, {erasure.person_id: erasure.at for erasure in due}, found.persons)
    roots: set[UUID] = set()
    elsewhere: set[UUID] = set()
    for erasure in due:
        root = root_of(session, erasure.person_id)
        done = privacy.erase_person(session, erasure.person_id, at=erasure.at, cause=erasure.cause)
        roots.add(root)
        if erasure.record_kept - done.kept_study_ids:
            elsewhere.add(root)
    return len(roots), len(elsewhere)


def _erased_here(session: Session) -> set[tuple[UUID, datetime]]:
    told = sa.select(Event.subject_id, Event.happened_at).where(
        Event.type == "person.erased", Event.subject_kind == "person"
    )
    marked = sa.select(Person.id, Person.erased_at).where(Person.erased_at.is_not(None))
    return {(key, at) for query in (told, marked) for key, at in session.execute(query) if at is not None}


def _part(session: Session, chosen: Mapping[UUID, datetime], persons: Persons) -> None:
    """Take back merges between people who were told apart since: what befell one is not for the other."""
    for person_id in sorted(chosen):
        for member in sorted(cluster_of(session, root_of(session, person_id))):
            into = locked(session, Person, member).merged_into_id
            if into is None or (member in chosen) == (into in chosen):
                continue
            if persons.root_of(member) != persons.root_of(into):
                merging.unmerge(session, member, at=chosen[member if member in chosen else into])


def _withdraw(session: Session, withdrawals: Collection[Withdrawal]) -> int:
    """Write withdrawals down that are not here, as far as whom and what they are about is.

    A no about an address, study or site that this database has never heard of has no yes to end.
    """
    alive = _present(session, Person, {no.person_id for no in withdrawals}, Person.erased_at.is_(None))
    points = _present(session, ContactPoint, {no.contact_point_id for no in withdrawals})
    studies = _present(session, Study, {no.study_id for no in withdrawals})
    sites = _present(session, Site, {no.site_id for no in withdrawals})
    versions = _present(session, QuestionnaireVersion, {no.questionnaire_version_id for no in withdrawals})
    places = _present(session, StudySite, {no.study_site_id for no in withdrawals})
    known = _noes_of(session, alive)
    written = 0
    for no in withdrawals:
        told = (no.contact_point_id, points), (no.study_id, studies), (no.site_id, sites)
        has_all = all(key is None or key in there for key, there in told)
        if no.person_id not in alive or not has_all or _key(no) in known:
            continue
        _write(session, no, versions=versions, places=places)
        written += 1
    session.flush()
    return written


def _write(session: Session, no: Withdrawal, *, versions: Collection[UUID], places: Collection[UUID]) -> None:
    row = contact.give_consent(
        session,
        no.person_id,
        no.purpose,
        no.scope,
        text=no.text,
        text_version=no.text_version,
        language=no.language,
        how=no.how,
        at=no.at,
        channel=no.channel,
        contact_point_id=no.contact_point_id,
        study_id=no.study_id,
        site_id=no.site_id,
        questionnaire_version_id=_if_in(versions, no.questionnaire_version_id),
        study_site_id=_if_in(places, no.study_site_id),
        given=False,
    )
    row.recorded_by = no.recorded_by


def _if_in(there: Collection[UUID], key: UUID | None) -> UUID | None:
    return key if key in there else None


def _noes_of(session: Session, person_ids: Collection[UUID]) -> set[tuple[object, ...]]:
    noes: set[tuple[object, ...]] = set()
    for some in _batches(person_ids):
        query = sa.select(Consent).where(Consent.person_id.in_(some), Consent.given.is_(False))
        noes.update(_key(row) for row in session.scalars(query))
    return noes


def _key(no: Consent | Withdrawal) -> tuple[object, ...]:
    return (no.person_id, no.channel, no.purpose, no.scope, no.study_id, no.site_id, no.contact_point_id, no.at)


def _refuse(session: Session, persons: Persons) -> int:
    """Mark whom nobody may contact; count people, not their entries."""
    refusing = persons.refusing()
    open_ = Person.do_not_contact_at.is_(None), Person.erased_at.is_(None)
    due = _present(session, Person, refusing.keys(), *open_)
    _part(session, {key: refusing[key] for key in due}, persons)
    for person_id in sorted(due, key=lambda key: (refusing[key], key)):
        stopping.do_not_contact(session, person_id, at=refusing[person_id])
    return len({root_of(session, person_id) for person_id in due})


def _change_password(session: Session, standing: Standing, *, at: datetime) -> bool:
    """Give an account the password that it had last: the one of the backup was changed for a reason."""
    account = session.get(Account, standing.account_id, with_for_update=True)
    if account is None or standing.password_hash is None or standing.auth_epoch <= account.auth_epoch:
        return False
    both = (standing.status, account.status)
    if both != (AccountStatus.ACTIVE, AccountStatus.ACTIVE) or standing.password_hash == account.password_hash:
        return False
    accounts.set_password(session, account, password_hash=standing.password_hash, at=at)
    return True


def _deactivate(
    session: Session, standings: Collection[Standing], *, at: datetime
) -> tuple[int, frozenset[UUID]]:
    """Deactivate what was deactivated since, and what nobody has taken up again after that."""
    done, last = 0, set()
    for standing in standings:
        account = session.get(Account, standing.account_id, with_for_update=True)
        if account is None or standing.auth_epoch <= account.auth_epoch:
            continue
        was_closed = standing.status is AccountStatus.DEACTIVATED or (
            (standing.status, account.status) == (AccountStatus.INVITED, AccountStatus.ACTIVE)
        )
        if not was_closed or account.status is AccountStatus.DEACTIVATED:
            continue
        try:
            accounts.deactivate(session, account.id, at=at)
            done += 1
        except Refused:
            _take_password(account)
            last.add(account.id)
    return done, frozenset(last)


def _end_grants(
    session: Session, grants: Collection[EndedGrant], *, at: datetime
) -> tuple[int, frozenset[UUID]]:
    live = _present(session, Grant, {grant.grant_id for grant in grants}, Grant.ended_at.is_(None))
    done, last = 0, set()
    for grant in grants:
        if grant.grant_id not in live:
            continue
        try:
            accounts.take(session, grant.account_id, grant.grant_id, at=at)
            done += 1
        except Refused:
            _take_password(locked(session, Account, grant.account_id))
            last.add(grant.account_id)
    return done, frozenset(last)


def _take_password(account: Account) -> None:
    account.password_hash = None
    account.auth_epoch += 1


def _present(
    session: Session, model: type[Row], keys: Collection[UUID | None], *conditions: sa.ColumnElement[bool]
) -> set[UUID]:
    """Say which of these keys are here."""
    there: set[UUID] = set()
    for some in _batches(key for key in keys if key is not None):
        there.update(session.scalars(sa.select(model.id).where(model.id.in_(some), *conditions)))
    return there


def _batches(keys: Iterable[UUID]) -> Iterator[list[UUID]]:
    iterator = iter(keys)
    while some := list(islice(iterator, _AT_ONCE)):
        yield some
