"""Glue's transforms as functions of Spark DataFrames."""
