"""The results' files: latest.json, latest.md and the charts in one folder, and the table in a page's marked place."""

import json
import os
import platform
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from goals import GOALS, QUOTED
from results_model import PartResults

PLACE = "<!-- {}:{} -->"
"""Where a page has a table: between its begin and its end."""
PACKAGES = (
    "pyspark",
    "delta-spark",
    "confluent-kafka",
    "deltalake",
    "duckdb",
    "polars",
    "pandas",
    "pyarrow",
    "kafka-python",
)
COSTS = {"cpu": "CPU seconds", "seconds": "seconds"}
Results = dict[str, Any]


def load(folder: Path) -> Results:
    """The results that are there; empty ones where there are none."""
    path = folder / "latest.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {"ratios": {}, "parts": {}}


def machine() -> dict[str, Any]:
    """What the figures depend on besides the code."""
    return {
        "cpus": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load": [round(load, 2) for load in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }


def join(results: Results, part: str, found: PartResults, rows: int, repeats: int, before: dict[str, Any],
         seconds: float) -> None:  # fmt: skip
    """Put one part's findings in the place of its earlier ones; all else stays as it is, each ablation too."""
    today = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    results["ratios"] = {
        name: entry for name, entry in results["ratios"].items() if entry["part"] != part
    } | {
        goal.name: {
            **asdict(found.ratios[goal.name]), "asked": goal.asked, "means": goal.means, "goal": goal.goal,
            "met": None if goal.asked is None else found.ratios[goal.name].median >= goal.asked,
            "part": part, "rows": rows, "date": today,
        }
        for goal in GOALS if goal.name in found.ratios
    }  # fmt: skip
    figures = found.figures
    if part == "ablations":
        # Not all are measured each time; those that are not stay.
        figures = figures | {"ablations": ablations(results) | figures["ablations"]}
    results["parts"][part] = {
        "date": today, "rows": rows, "repeats": repeats, "took_seconds": round(seconds, 1),
        "machine": before | {"load_after": machine()["load"]}, "figures": figures,
    }  # fmt: skip
    order = [goal.name for goal in GOALS]
    results["ratios"] = dict(sorted(results["ratios"].items(), key=lambda item: order.index(item[0])))
    results |= {"date": today, "machine": before, "quoted": QUOTED}


def write(results: Results, folder: Path) -> None:
    """latest.json and latest.md, each replaced as a whole."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"latest.json": json.dumps(results, indent=1) + "\n", "latest.md": table(results)}
    if found := ablations(results):
        texts["latest-ablations.md"] = ablation_table(found)
    for name, text in texts.items():
        part = folder / f"{name}.part"
        part.write_text(text, "utf-8")
        part.replace(folder / name)


def table(results: Results) -> str:
    """The ratios as Markdown; each row says when it was measured, and how many records the main topic had."""
    lines = [
        "| ratio | what it is | asked | median | min to max | met | main topic | date |",
        "|---|---|---:|---:|---:|---|---:|---|",
    ]
    for name, entry in results["ratios"].items():
        asked = "" if entry["asked"] is None else f"{entry['asked']:.2f}"
        met = {True: "yes", False: "**no**", None: ""}[entry["met"]]
        means = entry["means"] + (f" ({entry['goal']})" if entry["goal"] else "")
        lines.append(
            f"| `{name}` | {means} | {asked} | {_short(entry['median'])} | {_short(entry['min'])} to {_short(entry['max'])}"
            f" | {met} | {entry['rows']:,} | {entry['date'][:10]} |"
        )
    lines += ["", _where(results), ""]
    lines += [f"Quoted, not part of the run: {name}, {words}." for name, words in results["quoted"].items()]
    return "\n".join(lines) + "\n"


def ablations(results: Results) -> dict[str, dict[str, Any]]:
    """What the ablations part found, by ablation, group by group and the dearest first; empty where it never ran."""
    found: dict[str, dict[str, Any]] = (
        results["parts"].get("ablations", {}).get("figures", {}).get("ablations", {})
    )
    groups = list(dict.fromkeys(entry["group"] for entry in found.values()))
    return dict(
        sorted(
            found.items(),
            key=lambda item: (groups.index(item[1]["group"]), not item[1]["ours"], -item[1]["median"]),
        )
    )


def ablation_table(found: dict[str, dict[str, Any]]) -> str:
    """The ablations as Markdown, in the order given."""
    lines = [
        "| where | what is changed | ours | counted | times as dear: median | min to max |",
        "|---|---|---|---|---:|---:|",
    ]
    for entry in found.values():
        kind = "undone" if entry["ours"] else ""
        spread = f"{entry['min']:.2f} to {entry['max']:.2f}"
        lines.append(
            f"| {entry['group']} | {entry['words']} | {kind} | {COSTS[entry['of']]} | {entry['median']:.2f} | {spread} |"
        )
    return "\n".join(lines) + "\n"


def write_page(results: Results, page: Path) -> None:
    """Put each table into its place in the page; ValueError when it has none."""
    tables = {"bench": table(results)}
    if found := ablations(results):
        tables["ablations"] = ablation_table(found)
    text = page.read_text("utf-8")
    for name, content in tables.items():
        begin, end = (PLACE.format(name, edge) for edge in ("begin", "end"))
        head, opened, rest = text.partition(begin)
        _, closed, tail = rest.partition(end)
        if not opened or not closed:
            raise ValueError(f"{page} has no place for the table: {begin} … {end}")
        text = f"{head}{begin}\n{content}{end}{tail}"
    page.write_text(text, "utf-8")


def _where(results: Results) -> str:
    """The machine of the newest part, in one sentence."""
    on = results["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in on["versions"].items())
    return (
        f"{on['cpus']} cores, {on['memory_gib']} GiB, Python {on['python']}, {versions}; load average when it began"
        f" {on['load'][0]}; {results['date']}."
    )


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"
