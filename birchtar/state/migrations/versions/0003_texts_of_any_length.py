"""No text that a user's data decides on is in an index: PostgreSQL takes none of more than 2,704 bytes."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Drop the keys that hold paths and reasons, and find rows by run, job and bucket."""
    with op.batch_alter_table("run_files") as table:
        table.drop_constraint("pk_run_files", type_="primary")
        table.create_index("ix_run_files_run_id", ["run_id"])
    with op.batch_alter_table("bookmark_files") as table:
        table.drop_constraint("pk_bookmark_files", type_="primary")
    with op.batch_alter_table("quarantine") as table:
        table.drop_constraint("uq_quarantine_run_id_table_step_rule_code", type_="unique")
        table.drop_index("ix_quarantine_job_code")
        table.create_index("ix_quarantine_run_id", ["run_id"])
        table.create_index("ix_quarantine_job", ["job"])
