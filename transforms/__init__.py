"""Glue's transforms as functions of Spark DataFrames: one file each, called directly or by `df.transform`."""
