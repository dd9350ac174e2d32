"""A survey of two columns, who and tea, and its CSV as it is read."""

from pathlib import Path

from surveylake.contract.model import Contract
from surveylake.produce.csv_rows import Answers, read_answers

CONTRACT = Contract.model_validate({
    "name": "tea", "title": "Tea", "topic": "Tea", "key": "who",
    "fields": {"who": {"source": "Who", "type": "string", "required": True}, "tea": {"source": "Tea", "type": "string"}},
})  # fmt: skip


def read(tmp_path: Path, content: str | bytes) -> Answers:
    """Write a new CSV and read it."""
    path = tmp_path / f"tea-{len(list(tmp_path.iterdir()))}.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_answers(path, CONTRACT)
