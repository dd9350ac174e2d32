"""A file against a contract, without Kafka and Spark: what would be rejected, and why."""
