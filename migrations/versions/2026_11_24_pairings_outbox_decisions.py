"""pairings outbox decisions

Revision ID: db68b0acbc9f
Revises: ab15270d3d22
Create Date: 2026-11-24 08:36:58.743211
"""

import sqlalchemy as sa
from alembic import op

revision = "db68b0acbc9f"
down_revision = "ab15270d3d22"
branch_labels = None
depends_on = None

_ROUND = (
    sa.Column("answer_days", sa.Integer(), nullable=False, server_default="14"),
    sa.Column("public", sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.Column("copy_of", sa.String(length=63), nullable=True),
    sa.Column("staged_run", sa.String(length=32), nullable=True),
    sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True),
)
_RUN = (
    sa.Column("worker", sa.Text(), nullable=True),
    sa.Column("heard_at", sa.Double(), nullable=True),
)


def upgrade() -> None:
    op.create_table(
        "decision",
        sa.Column("round_id", sa.String(length=63), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bundle", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["round.id"],
            name=op.f("fk_decision_round_id_round"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_decision")),
    )
    op.create_table(
        "pairing",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("round_id", sa.String(length=63), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("mentor_id", sa.String(length=63), nullable=False),
        sa.Column("learner_id", sa.String(length=63), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("origin", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("firmness", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("price", sa.Double(), nullable=True),
        sa.Column("mentor_answer", sa.String(length=40), nullable=False),
        sa.Column("learner_answer", sa.String(length=40), nullable=False),
        sa.Column("mentor_text", sa.Text(), nullable=True),
        sa.Column("learner_text", sa.Text(), nullable=True),
        sa.Column("reason_code", sa.String(length=40), nullable=True),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=40), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["city.id"], name=op.f("fk_pairing_learner_id_city")
        ),
        sa.ForeignKeyConstraint(
            ["mentor_id"], ["city.id"], name=op.f("fk_pairing_mentor_id_city")
        ),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["round.id"],
            name=op.f("fk_pairing_round_id_round"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pairing")),
    )
    with op.batch_alter_table("pairing", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_pairing_learner_id"), ["learner_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_pairing_mentor_id"), ["mentor_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_pairing_round_id_id"), ["round_id", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_pairing_state_answer_by"),
            ["state", "answer_by"],
            unique=False,
        )
        batch_op.create_index(
            "uq_pairing_live",
            ["round_id", "mentor_id", "learner_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('staged', 'offered', 'confirmed')"),
            postgresql_where=sa.text("state IN ('staged', 'offered', 'confirmed')"),
        )

    op.create_table(
        "check_in",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("pairing_id", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("fit", sa.String(length=40), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["pairing_id"],
            ["pairing.id"],
            name=op.f("fk_check_in_pairing_id_pairing"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_in")),
    )
    with op.batch_alter_table("check_in", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_check_in_pairing_id"), ["pairing_id"], unique=False
        )

    op.create_table(
        "message",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("round_id", sa.String(length=63), nullable=False),
        sa.Column("pairing_id", sa.String(length=32), nullable=True),
        sa.Column("city_id", sa.String(length=63), nullable=True),
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("handed_over", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_message_account_id_account"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["city_id"], ["city.id"], name=op.f("fk_message_city_id_city")
        ),
        sa.ForeignKeyConstraint(
            ["pairing_id"],
            ["pairing.id"],
            name=op.f("fk_message_pairing_id_pairing"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["round.id"],
            name=op.f("fk_message_round_id_round"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_message_account_id"), ["account_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_message_city_id"), ["city_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_message_pairing_id"), ["pairing_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_message_round_id_id"), ["round_id", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_message_state_due_at"), ["state", "due_at"], unique=False
        )

    for column in _ROUND:
        op.add_column("round", column)
    for column in _RUN:
        op.add_column("run", column)


def downgrade() -> None:
    # Never in a batch: that would make the table anew, and dropping the old one takes
    # along on SQLite whatever refers to it.
    for column in reversed(_RUN):
        op.drop_column("run", column.name)
    for column in reversed(_ROUND):
        op.drop_column("round", column.name)
    for table in ("message", "check_in", "pairing", "decision"):
        op.drop_table(table)
