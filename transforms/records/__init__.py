"""Rows as Python records and back: what `map_rows` and `filter_rows` need for functions of a user's."""
