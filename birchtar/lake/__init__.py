"""Everything that touches storage."""
