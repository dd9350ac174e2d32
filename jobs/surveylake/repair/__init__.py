"""What is broken in a lake, mended without losing anything."""
