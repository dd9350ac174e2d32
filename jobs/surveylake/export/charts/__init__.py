"""The pictures. Statements in, PNG and SVG files out."""
