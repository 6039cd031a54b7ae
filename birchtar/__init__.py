"""Birchtar: Glue-style ETL on plain Apache Spark."""
