"""The records that were rejected: how many, which, and judged again under a corrected contract."""
