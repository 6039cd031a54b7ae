"""What is remembered from run to run: one database, which several processes use at once. Knows no Spark."""
