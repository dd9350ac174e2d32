"""Validation: Kafka's bytes to typed rows with a verdict each. DataFrame to DataFrame, no session, no path."""
