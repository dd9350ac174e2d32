"""What a report says, as data: each statement with its numbers, before any layout."""
