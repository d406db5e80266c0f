"""Enter what was paid."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

import sqlalchemy as sa
from babel.numbers import get_currency_precision
from sqlalchemy.orm import Session

from campaigns.reports.models import Spend
from recruit.accounts.policy import Scope
from recruit.db import actor_of, found
from recruit.errors import Invalid, NotFound
from recruit.ids import new_id, token_hash
from recruit.intake.models import SourceLink

CURRENCIES = ("USD", "CAD", "EUR", "GBP", "MXN")
MOST_MINOR = 10**12
_AMOUNT = re.compile(r"-?[0-9]{1,10}(\.[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class NewSpend:
    """Money for one link over a span of days; a correction is entered with a minus."""

    source_link_id: UUID
    from_day: date
    until_day: date
    amount_minor: int
    currency: str
    note: str = ""


def enter_spend(session: Session, new: NewSpend, scope: Scope, *, key: str, at: datetime) -> Spend:
    """Enter an amount; the same form sent twice is one entry.

    :raises Invalid: the days are in the wrong order, the amount is nothing, or the currency is unknown
    :raises NotFound: the link is not within the scope
    """
    link = found(session, SourceLink, new.source_link_id)
    if not scope.covers(site_id=link.site_id, study_id=link.study_id):
        raise NotFound("There is no such link.")
    if new.until_day < new.from_day:
        raise Invalid("The last day must not be before the first.", field="until_day")
    if new.amount_minor == 0 or abs(new.amount_minor) > MOST_MINOR:
        raise Invalid("Enter an amount, such as 1250.00.", field="amount")
    if new.currency not in CURRENCIES:
        raise Invalid("Select a currency.", field="currency")
    known = session.scalar(sa.select(Spend).where(Spend.entry_key == token_hash(key)))
    if known is not None:
        return known
    row = Spend(
        id=new_id(),
        source_link_id=new.source_link_id,
        from_day=new.from_day,
        until_day=new.until_day,
        amount_minor=new.amount_minor,
        currency=new.currency,
        note=new.note,
        entry_key=token_hash(key),
        entered_at=at,
        entered_by=actor_of(session),
    )
    session.add(row)
    session.flush()
    return row


def read_amount(text: str, *, currency: str) -> int:
    """Read an amount in minor units, such as 125000 for ``1,250.00`` US dollars.

    :raises Invalid: it is not an amount, or has smaller parts than the currency
    """
    plain = text.replace(",", "").replace(" ", "").removeprefix("$")
    if not _AMOUNT.fullmatch(plain):
        raise Invalid("Enter an amount, such as 1250.00.", field="amount")
    places = get_currency_precision(currency) if currency in CURRENCIES else 2
    try:
        minor = Decimal(plain).scaleb(places)
    except InvalidOperation:
        raise Invalid("Enter an amount, such as 1250.00.", field="amount") from None
    if minor != int(minor):
        raise Invalid("That amount has smaller parts than the currency.", field="amount")
    return int(minor)
