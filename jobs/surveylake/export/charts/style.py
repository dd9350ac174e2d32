"""Matplotlib as this project uses it: no display, no pyplot, no user's settings, the same bytes for the same findings."""

import atexit
import contextlib
import logging
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from surveylake.export.formatting import ISOLATES
from surveylake.paths import VAR


def _settings_folder() -> str:
    """Return a writable folder for the font cache: under var/, never in the home; else a temporary one, removed at exit."""
    folder = VAR / "matplotlib"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return str(folder)
    temporary = tempfile.mkdtemp(prefix="surveylake-matplotlib-")
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    return temporary


# Matplotlib reads the name of its folder while it is imported.
if "MPLCONFIGDIR" not in os.environ:
    os.environ["MPLCONFIGDIR"] = _settings_folder()

import matplotlib  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.font_manager import FontProperties  # noqa: E402

# Whoever makes a report need not know that a font has no bold face.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

__all__ = [
    "GREY", "GRID", "INK", "MUTED", "PAPER", "WIDTH", "Axes", "Box", "Drawn", "Figure", "colour", "drawing", "frame",
    "on", "place", "save", "text_width",
]  # fmt: skip

WIDTH = 5.6
"""inches: narrow, so that letters stay readable on a phone, at 360 px"""
DPI = 150
MARGIN = 0.16
"""inches"""
INK, MUTED, GRID, PAPER = "#1f2933", "#5b6670", "#dde2e7", "#ffffff"
"""the four colours that a dark page replaces; nothing else is drawn in them"""
ON_DARK, ON_LIGHT = "#fefefe", "#101418"
"""letters inside a coloured area, which is the same on every page"""
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
"""Okabe and Ito's colours, distinguishable in every kind of colour blindness."""
GREY = "#a9b1b9"
"""merged groups, and groups past the palette"""
OWN_FONT = "DejaVu Sans"
"""comes with matplotlib: the same letters on every machine"""
NO_GLYPH = re.compile(r"Glyph (\d+) .*missing from")
"""matplotlib's warning for each letter that it draws as a box"""
SETTINGS: dict[Any, Any] = {
    "font.family": OWN_FONT,
    "font.size": 10,
    "text.color": INK,
    "text.parse_math": False,  # a category such as "$x$" is text, not a formula
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "svg.hashsalt": "surveylake",  # ids in an SVG are random without it
    "svg.fonttype": "path",  # a reader without the font sees the same picture
}


Box: TypeAlias = tuple[float, float, float, float]
"""left, bottom, width, height of an area of the figure, in inches"""


@dataclass(frozen=True)
class Drawn:
    """A finished figure, and its words."""

    figure: Figure
    title: str
    caption: str
    alt: str


@contextlib.contextmanager
def drawing(fallbacks: Sequence[str] = ()) -> Iterator[set[str]]:
    """Draw in the block with our settings over matplotlib's own defaults, whatever a matplotlibrc says.

    `fallbacks` are font families for letters that our font lacks. Yields a set that gets each letter drawn as a box; the caller
    may clear it from chart to chart.
    """
    boxes: set[str] = set()
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        matplotlib.rcParams["font.family"] = [OWN_FONT, *fallbacks]
        warnings.filterwarnings("always", message=NO_GLYPH.pattern, category=UserWarning)
        show = warnings.showwarning

        def hear(message: Warning | str, *where: Any, **more: Any) -> None:
            if glyph := NO_GLYPH.match(str(message)):
                boxes.add(chr(int(glyph[1])))
            else:
                show(message, *where, **more)

        warnings.showwarning = hear
        yield boxes


def colour(rank: int) -> str:
    """Return the palette's colour for the rank-th group, grey past its end."""
    return PALETTE[rank] if rank < len(PALETTE) else GREY


def on(background: str) -> str:
    """Return the colour of letters that is readable on a coloured area (relative luminance as in WCAG 2)."""
    parts = (int(background[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return ON_DARK if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.25 else ON_LIGHT


def text_width(text: str, size: float = 10, weight: str = "normal") -> float:
    """Return the width of one line of text in inches."""
    renderer = FigureCanvasAgg(Figure(figsize=(1, 1), dpi=DPI)).get_renderer()  # type: ignore[no-untyped-call]
    font = FontProperties(family=matplotlib.rcParams["font.family"], size=size, weight=weight)
    width, _, _ = renderer.get_text_width_height_descent(text, font, False)
    return float(width) / DPI


def wrapped(text: str, size: float, weight: str, most: int) -> str:
    """Wrap text within the margins. Returns at most `most` lines; further text is cut."""
    lines, room = [""], WIDTH - 2 * MARGIN
    for word in text.replace(" %", "\u00a0%").split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, size, weight) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(_isolated_by_line([line for line in lines[:most] if line]))


def _isolated_by_line(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines with each isolate that is broken over two of them closed in one and opened in the next."""
    opened = ""
    for line in lines:
        line = opened + line
        opened = ISOLATES[0] if line.count(ISOLATES[0]) > line.count(ISOLATES[1]) else ""
        yield line + (ISOLATES[1] if opened else "")


def frame(title: str, caption: str, height: float) -> tuple[Figure, Box]:
    """Return a figure with title and caption, and the free area between them.

    `height` is that of the free area, in inches; the words add to the height of the figure.
    """
    heading, foot = wrapped(title, 12.5, "bold", 3), wrapped(caption, 8, "normal", 5)
    top, bottom = 0.37 + 0.23 * heading.count("\n"), 0.315 + 0.155 * foot.count("\n")
    figure = Figure(figsize=(WIDTH, top + height + bottom), dpi=DPI)
    FigureCanvasAgg(figure)
    whole = top + height + bottom
    words: dict[str, Any] = {"ha": "left", "linespacing": 1.25}
    figure.text(MARGIN / WIDTH, 1 - 0.13 / whole, heading, va="top", size=12.5, weight="bold", **words)
    figure.text(MARGIN / WIDTH, 0.11 / whole, foot, va="bottom", size=8, color=MUTED, **words)
    return figure, (MARGIN, bottom, WIDTH - 2 * MARGIN, height)


def place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Add axes at a place given in inches."""
    whole_width, whole_height = figure.get_size_inches()
    return figure.add_axes(
        (left / whole_width, bottom / whole_height, width / whole_width, height / whole_height)
    )


def save(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write NAME.png (150 dpi) and NAME.svg, without dates and versions. Returns their paths."""
    png, svg = folder / f"{name}.png", folder / f"{name}.svg"
    figure.savefig(png, format="png", dpi=DPI, metadata={"Software": None})
    figure.savefig(svg, format="svg", dpi=DPI, metadata={"Date": None, "Creator": None})
    return png, svg
