"""The step from a CSV, or a generator, to the topic: each row is sent once."""
