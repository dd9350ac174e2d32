"""From records to people to published groups."""
