"""What transforms share: columns, expressions, names of types, patterns, keys."""
