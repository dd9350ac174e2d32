"""The one door to Kafka: options, one connection, questions to a topic, and a Kafka of one's own."""
