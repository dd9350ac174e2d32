"""From Kafka's bytes to typed rows with a verdict each. Pure: DataFrame to DataFrame, no session, no path."""
