"""A first contract from a file of answers: each guess with its evidence. Text in, text out; no Spark, no Kafka."""
