"""The contract as other tools read it: Open Data Contract Standard, JSON Schema. Text in, text out."""
