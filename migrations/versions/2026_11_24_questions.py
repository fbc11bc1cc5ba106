"""questions about pairings

Revision ID: 8e41b7d2c605
Revises: 5d1c0f3a9b72
Create Date: 2026-11-24 15:50:00
"""

import sqlalchemy as sa
from alembic import op

revision = "8e41b7d2c605"
down_revision = "5d1c0f3a9b72"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "question",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("pairing_id", sa.String(length=32), nullable=False),
        sa.Column("side", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["pairing_id"],
            ["pairing.id"],
            name=op.f("fk_question_pairing_id_pairing"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
    )
    op.create_index(
        op.f("ix_question_pairing_id"), "question", ["pairing_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_question_pairing_id"), table_name="question")
    op.drop_table("question")
