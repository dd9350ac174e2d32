"""Letters beyond the charts' own font: which fonts of this machine have them, and what to say of those that none has.

Importing this imports matplotlib, so surveylake.export.charts.style is to be imported before: it names matplotlib's folder.
"""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from matplotlib.font_manager import FontEntry, findSystemFonts, fontManager, ttfFontProperty
from matplotlib.ft2font import FT2Font

from surveylake.export.formatting import ISOLATES

REGULAR, BOLD = 400, 700
BOXES = "lastresort"
"""Fonts called so have a box for every letter there is."""
REGIONS = (("HIRAGANA", " JP"), ("KATAKANA", " JP"), ("HANGUL", " KR"), ("CJK", " SC"))
"""Chinese characters are drawn in another manner in each country; the other letters tell which, the first that holds."""
SCRIPTS = {"CJK": "Chinese characters", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"}
"""The first word of a letter's Unicode name -> what readers call its script, where that is another word."""
SYMBOLS = "signs and emoji"
MOST_SHOWN = 12
UNSEEN = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), *map(ord, ISOLATES)}
"""Characters that are never drawn: variation selectors, which choose the form of the letter before them, and isolates."""
HINT = "Install a font that has them (Debian, Ubuntu: fonts-noto-cjk, fonts-noto-core, fonts-symbola), then run jobs/export.py."


@dataclass(frozen=True)
class _Face:
    """One face of a font file, and which of the letters asked for it can draw."""

    path: str
    entry: FontEntry
    letters: frozenset[str]


def families_with(letters: Collection[str]) -> list[str]:
    """The fewest font families of this machine that together draw these letters, as far as it has any; matplotlib knows them
    afterwards. The fonts are looked for anew: matplotlib's own list is from its first start here."""
    faces, left, chosen = list(_faces(letters)), set(letters), list[str]()
    region = _region(letters)
    while face := min(
        (face for face in faces if face.letters & left),
        key=lambda face: _rank(face, left, region),
        default=None,
    ):
        chosen.append(face.entry.name)
        left -= face.letters
    for path in sorted({face.path for face in faces if face.entry.name in chosen}):
        fontManager.addfont(path)
    return chosen


def said_of(missing: Collection[str]) -> str:
    """One sentence on letters that are boxes in the charts, and what to do: '' when there is none."""
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


def _rank(face: _Face, left: set[str], region: str) -> tuple[int, bool, bool, bool, int, str]:
    """Less is better: many of the letters, for this region, without serifs, of one width only where it must be, regular."""
    entry = face.entry
    return (
        -len(face.letters & left),
        region not in entry.name,
        "Sans" not in entry.name,
        "Mono" in entry.name,
        abs(_weight(entry) - REGULAR),
        entry.name,
    )


def _weight(entry: FontEntry) -> int:
    return entry.weight if isinstance(entry.weight, int) else REGULAR


def _faces(letters: Collection[str]) -> Iterator[_Face]:
    """The upright faces of this machine that draw at least one of the letters; a file that is no font is passed over."""
    for path in sorted(findSystemFonts()):
        try:
            font = FT2Font(path)
            for index in range(font.num_faces):
                face = FT2Font(path, face_index=index) if index else font
                has = frozenset(letter for letter in letters if _draws(face, letter))
                entry = ttfFontProperty(face)
                if has and entry.style == "normal" and BOXES not in entry.name.replace(" ", "").lower():
                    yield _Face(path, entry, has)
        except (RuntimeError, OSError, NotImplementedError, LookupError, ValueError):
            continue


def _draws(face: FT2Font, letter: str) -> bool:
    """Whether the face has an outline for it: a font of bitmaps or of coloured pictures has the letter and draws nothing."""
    if not face.get_char_index(ord(letter)):
        return False
    face.set_size(12, 72)
    face.load_char(ord(letter))
    return len(face.get_path()[0]) > 0
