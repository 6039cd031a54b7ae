"""What a good row fulfils, and what a good table does: Columns for `check_rules`, and for a `where` or a `select`."""
