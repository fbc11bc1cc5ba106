"""the last version of what was deleted

What was deleted before is not known: it counts for nothing, and every row keeps its
version.

Revision ID: c27f90d4ab13
Revises: 8e41b7d2c605
Create Date: 2026-11-28 03:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "c27f90d4ab13"
down_revision = "8e41b7d2c605"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "last_version",
        sa.Column("path", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_last_version")),
    )


def downgrade() -> None:
    op.drop_table("last_version")
