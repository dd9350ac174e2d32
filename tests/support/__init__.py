"""What the tests share: surveys, answers, references and helpers."""
