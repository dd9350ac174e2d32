"""What the README and its neighbours say exists: commands, options, files, versions; and what no file may say."""

import argparse
import ast
import importlib
import re
import shlex
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

import surveylake
from surveylake import errors
from surveylake.contract.model import load_contract
from surveylake.paths import CONF, JOBS, ROOT
from surveylake.produce.csv_rows import read_answers

README = (ROOT / "README.md").read_text("utf-8")
PLACED = re.compile(r"`(\w+)` (?:of|in) `([\w/]+\.py)`")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
DESIGN = (ROOT / "docs" / "design.md").read_text("utf-8")
PAGES = [
    *(ROOT / f"{name}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING")),
    *sorted((ROOT / "docs").glob("*.md")),
]
VERBS = sorted(path.stem for path in JOBS.glob("*.py"))
SURVEY = CONF / "surveys" / "food_preference.toml"
# In pieces, so that this file does not hold what it looks for.
REGISTRIES = [".".join(parts) for parts in (
    ("pypi", "org"), ("pythonhosted", "org"), ("maven", "org"), ("maven", "apache", "org"), ("debian", "org"),
    ("ubuntu", "com"), ("docker", "io"), ("ghcr", "io"), ("quay", "io"), ("npmjs", "org"),
)]  # fmt: skip
HOMES = [f"/{name}/" for name in ("home", "root", "Users", "work")]
CONTAINER_HOME = HOMES[0] + "survey"
"""The user that Dockerfile makes; no machine's."""


class Parsed(BaseException):
    """The arguments were understood; nothing was run. Not an Exception, which a verb would report as its own."""


def commands(text: str) -> list[list[str]]:
    """The words of each indented line of a page that runs a verb, from the script on."""
    lines = re.findall(r"^ {4}(?:\S*python|spark-submit) (jobs/.*)$", text, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


def make_words(text: str) -> Iterator[tuple[str, list[str]]]:
    """(target, variables) of each `make …` in a page."""
    for rest in re.findall(r"(?:^ {4}|`)make ([a-z][^`#\n]*)", text, re.MULTILINE):
        target, *rest = rest.split()
        yield target, [word.partition("=")[0] for word in rest if "=" in word]


def parse(verb: str, arguments: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the verb's own parser read the arguments, and stop there."""
    original = argparse.ArgumentParser.parse_args

    def only_parse(self: argparse.ArgumentParser, argv: Sequence[str] | None = None) -> argparse.Namespace:
        self.allow_abbrev = False  # '--lak' would pass for '--lake'
        original(self, argv)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", only_parse)
    with pytest.raises(Parsed):
        importlib.import_module(verb).main(arguments)


def help_of(verb: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What `python jobs/VERB.py --help` prints."""
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(verb).main(["--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def rooms_of_the_design() -> list[str]:
    """The first cell of each line of the map that names a package, in its order."""
    table = DESIGN.partition("## Which room does what?")[2]
    return re.findall(r"^\| `(\w+)/` \|", table, re.MULTILINE)


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """name -> text of every file that is, or would be, in git; binary ones left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git checkout")
    found = {}
    for name in filter(None, listed.stdout.split("\0")):
        data = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b"\0"
        if b"\0" not in data[:8000]:
            found[name] = data.decode("utf-8", "replace")
    return found


def test_the_readme_begins_with_one_sentence_and_the_picture() -> None:
    _, sentence, picture, *_ = re.split(r"\n\n+", README)
    assert sentence.count(".") == 1 and sentence.endswith(".")
    assert re.fullmatch(r"!\[.+\]\(docs/flow\.svg\)", picture)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_command_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z_]+) =", MAKEFILE, re.MULTILINE))
    for target, given in make_words(page.read_text("utf-8")):
        assert target in targets
        assert set(given) <= variables


def test_the_two_commands_are_in_the_readme() -> None:
    assert {"run", "test", "check", "verify"} <= {target for target, _ in make_words(README)}


def test_every_file_that_the_makefile_names_exists() -> None:
    named = re.findall(r"\b(?:jobs|benchmarks)/[\w/]+\.py", MAKEFILE)
    named += [f"{name}.in" for name in re.findall(r"\brequirements[a-z-]*(?= |;)", MAKEFILE)]
    assert "jobs/run.py" in named and "requirements.in" in named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_every_target_is_phony_and_in_the_help() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    assert set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)) == targets
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony and set(phony[1].split()) == targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_local_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    named = set(re.findall(r"\b(?:jobs|conf|docs|notebooks|tests|benchmarks)/[\w/.-]*\.\w+", text))
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []
    modules = {path.name for folder in (JOBS, ROOT / "tests") for path in folder.rglob("*.py")}
    assert set(re.findall(r"`(\w+\.py)`", text)) <= modules


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_name_that_a_page_places_in_a_file_is_in_it(page: Path) -> None:
    """Such as `_figures` of `render.py`."""
    assert PLACED.findall("`_figures` of `render.py`") == [("_figures", "render.py")]
    placed = PLACED.findall(page.read_text("utf-8"))
    scripts = [path for folder in ("jobs", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    for name, file in placed:
        texts = [path.read_text("utf-8") for path in scripts if path.as_posix().endswith(f"/{file}")]
        assert any(re.search(rf"\b{name}\b", text) for text in texts), f"no {name} in {file}"


def test_no_page_names_a_line_of_the_makefile() -> None:
    assert [page.name for page in PAGES if re.search(r"Makefile:\d", page.read_text("utf-8"))] == []


def test_the_help_says_how_long_the_faults_take() -> None:
    minutes = int(
        re.findall(r" in (\d+) minutes: ", (ROOT / "docs" / "reliability.md").read_text("utf-8"))[0]
    )
    (told,) = re.findall(r"^faults:.*\((.+)\)$", MAKEFILE, re.MULTILINE)
    assert told == ("about an hour" if 45 <= minutes < 90 else f"{minutes} minutes")


def test_the_readme_names_many_files() -> None:
    assert len(set(re.findall(r"\b(?:jobs|conf|docs|notebooks|tests)/[\w/.-]*\.\w+", README))) > 15


@pytest.mark.parametrize("words", commands(README), ids=" ".join)
def test_every_command_of_the_readme_is_understood(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    parse(Path(words[0]).stem, words[1:], monkeypatch)


def test_the_readme_has_commands_for_python_and_for_spark_submit() -> None:
    assert len(commands(README)) >= 10
    assert " spark-submit jobs/stream.py" in README and "python jobs/stream.py" in README


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_in_the_readme(verb: str) -> None:
    assert f"| `jobs/{verb}.py` |" in README


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example_that_it_understands(
    verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = help_of(verb, capsys)
    # Two blanks and what follows them explain the example.
    examples = re.findall(rf"^ +.*\bjobs/{verb}\.py\b(.*?)(?: {{2,}}.*)?$", told, re.MULTILINE)
    assert examples
    for example in examples:
        parse(verb, shlex.split(example.partition(" > ")[0]), monkeypatch)
        monkeypatch.undo()


def test_an_unknown_option_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit):
        parse("stream", ["--no-such-option"], monkeypatch)


def test_the_output_shown_is_what_the_jobs_print() -> None:
    from surveylake.stream.query import Taken

    contract = load_contract(SURVEY)
    rows = read_answers(SURVEY.with_suffix(".sample.csv"), contract).rows
    assert f"\nsent {rows}, acknowledged {rows}, failed 0, " in README
    assert (
        f"\nstream: {Taken(rows, rows - 1, Counter({'out_of_range:Age': 1})).line()} from topic {contract.topic} "
        in README
    )
    summaries = len(contract.summaries.by) + bool(contract.summaries.received_by)
    assert f"responses and {summaries} summaries from version" in README
    for word in ("aggregate: ", "export: ", "took: start "):
        assert f"\n{word}" in README


def test_every_exit_code_is_in_the_readme() -> None:
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in classes if issubclass(kind, errors.SurveylakeError)}
    assert codes == set(range(1, 9))
    assert [code for code in (0, *sorted(codes), 130, 143) if f"\n| {code} | " not in README] == []


def test_the_changelog_has_this_version_first() -> None:
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert versions[0] == surveylake.__version__
    assert f'version = "{surveylake.__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_every_change_is_one_line() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8").partition("\n## ")[2]
    assert [line for line in text.splitlines()[1:] if line and not line.startswith(("- ", "## "))] == []


def test_the_map_in_the_design_has_one_line_for_each_room_and_no_other() -> None:
    packages = {path.parent.name for path in (JOBS / "surveylake").glob("*/__init__.py")}
    assert Counter(rooms_of_the_design()) == Counter(packages)


def test_the_map_in_the_design_has_the_order_of_the_import_linter() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    floor = {name: number for number, layer in enumerate(layers) for name in layer.split(" | ")}
    floors = [floor[room] for room in rooms_of_the_design()]
    assert floors == sorted(floors)


def test_the_picture_stands_alone() -> None:
    picture = ElementTree.fromstring((ROOT / "docs" / "flow.svg").read_text("utf-8"))
    assert not [
        element.tag
        for element in picture.iter()
        if element.tag.endswith(("script", "image", "foreignObject"))
    ]
    said = " ".join(element.text or "" for element in picture.iter() if element.tag.endswith("}text"))
    assert [
        verb for verb in ("produce", "stream", "aggregate", "export", "verify") if f"{verb}.py" not in said
    ] == []


def test_no_file_names_a_registry(files: dict[str, str]) -> None:
    assert [(name, host) for name, text in files.items() for host in REGISTRIES if host in text.lower()] == []


def test_no_file_names_a_place_on_somebodys_machine(files: dict[str, str]) -> None:
    for name, text in files.items():
        own = text.replace(CONTAINER_HOME, "")
        assert [
            place for place in (*HOMES, f"{ROOT}/") if re.search(rf"(?<![\w.-]){re.escape(place)}", own)
        ] == [], name


def test_every_python_file_says_what_it_is_for() -> None:
    scripts = [*JOBS.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    assert [str(path) for path in scripts if not ast.get_docstring(ast.parse(path.read_text("utf-8")))] == []
