"""The charts: from statements to PNG and SVG files."""
