"""Values at any depth of a row: how they are reached and put together again."""
