"""The rejected records: how many, which; a changed contract: what it would do, and all records judged again under it."""
