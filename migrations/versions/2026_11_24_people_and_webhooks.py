"""people and webhooks

Revision ID: 5d1c0f3a9b72
Revises: db68b0acbc9f
Create Date: 2026-11-24 12:18:00
"""

import sqlalchemy as sa
from alembic import op

revision = "5d1c0f3a9b72"
down_revision = "db68b0acbc9f"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_ACCOUNT = (
    sa.Column("name", sa.Text(), nullable=True),
    sa.Column("association", sa.Text(), nullable=True),
    sa.Column("language", sa.String(length=2), nullable=True),
    sa.Column("password", sa.Text(), nullable=True),
    sa.Column("invited_by", sa.String(length=32), nullable=True),
    sa.Column("takes_over_from", sa.String(length=32), nullable=True),
    sa.Column("joined_at", _MOMENT, nullable=True),
    sa.Column("signed_in_at", _MOMENT, nullable=True),
    sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
)
_TOKEN = (sa.Column("last_used_at", _MOMENT, nullable=True),)
_ROUND = (
    sa.Column("retention_months", sa.Integer(), nullable=False, server_default="24"),
    sa.Column("archived_at", _MOMENT, nullable=True),
    sa.Column("cleared_at", _MOMENT, nullable=True),
)
_COLUMNS = {"account": _ACCOUNT, "token": _TOKEN, "round": _ROUND}
_ENTRY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AUDIT = sa.table(
    "audit",
    sa.column("id", _ENTRY),
    sa.column("action", sa.String()),
    sa.column("details", sa.JSON()),
)
_REMARK = sa.table(
    "remark", sa.column("audit_id", _ENTRY), sa.column("text", sa.Text())
)
# The log of what was done is added to, and never changed.
_SEALED = {
    "sqlite": tuple(
        f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END"
        for verb in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        """
        CREATE FUNCTION audit_is_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the audit log is only added to'; END $$
        """,
        """
        CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_sealed()
        """,
    ),
}
_UNSEALED = {
    "sqlite": ("DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"),
    "postgresql": (
        "DROP TRIGGER audit_no_change ON audit",
        "DROP FUNCTION audit_is_sealed()",
    ),
}


def upgrade() -> None:
    for table, columns in _COLUMNS.items():
        for column in columns:
            op.add_column(table, column)
    op.execute("UPDATE account SET joined_at = created_at")
    op.execute("UPDATE round SET archived_at = updated_at WHERE phase = 'archived'")
    op.create_index(op.f("ix_account_city_id"), "account", ["city_id"])
    # Whoever was signed in signs in again: a browser belongs to an account now.
    op.drop_table("login")
    op.create_table(
        "login",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("token_id", sa.String(length=32), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("way", sa.String(length=40), nullable=False),
        sa.Column("browser", sa.String(length=60), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_login_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["token_id"],
            ["token.id"],
            name=op.f("fk_login_token_id_token"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login")),
        sa.UniqueConstraint("digest", name=op.f("uq_login_digest")),
    )
    op.create_index(op.f("ix_login_account_id"), "login", ["account_id"])
    op.create_index(op.f("ix_login_token_id"), "login", ["token_id"])
    op.create_table(
        "link",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_link_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_link")),
    )
    op.create_index(op.f("ix_link_account_id"), "link", ["account_id"])
    op.create_table(
        "contact",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("city_id", sa.String(length=63), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("function", sa.Text(), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id"],
            ["city.id"],
            name=op.f("fk_contact_city_id_city"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    op.create_index(op.f("ix_contact_city_id"), "contact", ["city_id"])
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_until", _MOMENT, nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("off_reason", sa.Text(), nullable=True),
        sa.Column("created_by", sa.String(length=32), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("webhook_id", sa.String(length=32), nullable=False),
        sa.Column("event", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["webhook.id"],
            name=op.f("fk_delivery_webhook_id_webhook"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_state_due_at"), "delivery", ["state", "due_at"])
    op.create_index(
        op.f("ix_delivery_webhook_id_created_at"),
        "delivery",
        ["webhook_id", "created_at"],
    )
    # Nothing refers to messages: their table alone may be made anew on SQLite.
    with op.batch_alter_table("message") as table:
        table.alter_column("round_id", existing_type=sa.String(63), nullable=True)
    op.create_table(
        "remark",
        sa.Column("audit_id", _ENTRY, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["audit_id"], ["audit.id"], name=op.f("fk_remark_audit_id_audit")
        ),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_remark")),
    )
    _take_texts_out()
    for statement in _SEALED[op.get_bind().dialect.name]:
        op.execute(statement)


def _take_texts_out() -> None:
    """Move what somebody wrote out of the log, which cannot be erased any more."""
    asked = sa.select(_AUDIT).where(_AUDIT.c.action == "round.moved")
    for entry in op.get_bind().execute(asked).all():
        reason = entry.details.get("reason")
        if reason is not None:
            op.execute(_REMARK.insert().values(audit_id=entry.id, text=reason))
            _write(entry.id, entry.details | {"reason": None})


def _put_texts_back() -> None:
    asked = sa.select(_AUDIT, _REMARK.c.text).join(
        _REMARK, _REMARK.c.audit_id == _AUDIT.c.id
    )
    for entry in op.get_bind().execute(asked).all():
        _write(entry.id, (entry.details or {}) | {"reason": entry.text})


def _write(entry: int, details: dict[str, object]) -> None:
    op.execute(_AUDIT.update().where(_AUDIT.c.id == entry).values(details=details))


def downgrade() -> None:
    for statement in _UNSEALED[op.get_bind().dialect.name]:
        op.execute(statement)
    _put_texts_back()
    op.drop_table("remark")
    op.execute("DELETE FROM message WHERE round_id IS NULL")
    with op.batch_alter_table("message") as table:
        table.alter_column("round_id", existing_type=sa.String(63), nullable=False)
    for name in ("delivery", "webhook", "contact", "link", "login"):
        op.drop_table(name)
    op.create_table(
        "login",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("token_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"],
            ["token.id"],
            name=op.f("fk_login_token_id_token"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_login")),
    )
    op.create_index(op.f("ix_login_token_id"), "login", ["token_id"])
    op.drop_index(op.f("ix_account_city_id"), "account")
    # An association's accounts would be of a role that the older program has not.
    op.execute("DELETE FROM account WHERE role = 'association'")
    for table, columns in _COLUMNS.items():
        for column in reversed(columns):
            op.drop_column(table, column.name)
