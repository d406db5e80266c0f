"""Telephone numbers and email addresses: read what people type, keep one form of each."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
import zipcodes

from recruit.errors import Invalid

MAX_TYPED = 254


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A possible telephone number in E.164, with its country."""

    e164: str
    country: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a postcode lies: enough for distance and for the time of day."""

    postcode: str
    city: str
    state: str
    latitude: float
    longitude: float
    zone: str


def clean_line(typed: str, *, limit: int = MAX_TYPED) -> str:
    """Reduce what was typed to one printable line: controls, lone surrogates and doubled spaces go.

    :raises Invalid: longer than ``limit`` characters
    """
    if len(typed) > limit * 4:
        raise Invalid("That is too long.")
    kept = "".join(" " if c.isspace() else c for c in typed if c.isspace() or _is_printable(c))
    line = unicodedata.normalize("NFC", " ".join(kept.split()))
    if len(line) > limit:
        raise Invalid("That is too long.")
    return line


def clean_text(typed: str, *, limit: int) -> str:
    """Reduce what was typed to printable lines, keeping line breaks.

    :raises Invalid: longer than ``limit`` characters
    """
    if len(typed) > limit * 4:
        raise Invalid("That is too long.")
    lines = typed.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    text = "\n".join(
        "".join(c for c in line if c == "\t" or _is_printable(c)).rstrip() for line in lines
    ).strip()
    if len(text) > limit:
        raise Invalid("That is too long.")
    return unicodedata.normalize("NFC", text)


def _is_printable(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cs", "Cn", "Co")


def read_phone(typed: str, *, country: str = "US") -> PhoneNumber:
    """Read a telephone number as people write it.

    :raises Invalid: it cannot be a number of that country or an international one
    """
    try:
        number = phonenumbers.parse(clean_line(typed, limit=40), country)
    except phonenumbers.NumberParseException:
        raise Invalid("Enter a telephone number, like 555 010 0123.") from None
    if not phonenumbers.is_possible_number(number):
        raise Invalid("Enter a telephone number with all its digits, like 555 010 0123.")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return PhoneNumber(e164, phonenumbers.region_code_for_number(number) or country)


def show_phone(e164: str, *, country: str = "US") -> str:
    """Write a number the way people of that country do."""
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return e164
    own = number.country_code == phonenumbers.country_code_for_region(country)
    kind = phonenumbers.PhoneNumberFormat.NATIONAL if own else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, kind)


def mask_phone(e164: str) -> str:
    """Show the last two digits, for people who must not see the number."""
    return f"••• ••{e164[-2:]}"


def read_email(typed: str) -> str:
    """Read an email address and give its normal form, in small letters.

    :raises Invalid: it is not an address
    """
    # here, because no start should wait for its patterns of characters to be compiled
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(clean_line(typed), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise Invalid("Enter an email address in the form name@example.com.") from None
    return found.normalized.lower()


@lru_cache(maxsize=4096)
def find_place(postcode: str) -> Place | None:
    """Find a US ZIP code; nothing where there is none such."""
    digits = postcode.strip()[:5]
    if len(digits) != 5 or not (digits.isascii() and digits.isdigit()):
        return None
    entries = zipcodes.matching(digits)  # type: ignore[no-untyped-call]
    if not entries:
        return None
    entry = entries[0]
    return Place(
        postcode=digits,
        city=str(entry["city"]),
        state=str(entry["state"]),
        latitude=float(entry["lat"]),
        longitude=float(entry["long"]),
        zone=str(entry["timezone"] or ""),
    )
