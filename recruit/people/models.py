"""Persons, the ways to reach them, and what is known about them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from recruit.db import Row, Versioned, enum_type, unique_where
from recruit.retention import Retention


class Basis(StrEnum):
    """Why we hold a person at all."""

    QUESTIONNAIRE = "questionnaire"
    INQUIRY = "inquiry"
    WALK_IN = "walk_in"
    CALL = "call"
    SITE_LIST = "site_list"


class ContactKind(StrEnum):
    """A kind of address."""

    PHONE = "phone"
    EMAIL = "email"
    POST = "post"


class LineType(StrEnum):
    """What hangs at the end of a telephone number, as far as anybody told us."""

    UNKNOWN = "unknown"
    MOBILE = "mobile"
    LANDLINE = "landline"


class ContactRole(StrEnum):
    """Whose contact point it is, seen from the person."""

    SELF = "self"
    GUARDIAN = "guardian"
    HOUSEHOLD = "household"


class Person(Versioned, Row):
    """Somebody who may take part.

    Names and the birth date are sealed under the person's own key. A merge only sets ``merged_into_id``;
    nothing moves, and clearing it takes the merge back. ``slot`` numbers people densely for bitmaps and
    never appears in a URL.
    """

    __tablename__ = "person"
    __table_args__ = (
        sa.CheckConstraint("merged_into_id IS NULL OR merged_into_id <> id", name="not_into_itself"),
    )
    retention: ClassVar[Retention] = Retention.PERSON

    slot: Mapped[int] = mapped_column(unique=True)
    merged_into_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    basis: Mapped[Basis] = mapped_column(enum_type(Basis))
    given_sealed: Mapped[bytes | None]
    family_sealed: Mapped[bytes | None]
    say_sealed: Mapped[bytes | None]
    birth_sealed: Mapped[bytes | None]
    language: Mapped[str] = mapped_column(sa.String(12))
    best_time: Mapped[str] = mapped_column(sa.String(40), default="")
    postcode: Mapped[str] = mapped_column(sa.String(12), default="")
    zone: Mapped[str] = mapped_column(sa.String(64), default="")
    custodian_site_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("site.id"))
    do_not_contact_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    is_test: Mapped[bool] = mapped_column(default=False)


class ContactPoint(Versioned, Row):
    """A telephone number or address, shared by as many people as use it; STOP and wrong number act on it."""

    __tablename__ = "contact_point"
    __table_args__ = (sa.UniqueConstraint("kind", "address_token"),)
    retention: ClassVar[Retention] = Retention.PERSON

    kind: Mapped[ContactKind] = mapped_column(enum_type(ContactKind))
    address_token: Mapped[bytes]
    address_sealed: Mapped[bytes]
    country: Mapped[str] = mapped_column(sa.String(2), default="US")
    line_type: Mapped[LineType] = mapped_column(enum_type(LineType), default=LineType.UNKNOWN)
    wrong_number_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class PersonContact(Versioned, Row):
    """That a person can be reached at a contact point, in which role, and since when that is proven."""

    __tablename__ = "person_contact"
    __table_args__ = (
        unique_where("one_live_link", "person_id", "contact_point_id", condition="ended_at IS NULL"),
    )
    retention: ClassVar[Retention] = Retention.PERSON

    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"))
    contact_point_id: Mapped[UUID] = mapped_column(sa.ForeignKey("contact_point.id"), index=True)
    role: Mapped[ContactRole] = mapped_column(enum_type(ContactRole), default=ContactRole.SELF)
    contact_name_sealed: Mapped[bytes | None]
    preferred: Mapped[bool] = mapped_column(default=False)
    verified_at: Mapped[datetime | None]
    added_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SearchToken(Row):
    """A keyed fingerprint by which a person is found: a whole value, its first letters, or its sound."""

    __tablename__ = "search_token"
    __table_args__ = (
        sa.UniqueConstraint("person_id", "kind", "key_id", "token"),
        sa.Index("ix_search_token_lookup", "token", "kind"),
    )
    retention: ClassVar[Retention] = Retention.PERSON
    audited: ClassVar[bool] = False

    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(sa.String(20))
    key_id: Mapped[str] = mapped_column(sa.String(32))
    token: Mapped[bytes]


class FactRow(Row):
    """One thing known about a person, as ``screening.facts`` defines it; never edited, only retracted.

    ``retracts_id`` is no foreign key: what it names may be past its time while the retraction still counts.
    """

    __tablename__ = "fact"
    __table_args__ = (
        sa.Index("ix_fact_person_id_key", "person_id", "key"),
        sa.CheckConstraint(
            "observed_lo IS NULL OR observed_hi IS NULL OR observed_hi >= observed_lo", name="observed_order"
        ),
    )
    retention: ClassVar[Retention] = Retention.PERSON
    append_only: ClassVar[bool] = True

    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"))
    key: Mapped[str] = mapped_column(sa.String(80))
    value: Mapped[dict[str, object]]
    raw_sealed: Mapped[bytes | None]
    observed_lo: Mapped[date | None]
    observed_hi: Mapped[date | None]
    recorded_at: Mapped[datetime]
    source: Mapped[str] = mapped_column(sa.String(30))
    study_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study.id"))
    submission_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("submission.id"))
    recorded_by: Mapped[str] = mapped_column(sa.String(80))
    retracts_id: Mapped[UUID | None]
    only_retracts: Mapped[bool] = mapped_column(default=False)
