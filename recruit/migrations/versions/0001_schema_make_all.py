"""Schema make all.

The schema of the first release. Step 1 of 1.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email_token", sa.LargeBinary(), nullable=False),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "invited",
                "active",
                "deactivated",
                name="account_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("auth_epoch", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("theme", sa.String(length=8), nullable=False),
        sa.Column("shortcuts", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_sign_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email_token", name=op.f("uq_account_email_token")),
    )
    op.create_table(
        "audit_entry",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("table_name", sa.String(length=63), nullable=False),
        sa.Column("row_id", sa.String(length=40), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=True),
        sa.Column("operation", sa.String(length=6), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entry_actor", ["actor", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entry_recorded_at"), ["recorded_at"], unique=False)
        batch_op.create_index("ix_audit_entry_row", ["table_name", "row_id"], unique=False)

    op.create_table(
        "contact_point",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "phone",
                "email",
                "post",
                name="contact_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("address_token", sa.LargeBinary(), nullable=False),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column(
            "line_type",
            sa.Enum(
                "unknown",
                "mobile",
                "landline",
                name="line_type",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("wrong_number_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_point")),
        sa.UniqueConstraint("kind", "address_token", name=op.f("uq_contact_point_kind_address_token")),
    )
    op.create_table(
        "data_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "owner_kind",
            sa.Enum(
                "person",
                "draft",
                "account",
                "contact_point",
                "document",
                name="owner",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("master_key_id", sa.String(length=32), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_key")),
        sa.UniqueConstraint("owner_id", name=op.f("uq_data_key_owner_id")),
    )
    op.create_table(
        "document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=80), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("subject_kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column(
            "payload",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column(
            "precision",
            sa.Enum(
                "day", "month", "year", name="precision", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "web",
                "call_team",
                "site",
                "call_team_for_site",
                "site_link",
                "import",
                "api",
                "system",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("voids_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["voids_id"], ["event.id"], name=op.f("fk_event_voids_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_study_id"), ["study_id"], unique=False)
        batch_op.create_index("ix_event_subject", ["subject_kind", "subject_id", "recorded_at"], unique=False)
        batch_op.create_index("ix_event_type", ["type", "happened_on"], unique=False)
        batch_op.create_index(
            "one_void_per_event",
            ["voids_id"],
            unique=True,
            sqlite_where=sa.text("voids_id IS NOT NULL"),
            postgresql_where=sa.text("voids_id IS NOT NULL"),
        )

    op.create_table(
        "event_waiting",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event_waiting")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_key")),
        sa.UniqueConstraint("scope", "key_hash", name=op.f("uq_idempotency_key_scope_key_hash")),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sending_on", sa.Boolean(), nullable=False),
        sa.Column("sending_epoch", sa.Integer(), nullable=False),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_slot", sa.Integer(), nullable=False),
        sa.Column("demo_anchor", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "job_lease",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job_lease")),
    )
    op.create_table(
        "login_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempt")),
    )
    with op.batch_alter_table("login_attempt", schema=None) as batch_op:
        batch_op.create_index("ix_login_attempt_subject_at", ["subject", "at"], unique=False)

    op.create_table(
        "site",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("street", sa.String(length=200), nullable=False),
        sa.Column("city", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("postcode", sa.String(length=12), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("phone", sa.String(length=32), nullable=False),
        sa.Column(
            "languages",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("interpreter", sa.Boolean(), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("slug", name=op.f("uq_site_slug")),
    )
    op.create_table(
        "suppression",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address_token", sa.LargeBinary(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "call",
                "sms",
                "email",
                "post",
                "voicemail",
                "in_person",
                name="contact_channel",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "stop",
                "wrong_number",
                "person_asked",
                "bounced",
                "complaint",
                "erased",
                name="suppression_reason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(length=80), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
    )
    with op.batch_alter_table("suppression", schema=None) as batch_op:
        batch_op.create_index(
            "one_live_suppression",
            ["address_token", "channel"],
            unique=True,
            sqlite_where=sa.text("lifted_at IS NULL"),
            postgresql_where=sa.text("lifted_at IS NULL"),
        )

    op.create_table(
        "view_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_view_log")),
    )
    with op.batch_alter_table("view_log", schema=None) as batch_op:
        batch_op.create_index("ix_view_log_person_id_at", ["person_id", "at"], unique=False)

    op.create_table(
        "event_position",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_event_position_event_id")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_event_position")),
        sa.UniqueConstraint("event_id", name=op.f("uq_event_position_event_id")),
    )
    op.create_table(
        "login_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("auth_epoch", sa.Integer(), nullable=False),
        sa.Column("agent", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_reason", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_login_session_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_session_token_hash")),
    )
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_session_account_id"), ["account_id"], unique=False)

    op.create_table(
        "one_time_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "invite", "reset", name="link_purpose", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_one_time_link_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_link_token_hash")),
    )
    with op.batch_alter_table("one_time_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_one_time_link_account_id"), ["account_id"], unique=False)

    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        sa.Column(
            "basis",
            sa.Enum(
                "questionnaire",
                "inquiry",
                "walk_in",
                "call",
                "site_list",
                name="basis",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("given_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("family_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("say_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("birth_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("best_time", sa.String(length=40), nullable=False),
        sa.Column("postcode", sa.String(length=12), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("custodian_site_id", sa.Uuid(), nullable=True),
        sa.Column("do_not_contact_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "merged_into_id IS NULL OR merged_into_id <> id", name=op.f("ck_person_not_into_itself")
        ),
        sa.ForeignKeyConstraint(["custodian_site_id"], ["site.id"], name=op.f("fk_person_custodian_site_id")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["person.id"], name=op.f("fk_person_merged_into_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("slot", name=op.f("uq_person_slot")),
    )
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_merged_into_id"), ["merged_into_id"], unique=False)

    op.create_table(
        "provider_callback",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "status", "inbound", name="callback_kind", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("sid", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column(
            "payload",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("contact_point_id", sa.Uuid(), nullable=True),
        sa.Column("address_token", sa.LargeBinary(), nullable=True),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("reply_class", sa.String(length=20), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_point_id"], ["contact_point.id"], name=op.f("fk_provider_callback_contact_point_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_callback")),
        sa.UniqueConstraint(
            "provider", "kind", "sid", "status", name=op.f("uq_provider_callback_provider_kind_sid_status")
        ),
    )
    with op.batch_alter_table("provider_callback", schema=None) as batch_op:
        batch_op.create_index("ix_provider_callback_waiting", ["applied_at", "received_at"], unique=False)

    op.create_table(
        "site_closed_day",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_closed_day_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_closed_day")),
        sa.UniqueConstraint("site_id", "day", name=op.f("uq_site_closed_day_site_id_day")),
    )
    op.create_table(
        "site_hours",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.CheckConstraint("closes > opens", name=op.f("ck_site_hours_closes_after_opens")),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_site_hours_weekday")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_hours_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_hours")),
        sa.UniqueConstraint("site_id", "weekday", "opens", name=op.f("uq_site_hours_site_id_weekday_opens")),
    )
    op.create_table(
        "study",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "open",
                "closed",
                name="study_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("protocol_number", sa.String(length=80), nullable=False),
        sa.Column("nickname", sa.String(length=80), nullable=False),
        sa.Column(
            "neutral_names",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("sponsor", sa.Text(), nullable=False),
        sa.Column("cro", sa.String(length=200), nullable=False),
        sa.Column("phase", sa.String(length=80), nullable=False),
        sa.Column("indication", sa.Text(), nullable=False),
        sa.Column("healthy_volunteers", sa.Boolean(), nullable=True),
        sa.Column("planned_enrolment", sa.Integer(), nullable=True),
        sa.Column("recruit_from", sa.Date(), nullable=True),
        sa.Column("recruit_until", sa.Date(), nullable=True),
        sa.Column("competitive", sa.Boolean(), nullable=False),
        sa.Column("screen_limit", sa.Integer(), nullable=True),
        sa.Column("randomise_limit", sa.Integer(), nullable=True),
        sa.Column(
            "enrolment_counts",
            sa.Enum(
                "enrolled",
                "randomised",
                name="enrolment_counts",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("rescreen_times", sa.Integer(), nullable=False),
        sa.Column("rescreen_after_days", sa.Integer(), nullable=False),
        sa.Column("study_partner_needed", sa.Boolean(), nullable=False),
        sa.Column(
            "icf_languages",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "visits",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("asking", sa.String(length=10), nullable=False),
        sa.Column("cross_study", sa.Boolean(), nullable=False),
        sa.Column("registry_allowed", sa.Boolean(), nullable=False),
        sa.Column("offer_other_studies", sa.Boolean(), nullable=False),
        sa.Column(
            "offer_sponsors",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("screened_out_days", sa.Integer(), nullable=False),
        sa.Column("budget_minor", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("safety_contact", sa.String(length=200), nullable=False),
        sa.Column("safety_deputy", sa.String(length=200), nullable=False),
        sa.Column("lead_owner_id", sa.Uuid(), nullable=True),
        sa.Column("lead_site_id", sa.Uuid(), nullable=True),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "budget_minor IS NULL OR budget_minor >= 0", name=op.f("ck_study_budget_not_negative")
        ),
        sa.CheckConstraint(
            "planned_enrolment IS NULL OR planned_enrolment > 0", name=op.f("ck_study_planned_positive")
        ),
        sa.ForeignKeyConstraint(["lead_owner_id"], ["account.id"], name=op.f("fk_study_lead_owner_id")),
        sa.ForeignKeyConstraint(["lead_site_id"], ["site.id"], name=op.f("fk_study_lead_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study")),
        sa.UniqueConstraint("slug", name=op.f("uq_study_slug")),
    )
    op.create_table(
        "approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=True),
        sa.Column("irb_name", sa.String(length=120), nullable=False),
        sa.Column("submission_number", sa.String(length=80), nullable=False),
        sa.Column(
            "determination",
            sa.Enum(
                "approved",
                "not_required",
                "acknowledged",
                name="determination",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("certificate_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=80), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "determination <> 'not_required' OR basis <> ''", name=op.f("ck_approval_basis_where_not_required")
        ),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from", name=op.f("ck_approval_validity_order")
        ),
        sa.ForeignKeyConstraint(["certificate_id"], ["document.id"], name=op.f("fk_approval_certificate_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_approval_document_id")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_approval_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_study_id"), ["study_id"], unique=False)

    op.create_table(
        "audience",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "call",
                "sms",
                "email",
                "post",
                "voicemail",
                "in_person",
                name="contact_channel",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "criteria",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("handed_over", sa.Boolean(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column(
            "left_out",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_by", sa.String(length=80), nullable=False),
        sa.CheckConstraint("size >= 0", name=op.f("ck_audience_size_not_negative")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_audience_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audience")),
    )
    with op.batch_alter_table("audience", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audience_study_id"), ["study_id"], unique=False)

    op.create_table(
        "cohort",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("cap", sa.Integer(), nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_cohort_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cohort")),
        sa.UniqueConstraint("study_id", "code", name=op.f("uq_cohort_study_id_code")),
    )
    op.create_table(
        "communication",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("contact_point_id", sa.Uuid(), nullable=True),
        sa.Column(
            "direction",
            sa.Enum("out", "in", name="direction", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column(
            "channel",
            sa.Enum(
                "call",
                "sms",
                "email",
                "post",
                "voicemail",
                "in_person",
                name="contact_channel",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_point_id"], ["contact_point.id"], name=op.f("fk_communication_contact_point_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_communication_person_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_communication_site_id")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_communication_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_communication")),
    )
    with op.batch_alter_table("communication", schema=None) as batch_op:
        batch_op.create_index("ix_communication_person_id_at", ["person_id", "at"], unique=False)

    op.create_table(
        "grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "recruiter",
                "marketer",
                "coordinator",
                "admin",
                "auditor",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("study_id", sa.Uuid(), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_by", sa.String(length=80), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_grant_account_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_grant_site_id")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_grant_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant")),
    )
    with op.batch_alter_table("grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grant_account_id"), ["account_id"], unique=False)

    op.create_table(
        "material",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "study_page",
                "payment",
                "travel",
                "questions_answered",
                "not_recruiting",
                "ad",
                "sms",
                "email",
                "voicemail",
                "phone_script",
                "poster",
                "letter",
                "tracker",
                name="material_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_material_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_material")),
    )
    with op.batch_alter_table("material", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_material_study_id"), ["study_id"], unique=False)

    op.create_table(
        "person_contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("contact_point_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "self",
                "guardian",
                "household",
                name="contact_role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("contact_name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("preferred", sa.Boolean(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_point_id"], ["contact_point.id"], name=op.f("fk_person_contact_contact_point_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_contact_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_contact")),
    )
    with op.batch_alter_table("person_contact", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_person_contact_contact_point_id"), ["contact_point_id"], unique=False
        )
        batch_op.create_index(
            "one_live_link",
            ["person_id", "contact_point_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "questionnaire_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "published",
                "withdrawn",
                name="version_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "document",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("touches_earlier", sa.Boolean(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.String(length=80), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_questionnaire_version_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questionnaire_version")),
        sa.UniqueConstraint("study_id", "number", name=op.f("uq_questionnaire_version_study_id_number")),
    )
    op.create_table(
        "reason",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "not_interested",
                "could_not_reach",
                "returned_by_site",
                "withdrawn",
                name="reason_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_reason_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reason")),
    )
    op.create_table(
        "search_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_search_token_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_token")),
        sa.UniqueConstraint(
            "person_id", "kind", "key_id", "token", name=op.f("uq_search_token_person_id_kind_key_id_token")
        ),
    )
    with op.batch_alter_table("search_token", schema=None) as batch_op:
        batch_op.create_index("ix_search_token_lookup", ["token", "kind"], unique=False)

    op.create_table(
        "study_fact_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "document",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_study_fact_key_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_fact_key")),
        sa.UniqueConstraint("study_id", "name", name=op.f("uq_study_fact_key_study_id_name")),
    )
    op.create_table(
        "study_identifier",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_study_identifier_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_identifier")),
        sa.UniqueConstraint(
            "study_id", "system", "value", name=op.f("uq_study_identifier_study_id_system_value")
        ),
    )
    with op.batch_alter_table("study_identifier", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_study_identifier_study_id"), ["study_id"], unique=False)
        batch_op.create_index(
            "one_study_per_registry_number",
            ["value"],
            unique=True,
            sqlite_where=sa.text("system = 'ClinicalTrials.gov'"),
            postgresql_where=sa.text("system = 'ClinicalTrials.gov'"),
        )

    op.create_table(
        "study_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.String(length=80), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "record",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "differences",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_study_import_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_import")),
    )
    with op.batch_alter_table("study_import", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_study_import_study_id"), ["study_id"], unique=False)

    op.create_table(
        "study_location",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("facility", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("postcode", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_study_location_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_location")),
    )
    with op.batch_alter_table("study_location", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_study_location_study_id"), ["study_id"], unique=False)

    op.create_table(
        "study_site",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "selected",
                "start_up",
                "initiated",
                "activated",
                "paused",
                "enrolment_closed",
                "closed_out",
                name="study_site_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("protocol_site_number", sa.String(length=40), nullable=False),
        sa.Column("study_phone", sa.String(length=32), nullable=False),
        sa.Column("weekly_calls", sa.Integer(), nullable=True),
        sa.Column("weekly_visits", sa.Integer(), nullable=True),
        sa.Column("target", sa.Integer(), nullable=True),
        sa.Column("target_by", sa.Date(), nullable=True),
        sa.Column("reimbursed_screen_fail_ratio", sa.Numeric(precision=6, scale=2), nullable=True),
        sa.Column("irb_name", sa.String(length=120), nullable=False),
        sa.Column("irb_number", sa.String(length=80), nullable=False),
        sa.Column("approved_on", sa.Date(), nullable=True),
        sa.Column("approval_expires_on", sa.Date(), nullable=True),
        sa.Column(
            "first_call_by",
            sa.Enum(
                "call_team",
                "site",
                "either",
                name="first_call_by",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "phone_screen_by",
            sa.Enum(
                "call_team",
                "site",
                "either",
                name="phone_screen_by",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "booking_by",
            sa.Enum(
                "call_team",
                "site",
                "either",
                name="booking_by",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "approved_on IS NULL OR approval_expires_on IS NULL OR approval_expires_on >= approved_on",
            name=op.f("ck_study_site_approval_order"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_study_site_site_id")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_study_site_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_site")),
        sa.UniqueConstraint("study_id", "site_id", name=op.f("uq_study_site_study_id_site_id")),
    )
    with op.batch_alter_table("study_site", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_study_site_site_id"), ["site_id"], unique=False)

    op.create_table(
        "verification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("contact_point_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wrong_tries", sa.Integer(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_point_id"], ["contact_point.id"], name=op.f("fk_verification_contact_point_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_verification_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification")),
    )
    with op.batch_alter_table("verification", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_verification_contact_point_id"), ["contact_point_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_verification_person_id"), ["person_id"], unique=False)

    op.create_table(
        "approval_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column(
            "subject_kind",
            sa.Enum(
                "material_version",
                "questionnaire_version",
                "protocol_version",
                name="approved_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["approval_id"], ["approval.id"], name=op.f("fk_approval_item_approval_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_item")),
        sa.UniqueConstraint(
            "approval_id",
            "subject_id",
            "language",
            name=op.f("uq_approval_item_approval_id_subject_id_language"),
        ),
    )
    with op.batch_alter_table("approval_item", schema=None) as batch_op:
        batch_op.create_index("ix_approval_item_subject", ["subject_id", "language"], unique=False)

    op.create_table(
        "approval_site",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("study_site_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["approval_id"], ["approval.id"], name=op.f("fk_approval_site_approval_id")),
        sa.ForeignKeyConstraint(
            ["study_site_id"], ["study_site.id"], name=op.f("fk_approval_site_study_site_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_site")),
        sa.UniqueConstraint(
            "approval_id", "study_site_id", name=op.f("uq_approval_site_approval_id_study_site_id")
        ),
    )
    op.create_table(
        "audience_member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("audience_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("contact_point_id", sa.Uuid(), nullable=False),
        sa.Column("study_site_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["audience_id"], ["audience.id"], name=op.f("fk_audience_member_audience_id")),
        sa.ForeignKeyConstraint(
            ["contact_point_id"], ["contact_point.id"], name=op.f("fk_audience_member_contact_point_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_audience_member_person_id")),
        sa.ForeignKeyConstraint(
            ["study_site_id"], ["study_site.id"], name=op.f("fk_audience_member_study_site_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audience_member")),
        sa.UniqueConstraint(
            "audience_id", "contact_point_id", name=op.f("uq_audience_member_audience_id_contact_point_id")
        ),
        sa.UniqueConstraint("audience_id", "person_id", name=op.f("uq_audience_member_audience_id_person_id")),
    )
    with op.batch_alter_table("audience_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audience_member_person_id"), ["person_id"], unique=False)

    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("contact_point_id", sa.Uuid(), nullable=True),
        sa.Column(
            "channel",
            sa.Enum(
                "call",
                "sms",
                "email",
                "post",
                "voicemail",
                "in_person",
                name="contact_channel",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "purpose",
            sa.Enum(
                "check_answers",
                "contact",
                "voicemail_naming_study",
                "registry",
                "partner_site",
                "medical_records",
                "call_recording",
                name="purpose",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "scope",
            sa.Enum(
                "study",
                "registry",
                "site",
                name="consent_scope",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("study_id", sa.Uuid(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("text_version", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("questionnaire_version_id", sa.Uuid(), nullable=True),
        sa.Column("study_site_id", sa.Uuid(), nullable=True),
        sa.Column("how", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("recorded_by", sa.String(length=80), nullable=False),
        sa.CheckConstraint("scope <> 'site' OR site_id IS NOT NULL", name=op.f("ck_consent_site_named")),
        sa.CheckConstraint("scope <> 'study' OR study_id IS NOT NULL", name=op.f("ck_consent_study_named")),
        sa.ForeignKeyConstraint(
            ["contact_point_id"], ["contact_point.id"], name=op.f("fk_consent_contact_point_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_consent_person_id")),
        sa.ForeignKeyConstraint(
            ["questionnaire_version_id"],
            ["questionnaire_version.id"],
            name=op.f("fk_consent_questionnaire_version_id"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_consent_site_id")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_consent_study_id")),
        sa.ForeignKeyConstraint(["study_site_id"], ["study_site.id"], name=op.f("fk_consent_study_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index("ix_consent_person", ["person_id", "purpose", "at"], unique=False)

    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("cohort_id", sa.Uuid(), nullable=True),
        sa.Column(
            "reason",
            sa.Enum(
                "sponsor",
                "safety",
                "irb",
                "capacity",
                "target_reached",
                name="hold_reason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_by", sa.String(length=80), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(length=80), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "lifted_at IS NULL OR lifted_at >= effective_at", name=op.f("ck_hold_lifted_after_effective")
        ),
        sa.CheckConstraint(
            "study_id IS NOT NULL OR site_id IS NOT NULL OR cohort_id IS NOT NULL",
            name=op.f("ck_hold_scope_named"),
        ),
        sa.ForeignKeyConstraint(["cohort_id"], ["cohort.id"], name=op.f("fk_hold_cohort_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_hold_site_id")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_hold_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hold_site_id"), ["site_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_hold_study_id"), ["study_id"], unique=False)

    op.create_table(
        "material_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("material_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "variables",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "internal_review",
                "sponsor_review",
                "submitted",
                "changes_required",
                "approved",
                "in_use",
                "superseded",
                "expired",
                "withdrawn",
                name="material_state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["material_id"], ["material.id"], name=op.f("fk_material_version_material_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_material_version")),
        sa.UniqueConstraint(
            "material_id", "language", "number", name=op.f("uq_material_version_material_id_language_number")
        ),
    )
    op.create_table(
        "protocol_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "published",
                "withdrawn",
                name="version_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "document",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.String(length=80), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["study_import.id"], name=op.f("fk_protocol_version_import_id")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_protocol_version_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_protocol_version")),
        sa.UniqueConstraint("study_id", "number", name=op.f("uq_protocol_version_study_id_number")),
    )
    op.create_table(
        "study_site_person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_site_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "principal_investigator",
                "sub_investigator",
                "study_coordinator",
                name="site_person_role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column(
            "tasks",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("trained_on", sa.Date(), nullable=True),
        sa.Column("from_day", sa.Date(), nullable=True),
        sa.Column("until_day", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_study_site_person_account_id")),
        sa.ForeignKeyConstraint(
            ["study_site_id"], ["study_site.id"], name=op.f("fk_study_site_person_study_site_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_site_person")),
    )
    with op.batch_alter_table("study_site_person", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_study_site_person_study_site_id"), ["study_site_id"], unique=False)

    op.create_table(
        "amendment_count",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("protocol_version_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "result",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["protocol_version_id"],
            ["protocol_version.id"],
            name=op.f("fk_amendment_count_protocol_version_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendment_count")),
        sa.UniqueConstraint("protocol_version_id", name=op.f("uq_amendment_count_protocol_version_id")),
    )
    op.create_table(
        "feasibility_count",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("protocol_version_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "asked",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "result",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "told",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("sets", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["protocol_version_id"],
            ["protocol_version.id"],
            name=op.f("fk_feasibility_count_protocol_version_id"),
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_feasibility_count_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feasibility_count")),
        sa.UniqueConstraint("place", name=op.f("uq_feasibility_count_place")),
    )
    with op.batch_alter_table("feasibility_count", schema=None) as batch_op:
        batch_op.create_index("ix_feasibility_count_version", ["protocol_version_id", "asked_at"], unique=False)

    op.create_table(
        "source_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column(
            "medium",
            sa.Enum(
                "social",
                "search",
                "display",
                "email",
                "sms",
                "poster",
                "radio",
                "event",
                "doctor",
                "partner",
                "site",
                "word_of_mouth",
                "other",
                name="medium",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("channel", sa.String(length=60), nullable=False),
        sa.Column("campaign", sa.String(length=80), nullable=False),
        sa.Column("content", sa.String(length=80), nullable=False),
        sa.Column("material_version_id", sa.Uuid(), nullable=True),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["material_version_id"], ["material_version.id"], name=op.f("fk_source_link_material_version_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_source_link_site_id")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_source_link_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_link")),
        sa.UniqueConstraint("code", name=op.f("uq_source_link_code")),
    )
    with op.batch_alter_table("source_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_link_study_id"), ["study_id"], unique=False)

    op.create_table(
        "version_in_force",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_site_id", sa.Uuid(), nullable=False),
        sa.Column("protocol_version_id", sa.Uuid(), nullable=False),
        sa.Column("questionnaire_version_id", sa.Uuid(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column(
            "begun_drafts",
            sa.Enum(
                "finish",
                "carry_over",
                "withdraw",
                name="begun_drafts",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=80), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["protocol_version_id"],
            ["protocol_version.id"],
            name=op.f("fk_version_in_force_protocol_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["questionnaire_version_id"],
            ["questionnaire_version.id"],
            name=op.f("fk_version_in_force_questionnaire_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["study_site_id"], ["study_site.id"], name=op.f("fk_version_in_force_study_site_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_version_in_force")),
        sa.UniqueConstraint(
            "study_site_id", "effective_from", name=op.f("uq_version_in_force_study_site_id_effective_from")
        ),
    )
    op.create_table(
        "campaign",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("audience_id", sa.Uuid(), nullable=False),
        sa.Column("material_version_id", sa.Uuid(), nullable=False),
        sa.Column("material_sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "verification",
                "service",
                "study",
                "invitation",
                name="message_purpose",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("source_link_id", sa.Uuid(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "ready",
                "started",
                "paused",
                "cancelled",
                name="campaign_state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("request_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_by", sa.String(length=80), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'started' OR started_at IS NOT NULL", name=op.f("ck_campaign_started_when")
        ),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_campaign_expires_after_creation")),
        sa.ForeignKeyConstraint(["audience_id"], ["audience.id"], name=op.f("fk_campaign_audience_id")),
        sa.ForeignKeyConstraint(
            ["material_version_id"], ["material_version.id"], name=op.f("fk_campaign_material_version_id")
        ),
        sa.ForeignKeyConstraint(
            ["source_link_id"], ["source_link.id"], name=op.f("fk_campaign_source_link_id")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_campaign_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("audience_id", name=op.f("uq_campaign_audience_id")),
        sa.UniqueConstraint("request_key", name=op.f("uq_campaign_request_key")),
    )
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_campaign_study_id"), ["study_id"], unique=False)

    op.create_table(
        "draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "entrance",
            sa.Enum(
                "online",
                "assisted_call",
                "walk_in",
                "kiosk",
                "preview",
                name="entrance",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("study_site_id", sa.Uuid(), nullable=True),
        sa.Column("protocol_version_id", sa.Uuid(), nullable=False),
        sa.Column("questionnaire_version_id", sa.Uuid(), nullable=False),
        sa.Column("vocabulary_hash", sa.String(length=64), nullable=False),
        sa.Column("source_link_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column(
            "respondent",
            sa.Enum(
                "self",
                "child",
                "cared_for",
                name="respondent",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "completed",
                "submitted",
                "stopped",
                name="draft_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            sa.Enum(
                "may_fit",
                "need_to_talk",
                "not_this_study",
                "later",
                "waitlist",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("answers_sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "path",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_draft_person_id")),
        sa.ForeignKeyConstraint(
            ["protocol_version_id"], ["protocol_version.id"], name=op.f("fk_draft_protocol_version_id")
        ),
        sa.ForeignKeyConstraint(
            ["questionnaire_version_id"],
            ["questionnaire_version.id"],
            name=op.f("fk_draft_questionnaire_version_id"),
        ),
        sa.ForeignKeyConstraint(["source_link_id"], ["source_link.id"], name=op.f("fk_draft_source_link_id")),
        sa.ForeignKeyConstraint(["started_by"], ["account.id"], name=op.f("fk_draft_started_by")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_draft_study_id")),
        sa.ForeignKeyConstraint(["study_site_id"], ["study_site.id"], name=op.f("fk_draft_study_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_draft_token_hash")),
    )
    with op.batch_alter_table("draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_last_at"), ["last_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_draft_study_id"), ["study_id"], unique=False)

    op.create_table(
        "inquiry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("study_site_id", sa.Uuid(), nullable=True),
        sa.Column(
            "channel",
            sa.Enum(
                "form",
                "csv",
                "webhook",
                "api",
                "hand",
                "doctor",
                "missed_call",
                name="inquiry_channel",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("source_link_id", sa.Uuid(), nullable=True),
        sa.Column("clinician_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_inquiry_person_id")),
        sa.ForeignKeyConstraint(["source_link_id"], ["source_link.id"], name=op.f("fk_inquiry_source_link_id")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_inquiry_study_id")),
        sa.ForeignKeyConstraint(["study_site_id"], ["study_site.id"], name=op.f("fk_inquiry_study_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inquiry")),
    )
    with op.batch_alter_table("inquiry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inquiry_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_inquiry_study_id"), ["study_id"], unique=False)

    op.create_table(
        "link_hit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_link_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("person", "preview", name="hit_kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["source_link_id"], ["source_link.id"], name=op.f("fk_link_hit_source_link_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_hit")),
    )
    with op.batch_alter_table("link_hit", schema=None) as batch_op:
        batch_op.create_index("ix_link_hit_source_link_id_at", ["source_link_id", "at"], unique=False)

    op.create_table(
        "match",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("study_site_id", sa.Uuid(), nullable=True),
        sa.Column(
            "triage",
            sa.Enum(
                "to_call",
                "snoozed",
                "referred",
                "closed",
                "held",
                "waitlisted",
                "deferred",
                name="triage",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "machine_disposition",
            sa.Enum(
                "ineligible",
                "potential_candidate",
                "candidate",
                name="machine_disposition",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "effective_disposition",
            sa.Enum(
                "ineligible",
                "potential_candidate",
                "candidate",
                name="effective_disposition",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("first_source_link_id", sa.Uuid(), nullable=True),
        sa.Column("last_source_link_id", sa.Uuid(), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "due_reason",
            sa.Enum(
                "first_call",
                "next_try",
                "promise",
                "decide",
                "snoozed",
                "deferred",
                "no_show",
                "visit_cancelled",
                "returned",
                "reopened",
                "other_channel",
                name="due_reason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("plan_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_contact_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_version_id", sa.Uuid(), nullable=True),
        sa.Column("assigned_to", sa.Uuid(), nullable=True),
        sa.Column("deferred_until", sa.Date(), nullable=True),
        sa.Column("closed_reason", sa.String(length=40), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["assigned_to"], ["account.id"], name=op.f("fk_match_assigned_to")),
        sa.ForeignKeyConstraint(
            ["first_source_link_id"], ["source_link.id"], name=op.f("fk_match_first_source_link_id")
        ),
        sa.ForeignKeyConstraint(
            ["last_source_link_id"], ["source_link.id"], name=op.f("fk_match_last_source_link_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_match_person_id")),
        sa.ForeignKeyConstraint(
            ["signed_version_id"], ["protocol_version.id"], name=op.f("fk_match_signed_version_id")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_match_study_id")),
        sa.ForeignKeyConstraint(["study_site_id"], ["study_site.id"], name=op.f("fk_match_study_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match")),
        sa.UniqueConstraint("person_id", "study_id", name=op.f("uq_match_person_id_study_id")),
    )
    with op.batch_alter_table("match", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_match_first_source_link_id"), ["first_source_link_id"], unique=False
        )
        batch_op.create_index("ix_match_queue", ["triage", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_match_study_id"), ["study_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_match_study_site_id"), ["study_site_id"], unique=False)

    op.create_table(
        "question_counter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("questionnaire_version_id", sa.Uuid(), nullable=False),
        sa.Column("source_link_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column(
            "entrance",
            sa.Enum(
                "online",
                "assisted_call",
                "walk_in",
                "kiosk",
                "preview",
                name="entrance",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("item", sa.String(length=60), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["questionnaire_version_id"],
            ["questionnaire_version.id"],
            name=op.f("fk_question_counter_questionnaire_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["source_link_id"], ["source_link.id"], name=op.f("fk_question_counter_source_link_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_counter")),
    )
    op.create_table(
        "settled_counter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("questionnaire_version_id", sa.Uuid(), nullable=False),
        sa.Column("source_link_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column(
            "entrance",
            sa.Enum(
                "online",
                "assisted_call",
                "walk_in",
                "kiosk",
                "preview",
                name="entrance",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reached", sa.String(length=20), nullable=False),
        sa.Column("last_item", sa.String(length=60), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["questionnaire_version_id"],
            ["questionnaire_version.id"],
            name=op.f("fk_settled_counter_questionnaire_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["source_link_id"], ["source_link.id"], name=op.f("fk_settled_counter_source_link_id")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_settled_counter_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settled_counter")),
    )
    op.create_table(
        "spend",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_link_id", sa.Uuid(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("entry_key", sa.LargeBinary(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.String(length=80), nullable=False),
        sa.CheckConstraint("length(currency) = 3", name=op.f("ck_spend_currency_code")),
        sa.CheckConstraint("until_day >= from_day", name=op.f("ck_spend_days_in_order")),
        sa.ForeignKeyConstraint(["source_link_id"], ["source_link.id"], name=op.f("fk_spend_source_link_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spend")),
        sa.UniqueConstraint("entry_key", name=op.f("uq_spend_entry_key")),
    )
    with op.batch_alter_table("spend", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spend_source_link_id"), ["source_link_id"], unique=False)

    op.create_table(
        "stage_counter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("study_site_id", sa.Uuid(), nullable=True),
        sa.Column("source_link_id", sa.Uuid(), nullable=True),
        sa.Column("stage", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_link_id"], ["source_link.id"], name=op.f("fk_stage_counter_source_link_id")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_stage_counter_study_id")),
        sa.ForeignKeyConstraint(
            ["study_site_id"], ["study_site.id"], name=op.f("fk_stage_counter_study_site_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_counter")),
    )
    op.create_table(
        "submission",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("study_site_id", sa.Uuid(), nullable=True),
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column(
            "entrance",
            sa.Enum(
                "online",
                "assisted_call",
                "walk_in",
                "kiosk",
                "preview",
                name="entrance",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "respondent",
            sa.Enum(
                "self",
                "child",
                "cared_for",
                name="respondent",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("protocol_version_id", sa.Uuid(), nullable=False),
        sa.Column("questionnaire_version_id", sa.Uuid(), nullable=False),
        sa.Column("source_link_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "may_fit",
                "need_to_talk",
                "not_this_study",
                "later",
                "waitlist",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("answers_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_submission_person_id")),
        sa.ForeignKeyConstraint(
            ["protocol_version_id"], ["protocol_version.id"], name=op.f("fk_submission_protocol_version_id")
        ),
        sa.ForeignKeyConstraint(
            ["questionnaire_version_id"],
            ["questionnaire_version.id"],
            name=op.f("fk_submission_questionnaire_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["source_link_id"], ["source_link.id"], name=op.f("fk_submission_source_link_id")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_submission_study_id")),
        sa.ForeignKeyConstraint(["study_site_id"], ["study_site.id"], name=op.f("fk_submission_study_site_id")),
        sa.ForeignKeyConstraint(["submitted_by"], ["account.id"], name=op.f("fk_submission_submitted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
        sa.UniqueConstraint("draft_id", name=op.f("uq_submission_draft_id")),
    )
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_submission_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_submission_study_id"), ["study_id"], unique=False)

    op.create_table(
        "assessment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.Uuid(), nullable=False),
        sa.Column("protocol_version_id", sa.Uuid(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column(
            "disposition",
            sa.Enum(
                "ineligible",
                "potential_candidate",
                "candidate",
                name="disposition",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "result",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "fact_ids",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("engine_hash", sa.String(length=64), nullable=False),
        sa.Column("vocabulary_hash", sa.String(length=64), nullable=False),
        sa.Column("terms_hash", sa.String(length=64), nullable=False),
        sa.Column("policy_hash", sa.String(length=64), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["match_id"], ["match.id"], name=op.f("fk_assessment_match_id")),
        sa.ForeignKeyConstraint(
            ["protocol_version_id"], ["protocol_version.id"], name=op.f("fk_assessment_protocol_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
    )
    with op.batch_alter_table("assessment", schema=None) as batch_op:
        batch_op.create_index("ix_assessment_match_id_at", ["match_id", "at"], unique=False)

    op.create_table(
        "fact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column(
            "value",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("raw_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("observed_lo", sa.Date(), nullable=True),
        sa.Column("observed_hi", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=30), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=True),
        sa.Column("submission_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_by", sa.String(length=80), nullable=False),
        sa.Column("retracts_id", sa.Uuid(), nullable=True),
        sa.Column("only_retracts", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "observed_lo IS NULL OR observed_hi IS NULL OR observed_hi >= observed_lo",
            name=op.f("ck_fact_observed_order"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_fact_person_id")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_fact_study_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_fact_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact")),
    )
    with op.batch_alter_table("fact", schema=None) as batch_op:
        batch_op.create_index("ix_fact_person_id_key", ["person_id", "key"], unique=False)

    op.create_table(
        "match_watch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.Uuid(), nullable=False),
        sa.Column("look_again_on", sa.Date(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["match_id"], ["match.id"], name=op.f("fk_match_watch_match_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_watch")),
        sa.UniqueConstraint("match_id", name=op.f("uq_match_watch_match_id")),
    )
    with op.batch_alter_table("match_watch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_match_watch_look_again_on"), ["look_again_on"], unique=False)

    op.create_table(
        "message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dedupe_key", sa.String(length=120), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "verification",
                "service",
                "study",
                "invitation",
                name="message_purpose",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "channel",
            sa.Enum(
                "call",
                "sms",
                "email",
                "post",
                "voicemail",
                "in_person",
                name="contact_channel",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("contact_point_id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=True),
        sa.Column("study_site_id", sa.Uuid(), nullable=True),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("material_version_id", sa.Uuid(), nullable=True),
        sa.Column("material_sha256", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "queued",
                "held",
                "sending",
                "unknown",
                "suppressed",
                "cancelled",
                "expired",
                "accepted",
                "sent",
                "failed",
                "undelivered",
                "delivered",
                name="message_state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("consent_id", sa.Uuid(), nullable=True),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("provider_sid", sa.String(length=64), nullable=True),
        sa.Column("sending_epoch", sa.Integer(), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(material_version_id IS NULL) = (purpose IN ('verification', 'service'))",
            name=op.f("ck_message_wording_named"),
        ),
        sa.CheckConstraint(
            "state <> 'sending' OR lease_until IS NOT NULL", name=op.f("ck_message_sending_has_lease")
        ),
        sa.CheckConstraint("attempt >= 0 AND fence >= 0", name=op.f("ck_message_counts_not_negative")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_message_campaign_id")),
        sa.ForeignKeyConstraint(
            ["contact_point_id"], ["contact_point.id"], name=op.f("fk_message_contact_point_id")
        ),
        sa.ForeignKeyConstraint(
            ["material_version_id"], ["material_version.id"], name=op.f("fk_message_material_version_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_message_person_id")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_message_study_id")),
        sa.ForeignKeyConstraint(["study_site_id"], ["study_site.id"], name=op.f("fk_message_study_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_message_dedupe_key")),
        sa.UniqueConstraint("provider_sid", name=op.f("uq_message_provider_sid")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index("ix_message_campaign_id_state", ["campaign_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_contact_point_id"), ["contact_point_id"], unique=False)
        batch_op.create_index("ix_message_due", ["state", "priority", "not_before"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_person_id"), ["person_id"], unique=False)
        batch_op.create_index(
            "one_in_flight_per_number",
            ["contact_point_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('sending', 'unknown')"),
            postgresql_where=sa.text("state IN ('sending', 'unknown')"),
        )

    op.create_table(
        "note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("is_record", sa.Boolean(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["match_id"], ["match.id"], name=op.f("fk_note_match_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_note_person_id")),
        sa.ForeignKeyConstraint(["written_by"], ["account.id"], name=op.f("fk_note_written_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    with op.batch_alter_table("note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_note_match_id"), ["match_id"], unique=False)

    op.create_table(
        "open_call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_open_call_account_id")),
        sa.ForeignKeyConstraint(["match_id"], ["match.id"], name=op.f("fk_open_call_match_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_open_call_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_call")),
        sa.UniqueConstraint("person_id", name=op.f("uq_open_call_person_id")),
    )
    with op.batch_alter_table("open_call", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_open_call_match_id"), ["match_id"], unique=False)

    op.create_table(
        "override",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.Uuid(), nullable=False),
        sa.Column("protocol_version_id", sa.Uuid(), nullable=False),
        sa.Column("lineage_id", sa.String(length=60), nullable=False),
        sa.Column("passes", sa.Boolean(), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("facts_hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.Column("lapsed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["match_id"], ["match.id"], name=op.f("fk_override_match_id")),
        sa.ForeignKeyConstraint(
            ["protocol_version_id"], ["protocol_version.id"], name=op.f("fk_override_protocol_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_override")),
    )
    with op.batch_alter_table("override", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_override_match_id"), ["match_id"], unique=False)

    op.create_table(
        "message_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column(
            "state_before",
            sa.Enum(
                "planned",
                "queued",
                "held",
                "sending",
                "unknown",
                "suppressed",
                "cancelled",
                "expired",
                "accepted",
                "sent",
                "failed",
                "undelivered",
                "delivered",
                name="state_before",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state_after",
            sa.Enum(
                "planned",
                "queued",
                "held",
                "sending",
                "unknown",
                "suppressed",
                "cancelled",
                "expired",
                "accepted",
                "sent",
                "failed",
                "undelivered",
                "delivered",
                name="state_after",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("provider_sid", sa.String(length=64), nullable=False),
        sa.Column("provider_code", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_message_event_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_event")),
    )
    with op.batch_alter_table("message_event", schema=None) as batch_op:
        batch_op.create_index("ix_message_event_message_id_at", ["message_id", "at"], unique=False)

    op.create_table(
        "referral",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("study_site_id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=True),
        sa.Column("protocol_version_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "referred",
                "acknowledged",
                "contact_attempted",
                "contacted",
                "phone_screen_passed",
                "phone_screen_failed",
                "visit_booked",
                "visit_attended",
                "no_show",
                "consented",
                "consent_declined",
                "in_screening",
                "screen_failed",
                "enrolled",
                "randomised",
                "completed",
                "discontinued",
                "deferred",
                "records_pending",
                "not_interested",
                "could_not_reach",
                "duplicate",
                "returned_by_site",
                "transferred",
                "study_closed",
                "withdrawn",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("state_since", sa.Date(), nullable=False),
        sa.Column("referred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("subject_number", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "closed_at IS NULL OR closed_at >= referred_at", name=op.f("ck_referral_closed_after_referred")
        ),
        sa.ForeignKeyConstraint(["assessment_id"], ["assessment.id"], name=op.f("fk_referral_assessment_id")),
        sa.ForeignKeyConstraint(["match_id"], ["match.id"], name=op.f("fk_referral_match_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_referral_owner_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_referral_person_id")),
        sa.ForeignKeyConstraint(
            ["protocol_version_id"], ["protocol_version.id"], name=op.f("fk_referral_protocol_version_id")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_referral_study_id")),
        sa.ForeignKeyConstraint(["study_site_id"], ["study_site.id"], name=op.f("fk_referral_study_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
    )
    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_referral_match_id"), ["match_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_referral_person_id"), ["person_id"], unique=False)
        batch_op.create_index("ix_referral_study_site_id_state", ["study_site_id", "state"], unique=False)
        batch_op.create_index(
            "one_open_referral",
            ["person_id", "study_id"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "visit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "screening",
                "baseline",
                "study",
                "phone",
                name="visit_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "booked",
                "confirmed",
                "rescheduled",
                "cancelled",
                "attended",
                "no_show",
                name="visit_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "cancelled_by",
            sa.Enum(
                "participant",
                "site",
                "study",
                name="cancelled_by",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("replaced_by_id", sa.Uuid(), nullable=True),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booked_by", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_visit_minutes_positive")),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_visit_referral_id")),
        sa.ForeignKeyConstraint(["replaced_by_id"], ["visit.id"], name=op.f("fk_visit_replaced_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
    )
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visit_referral_id"), ["referral_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_starts_at"), ["starts_at"], unique=False)

    op.create_index(
        "one_counter",
        "settled_counter",
        [
            "day",
            "study_id",
            "questionnaire_version_id",
            sa.literal_column("coalesce(source_link_id, '00000000000000000000000000000000')"),
            "language",
            "entrance",
            "reached",
            "last_item",
        ],
        unique=True,
    )
    op.create_index(
        "one_live_grant",
        "grant",
        [
            "account_id",
            "role",
            sa.literal_column("coalesce(site_id, '00000000000000000000000000000000')"),
            sa.literal_column("coalesce(study_id, '00000000000000000000000000000000')"),
        ],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "one_question_counter",
        "question_counter",
        [
            "day",
            "questionnaire_version_id",
            sa.literal_column("coalesce(source_link_id, '00000000000000000000000000000000')"),
            "language",
            "entrance",
            "item",
            "what",
        ],
        unique=True,
    )
    op.create_index(
        "one_reason",
        "reason",
        [sa.literal_column("coalesce(study_id, '00000000000000000000000000000000')"), "kind", "code"],
        unique=True,
    )
    op.create_index(
        "one_stage_counter",
        "stage_counter",
        [
            "day",
            "study_id",
            sa.literal_column("coalesce(study_site_id, '00000000000000000000000000000000')"),
            sa.literal_column("coalesce(source_link_id, '00000000000000000000000000000000')"),
            "stage",
        ],
        unique=True,
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_index("one_stage_counter", table_name="stage_counter")
    op.drop_index("one_reason", table_name="reason")
    op.drop_index("one_question_counter", table_name="question_counter")
    op.drop_index(
        "one_live_grant",
        table_name="grant",
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index("one_counter", table_name="settled_counter")
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_visit_starts_at"))
        batch_op.drop_index(batch_op.f("ix_visit_referral_id"))

    op.drop_table("visit")
    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.drop_index(
            "one_open_referral",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.drop_index("ix_referral_study_site_id_state")
        batch_op.drop_index(batch_op.f("ix_referral_person_id"))
        batch_op.drop_index(batch_op.f("ix_referral_match_id"))

    op.drop_table("referral")
    with op.batch_alter_table("message_event", schema=None) as batch_op:
        batch_op.drop_index("ix_message_event_message_id_at")

    op.drop_table("message_event")
    with op.batch_alter_table("override", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_override_match_id"))

    op.drop_table("override")
    with op.batch_alter_table("open_call", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_open_call_match_id"))

    op.drop_table("open_call")
    with op.batch_alter_table("note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_note_match_id"))

    op.drop_table("note")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(
            "one_in_flight_per_number",
            sqlite_where=sa.text("state IN ('sending', 'unknown')"),
            postgresql_where=sa.text("state IN ('sending', 'unknown')"),
        )
        batch_op.drop_index(batch_op.f("ix_message_person_id"))
        batch_op.drop_index("ix_message_due")
        batch_op.drop_index(batch_op.f("ix_message_contact_point_id"))
        batch_op.drop_index("ix_message_campaign_id_state")

    op.drop_table("message")
    with op.batch_alter_table("match_watch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_match_watch_look_again_on"))

    op.drop_table("match_watch")
    with op.batch_alter_table("fact", schema=None) as batch_op:
        batch_op.drop_index("ix_fact_person_id_key")

    op.drop_table("fact")
    with op.batch_alter_table("assessment", schema=None) as batch_op:
        batch_op.drop_index("ix_assessment_match_id_at")

    op.drop_table("assessment")
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_submission_study_id"))
        batch_op.drop_index(batch_op.f("ix_submission_person_id"))

    op.drop_table("submission")
    op.drop_table("stage_counter")
    with op.batch_alter_table("spend", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spend_source_link_id"))

    op.drop_table("spend")
    op.drop_table("settled_counter")
    op.drop_table("question_counter")
    with op.batch_alter_table("match", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_match_study_site_id"))
        batch_op.drop_index(batch_op.f("ix_match_study_id"))
        batch_op.drop_index("ix_match_queue")
        batch_op.drop_index(batch_op.f("ix_match_first_source_link_id"))

    op.drop_table("match")
    with op.batch_alter_table("link_hit", schema=None) as batch_op:
        batch_op.drop_index("ix_link_hit_source_link_id_at")

    op.drop_table("link_hit")
    with op.batch_alter_table("inquiry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_inquiry_study_id"))
        batch_op.drop_index(batch_op.f("ix_inquiry_person_id"))

    op.drop_table("inquiry")
    with op.batch_alter_table("draft", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_draft_study_id"))
        batch_op.drop_index(batch_op.f("ix_draft_last_at"))

    op.drop_table("draft")
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_study_id"))

    op.drop_table("campaign")
    op.drop_table("version_in_force")
    with op.batch_alter_table("source_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_link_study_id"))

    op.drop_table("source_link")
    with op.batch_alter_table("feasibility_count", schema=None) as batch_op:
        batch_op.drop_index("ix_feasibility_count_version")

    op.drop_table("feasibility_count")
    op.drop_table("amendment_count")
    with op.batch_alter_table("study_site_person", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_study_site_person_study_site_id"))

    op.drop_table("study_site_person")
    op.drop_table("protocol_version")
    op.drop_table("material_version")
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hold_study_id"))
        batch_op.drop_index(batch_op.f("ix_hold_site_id"))

    op.drop_table("hold")
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_index("ix_consent_person")

    op.drop_table("consent")
    with op.batch_alter_table("audience_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audience_member_person_id"))

    op.drop_table("audience_member")
    op.drop_table("approval_site")
    with op.batch_alter_table("approval_item", schema=None) as batch_op:
        batch_op.drop_index("ix_approval_item_subject")

    op.drop_table("approval_item")
    with op.batch_alter_table("verification", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_verification_person_id"))
        batch_op.drop_index(batch_op.f("ix_verification_contact_point_id"))

    op.drop_table("verification")
    with op.batch_alter_table("study_site", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_study_site_site_id"))

    op.drop_table("study_site")
    with op.batch_alter_table("study_location", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_study_location_study_id"))

    op.drop_table("study_location")
    with op.batch_alter_table("study_import", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_study_import_study_id"))

    op.drop_table("study_import")
    with op.batch_alter_table("study_identifier", schema=None) as batch_op:
        batch_op.drop_index(
            "one_study_per_registry_number",
            sqlite_where=sa.text("system = 'ClinicalTrials.gov'"),
            postgresql_where=sa.text("system = 'ClinicalTrials.gov'"),
        )
        batch_op.drop_index(batch_op.f("ix_study_identifier_study_id"))

    op.drop_table("study_identifier")
    op.drop_table("study_fact_key")
    with op.batch_alter_table("search_token", schema=None) as batch_op:
        batch_op.drop_index("ix_search_token_lookup")

    op.drop_table("search_token")
    op.drop_table("reason")
    op.drop_table("questionnaire_version")
    with op.batch_alter_table("person_contact", schema=None) as batch_op:
        batch_op.drop_index(
            "one_live_link",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_person_contact_contact_point_id"))

    op.drop_table("person_contact")
    with op.batch_alter_table("material", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_material_study_id"))

    op.drop_table("material")
    with op.batch_alter_table("grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_grant_account_id"))

    op.drop_table("grant")
    with op.batch_alter_table("communication", schema=None) as batch_op:
        batch_op.drop_index("ix_communication_person_id_at")

    op.drop_table("communication")
    op.drop_table("cohort")
    with op.batch_alter_table("audience", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audience_study_id"))

    op.drop_table("audience")
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_approval_study_id"))

    op.drop_table("approval")
    op.drop_table("study")
    op.drop_table("site_hours")
    op.drop_table("site_closed_day")
    with op.batch_alter_table("provider_callback", schema=None) as batch_op:
        batch_op.drop_index("ix_provider_callback_waiting")

    op.drop_table("provider_callback")
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_person_merged_into_id"))

    op.drop_table("person")
    with op.batch_alter_table("one_time_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_one_time_link_account_id"))

    op.drop_table("one_time_link")
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_session_account_id"))

    op.drop_table("login_session")
    op.drop_table("event_position")
    with op.batch_alter_table("view_log", schema=None) as batch_op:
        batch_op.drop_index("ix_view_log_person_id_at")

    op.drop_table("view_log")
    with op.batch_alter_table("suppression", schema=None) as batch_op:
        batch_op.drop_index(
            "one_live_suppression",
            sqlite_where=sa.text("lifted_at IS NULL"),
            postgresql_where=sa.text("lifted_at IS NULL"),
        )

    op.drop_table("suppression")
    op.drop_table("site")
    with op.batch_alter_table("login_attempt", schema=None) as batch_op:
        batch_op.drop_index("ix_login_attempt_subject_at")

    op.drop_table("login_attempt")
    op.drop_table("job_lease")
    op.drop_table("installation")
    op.drop_table("idempotency_key")
    op.drop_table("event_waiting")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(
            "one_void_per_event",
            sqlite_where=sa.text("voids_id IS NOT NULL"),
            postgresql_where=sa.text("voids_id IS NOT NULL"),
        )
        batch_op.drop_index("ix_event_type")
        batch_op.drop_index("ix_event_subject")
        batch_op.drop_index(batch_op.f("ix_event_study_id"))

    op.drop_table("event")
    op.drop_table("document")
    op.drop_table("data_key")
    op.drop_table("contact_point")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entry_row")
        batch_op.drop_index(batch_op.f("ix_audit_entry_recorded_at"))
        batch_op.drop_index("ix_audit_entry_actor")

    op.drop_table("audit_entry")
    op.drop_table("account")
