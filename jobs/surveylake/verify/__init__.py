"""The proof that the lake holds every offset of the topic exactly once."""
