"""Runs of one job that go beside each other: each interval of a backfill is a scope of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; runs that are there already are ordinary ones, of no scope."""
    op.add_column("runs", sa.Column("scope", sa.Text()))
