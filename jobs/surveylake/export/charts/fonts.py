"""Letters beyond the charts' own font: fonts of this machine that have them, and a note on letters that none has.

Import surveylake.export.charts.style before this module: it sets matplotlib's folder.
"""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from matplotlib.font_manager import FontEntry, findSystemFonts, fontManager, ttfFontProperty
from matplotlib.ft2font import FT2Font

from surveylake.export.formatting import ISOLATES

REGULAR, BOLD = 400, 700
BOXES = "lastresort"
"""Fonts with this in their name have a box for every letter."""
REGIONS = (("HIRAGANA", " JP"), ("KATAKANA", " JP"), ("HANGUL", " KR"), ("CJK", " SC"))
"""First word of a Unicode name -> region of the font: Chinese characters have another form in each. The first match counts."""
SCRIPTS = {"CJK": "Chinese characters", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"}
"""First word of a letter's Unicode name -> the common name of its script, where that is another word."""
SYMBOLS = "signs and emoji"
MOST_SHOWN = 12
UNSEEN = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), *map(ord, ISOLATES)}
"""Characters that are never drawn: variation selectors, which choose the form of the letter before them, and isolates."""
HINT = "Install a font that has them (Debian, Ubuntu: fonts-noto-cjk, fonts-noto-core, fonts-symbola), then run jobs/export.py."


@dataclass(frozen=True)
class _Face:
    """One face of a font file, and the requested letters that it can draw."""

    path: str
    entry: FontEntry
    letters: frozenset[str]


def families_with(letters: Collection[str]) -> list[str]:
    """Return the fewest font families of this machine that together draw these letters, as far as it has any.

    Adds them to matplotlib's fonts. Reads the fonts again: matplotlib's own list is from its first start here.
    """
    faces, missing, families = list(_faces(letters)), set(letters), list[str]()
    region = _region(letters)
    while face := min(
        (face for face in faces if face.letters & missing),
        key=lambda face: _rank(face, missing, region),
        default=None,
    ):
        families.append(face.entry.name)
        missing -= face.letters
    for path in sorted({face.path for face in faces if face.entry.name in families}):
        fontManager.addfont(path)
    return families


def missing_note(missing: Collection[str]) -> str:
    """Return a sentence on letters that are boxes in the charts, with what to do; '' when there is none."""
    scripts: dict[str, list[str]] = {}
    for letter in sorted(missing):
        scripts.setdefault(_script(letter), []).append(letter)
    if not scripts:
        return ""
    named = "; ".join(
        f"{' '.join(some[:MOST_SHOWN])}{_more(some)} ({script})" for script, some in scripts.items()
    )
    return f"No font of this machine has these letters, and in the charts they are boxes: {named}. {HINT}"


def _more(letters: Sequence[str]) -> str:
    return f" and {len(letters) - MOST_SHOWN:,} more" if len(letters) > MOST_SHOWN else ""


def _script(letter: str) -> str:
    word = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
    return (
        SCRIPTS.get(word, word.capitalize()) if unicodedata.category(letter)[0] in "LM" and word else SYMBOLS
    )


def _region(letters: Collection[str]) -> str:
    names = [unicodedata.name(letter, "") for letter in letters]
    return next((region for word, region in REGIONS if any(name.startswith(word) for name in names)), "")


def _rank(face: _Face, missing: set[str], region: str) -> tuple[int, bool, bool, bool, int, str]:
    """Return a sort key, the best first: many of the letters, of this region, sans serif, not monospaced, regular weight."""
    entry = face.entry
    return (
        -len(face.letters & missing),
        region not in entry.name,
        "Sans" not in entry.name,
        "Mono" in entry.name,
        abs(_weight(entry) - REGULAR),
        entry.name,
    )


def _weight(entry: FontEntry) -> int:
    return entry.weight if isinstance(entry.weight, int) else REGULAR


def _faces(letters: Collection[str]) -> Iterator[_Face]:
    """Yield the upright faces of this machine that draw at least one of the letters. Skips files that are no font."""
    for path in sorted(findSystemFonts()):
        try:
            font = FT2Font(path)
            for index in range(font.num_faces):
                face = FT2Font(path, face_index=index) if index else font
                drawable = frozenset(letter for letter in letters if _draws(face, letter))
                entry = ttfFontProperty(face)
                if drawable and entry.style == "normal" and BOXES not in entry.name.replace(" ", "").lower():
                    yield _Face(path, entry, drawable)
        except (RuntimeError, OSError, NotImplementedError, LookupError, ValueError):
            continue


def _draws(face: FT2Font, letter: str) -> bool:
    """True if the face has an outline for the letter: bitmap and colour fonts have the letter and draw nothing."""
    if not face.get_char_index(ord(letter)):
        return False
    face.set_size(12, 72)
    face.load_char(ord(letter))
    return len(face.get_path()[0]) > 0
