"""The contract of a survey, the types of its fields, and the messages about a wrong one. Plain values and SQL text; no Spark."""
