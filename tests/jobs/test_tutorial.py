"""docs/tutorial.md, followed to the letter in a checkout: its commands, its edits, and what it says they print."""

import re
import subprocess
from pathlib import Path

import pytest
from deltalake import DeltaTable

from support import shell
from support.checkout import a_checkout
from surveylake.paths import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PAGE = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
STEP = re.compile(
    r"^ {4}(?P<command>\S[^\n]*)$|^```(?P<kind>\w+)\n(?P<block>.*?)^```$", re.MULTILINE | re.DOTALL
)


def test_every_step_does_what_the_page_says(tmp_path: Path) -> None:
    root = a_checkout(tmp_path / "surveylake")
    for name in ("Makefile", ".venv"):
        (root / name).symlink_to(ROOT / name)
    (root / "docs").mkdir()
    (root / "docs" / "tutorial").symlink_to(ROOT / "docs" / "tutorial")
    printed = ""
    for step in STEP.finditer(PAGE):
        if step["command"]:
            printed = followed(root, step["command"])
        elif step["kind"] == "text":
            assert [line for line in step["block"].splitlines() if not was_printed(line, printed)] == [], (
                printed
            )
        elif step["kind"] == "diff":
            edit(root / "canteen.toml", step["block"])
    people = DeltaTable(root / "lake-canteen" / "responses").to_pandas()
    assert people["recommends"].value_counts(dropna=False).sum() == 130
    assert people["recommends"].notna().sum() == 40
    assert sorted(people["department"].unique()) == ["Office", "Sales", "Workshop"]
    report = (root / "out-canteen" / "report.md").read_text("utf-8")
    assert "n = 40; 90 did not answer recommends" in report


def followed(root: Path, command: str) -> str:
    """What the command prints in the checkout; it succeeds. `make` is told that everything is set up."""
    words = command.replace("make ", "make --no-print-directory -o setup ", 1)
    env = {key: value for key, value in shell.environment(root / "var").items() if key != "SURVEYLAKE_VAR"}
    done = subprocess.run(
        words, cwd=root, env=env, shell=True, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def was_printed(line: str, printed: str) -> bool:
    """Whether the line was printed; `…` stands for a number."""
    pattern = r"[\d.,]+".join(map(re.escape, line.strip().split("…")))
    return any(re.fullmatch(pattern, each.strip()) for each in printed.splitlines())


def edit(path: Path, diff: str) -> None:
    """Put the lines with + in place of the lines with - before them, which stand in the file once."""
    text = path.read_text("utf-8")
    for gone, come in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)+)", diff, re.MULTILINE):
        before, after = (re.sub(r"^[-+]", "", lines, flags=re.MULTILINE) for lines in (gone, come))
        assert text.count(before) == 1, f"{before}\nis not once in\n{text}"
        text = text.replace(before, after)
    path.write_text(text, "utf-8")
