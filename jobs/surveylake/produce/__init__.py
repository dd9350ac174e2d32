"""From a CSV, or a generator, to the topic: each row once."""
