"""The first tables: runs and what they meant to do, bookmarks, the index of the quarantine."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make them in an empty database."""
    op.create_table(
        "jobs",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_jobs"),
    )
    op.create_table(
        "run_files",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "input", "path", name="pk_run_files"),
    )
    op.create_table(
        "bookmarks",
        sa.Column("id", _ID, nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mark", sa.JSON()),
        sa.Column("schema", sa.JSON()),
        sa.Column("run_number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.name"], name="fk_bookmarks_job"),
        sa.PrimaryKeyConstraint("id", name="pk_bookmarks"),
        sa.UniqueConstraint("job", "input", name="uq_bookmarks_job_input"),
    )
    op.create_table(
        "runs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner", sa.JSON()),
        sa.Column("lease_until", _MOMENT),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("prepared_at", _MOMENT),
        sa.Column("finished_at", _MOMENT),
        sa.Column("error", sa.Text()),
        sa.Column("report", sa.JSON()),
        sa.ForeignKeyConstraint(["job"], ["jobs.name"], name="fk_runs_job"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("job", "number", name="uq_runs_job_number"),
    )
    op.create_table(
        "bookmark_buckets",
        sa.Column("bookmark_id", _ID, nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bookmark_id"], ["bookmarks.id"], name="fk_bookmark_buckets_bookmark_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("bookmark_id", "bucket", name="pk_bookmark_buckets"),
    )
    op.create_table(
        "bookmark_files",
        sa.Column("bookmark_id", _ID, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified", sa.BigInteger(), nullable=False),
        sa.Column("run_number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bookmark_id"], ["bookmarks.id"], name="fk_bookmark_files_bookmark_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("bookmark_id", "path", name="pk_bookmark_files"),
    )
    op.create_index("ix_bookmark_files_bookmark_id_bucket", "bookmark_files", ["bookmark_id", "bucket"])
    op.create_table(
        "bookmark_marks",
        sa.Column("bookmark_id", _ID, nullable=False),
        sa.Column("run_number", sa.Integer(), nullable=False),
        sa.Column("mark", sa.JSON()),
        sa.ForeignKeyConstraint(
            ["bookmark_id"], ["bookmarks.id"], name="fk_bookmark_marks_bookmark_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("bookmark_id", "run_number", name="pk_bookmark_marks"),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", _ID, nullable=False),
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("table", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("resolved", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_quarantine_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
        sa.UniqueConstraint(
            "run_id", "table", "step", "rule", "code", name="uq_quarantine_run_id_table_step_rule_code"
        ),
    )
    op.create_index("ix_quarantine_job_code", "quarantine", ["job", "code"])
    op.create_table(
        "run_inputs",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", sa.JSON()),
        sa.Column("until", sa.JSON()),
        sa.Column("rows", sa.BigInteger()),
        sa.Column("bytes", sa.BigInteger()),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_inputs_run_id"),
        sa.PrimaryKeyConstraint("run_id", "input", name="pk_run_inputs"),
    )
    op.create_table(
        "run_outputs",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("output", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("rows", sa.BigInteger()),
        sa.Column("files", sa.BigInteger()),
        sa.Column("bytes", sa.BigInteger()),
        sa.Column("published_at", _MOMENT),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_outputs_run_id"),
        sa.PrimaryKeyConstraint("run_id", "output", name="pk_run_outputs"),
    )
