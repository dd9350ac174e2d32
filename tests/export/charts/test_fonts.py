"""B9: letters beyond the charts' own font are drawn with a font of the machine, or said to be missing."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from support.findings_sample import SAMPLE, of_groups, report
from support.findings_sample import drawn as draw_charts
from surveylake.export.charts import fonts, render
from surveylake.export.charts.fonts import families_with, missing_note
from surveylake.export.charts.render import boxes_note
from surveylake.export.charts.style import drawing, text_width
from surveylake.export.formatting import shorten
from surveylake.export.report.render import write_report
from surveylake.paths import JOBS

NAMES = {"中国": 21, "日本": 13, "한국": 9, "हिन्दी": 8, "ไทย": 7, "Female": 6}
OWN_FONTS = Path(fonts.fontManager.ttflist[0].fname).parent


def font(path: Path, family: str, drawn: str, empty: str = "", style: str = "Regular") -> str:
    """A font file with a square for each letter in `drawn`, and a glyph without an outline for each in `empty`."""
    pen = TTGlyphPen(None)
    pen.moveTo((50, 0))
    for corner in ((50, 700), (550, 700), (550, 0)):
        pen.lineTo(corner)
    pen.closePath()
    square, nothing = pen.glyph(), TTGlyphPen(None).glyph()
    letters = {ord(letter): f"g{ord(letter):x}" for letter in drawn + empty}
    glyphs = {".notdef": nothing} | {
        letters[ord(c)]: square if c in drawn else nothing for c in drawn + empty
    }
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(letters)
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (600, 50)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupOS2()
    builder.setupPost()
    builder.setupNameTable({"familyName": family, "styleName": style, "fullName": f"{family} {style}"})
    path.parent.mkdir(parents=True, exist_ok=True)
    builder.save(path)
    return str(path)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The font files of the machine: none, until a test adds some."""
    files: list[str] = []
    monkeypatch.setattr(fonts, "findSystemFonts", lambda: files)
    return files


def test_b9_letters_that_no_font_has_are_named_with_the_way_out(machine: list[str], tmp_path: Path) -> None:
    drawn = draw_charts(of_groups(NAMES), tmp_path)
    note = boxes_note(drawn)
    assert all(letter in note for letter in "中国日本한국हไทย")
    assert all(f"({script})" in note for script in ("Chinese characters", "Korean", "Devanagari", "Thai"))
    assert "Install a font" in note and "\n" not in note
    assert "F" not in "".join(chart.boxes for chart in drawn)


def test_b9_a_font_of_the_machine_is_found_and_nothing_is_missing(machine: list[str], tmp_path: Path) -> None:
    machine.append(font(tmp_path / "many.ttf", "Many Letters", "".join(NAMES)))
    drawn = draw_charts(of_groups(NAMES), tmp_path / "charts")
    assert boxes_note(drawn) == ""
    assert [chart.boxes for chart in drawn] == [""] * 4


def test_b9_what_one_font_lacks_comes_from_another_and_the_rest_is_named(
    machine: list[str], tmp_path: Path
) -> None:
    machine.append(font(tmp_path / "thai.ttf", "Only Thai", "ไทย"))
    machine.append(font(tmp_path / "han.ttf", "Only Han", "中国日本한"))
    drawn = draw_charts(of_groups(NAMES), tmp_path / "charts")
    assert set("".join(chart.boxes for chart in drawn)) == {"국", "ह", "न", "द"}


def test_b9_the_report_and_the_console_say_which_letters_are_missing(
    machine: list[str], tmp_path: Path
) -> None:
    findings = of_groups({"中国": 9, "Female": 7})
    drawn = draw_charts(findings, tmp_path / "charts")
    write_report(report(findings), findings, drawn, tmp_path)
    for name in ("report.html", "report.md"):
        assert (tmp_path / name).read_text(encoding="utf-8").count(
            "No font of this machine has these letters"
        ) == 1


def test_b9_a_report_in_latin_letters_says_nothing_of_fonts(sample_report: str) -> None:
    assert "No font" not in sample_report


@pytest.fixture
def sample_report(tmp_path: Path) -> str:
    drawn = draw_charts(SAMPLE, tmp_path / "charts")
    write_report(report(SAMPLE), SAMPLE, drawn, tmp_path)
    return (tmp_path / "report.html").read_text(encoding="utf-8") + (tmp_path / "report.md").read_text(
        encoding="utf-8"
    )


def test_b9_latin_pictures_never_look_at_the_fonts_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So they are the same on every machine, whatever is installed."""
    monkeypatch.setattr(render, "families_with", lambda letters: pytest.fail(f"looked for {letters}"))
    draw_charts(SAMPLE, tmp_path / "sample")
    draw_charts(of_groups({"Žižkov ﬁ Ελλάδα Россия": 9, "العربية": 8, "עברית": 7}), tmp_path / "others")


def test_b9_letters_are_joined_and_turned_by_matplotlib(tmp_path: Path) -> None:
    """Arabic that is joined is narrower than its letters one by one; Hebrew is drawn from the right."""
    with drawing():
        assert text_width("العربية") < sum(text_width(letter) for letter in "العربية")
    one, turned = (
        draw_charts(of_groups({name: 9, "Female": 7}), tmp_path / str(i))[0].svg.read_bytes()
        for i, name in enumerate(["אבגד", "דגבא"])
    )
    assert one != turned


def test_b9_a_font_of_bitmaps_or_of_boxes_is_no_help(machine: list[str], tmp_path: Path) -> None:
    machine.append(font(tmp_path / "colours.ttf", "Colour Emoji", "", empty="中"))
    machine.append(font(tmp_path / "boxes.ttf", "My Last Resort", "中"))
    machine.append(str(OWN_FONTS / "LastResortHE-Regular.ttf"))
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    machine.append(str(tmp_path / "broken.ttf"))
    machine.append(str(tmp_path / "gone.ttf"))
    assert families_with("中") == []


def test_b9_of_several_fonts_the_plain_one_for_the_region_is_taken(
    machine: list[str], tmp_path: Path
) -> None:
    for region in ("JP", "KR", "SC"):
        for kind in ("Serif", "Sans", "Sans Mono"):
            family = f"Noto {kind} CJK {region}"
            machine.append(font(tmp_path / f"{family}.ttf", family, "中国한日の"))
    assert families_with("中国") == ["Noto Sans CJK SC"]
    assert families_with("中国한") == ["Noto Sans CJK KR"]
    assert families_with("日の") == ["Noto Sans CJK JP"]


def test_b9_an_italic_face_is_not_taken(machine: list[str], tmp_path: Path) -> None:
    machine.append(font(tmp_path / "slanted.ttf", "Slanted", "中", style="Italic"))
    assert families_with("中") == []


RARE = "\U00010570\U0001e290\U00012f90\U00010f70\U00016ac0\U0001e030\U00016a40"
"""Letters of scripts that few fonts have."""


@pytest.mark.integration
def test_b9_a_font_installed_since_the_first_start_is_found(tmp_path: Path) -> None:
    """Through the system's own folders, and with the list of fonts that matplotlib keeps from its first start."""
    letter = next((letter for letter in RARE if shorten(letter) and not families_with(letter)), "")
    if not letter:
        pytest.skip("this machine has a font for each of the rare letters")
    environment = {
        **os.environ,
        "PYTHONPATH": f"{JOBS}{os.pathsep}{Path(__file__).parents[2]}",
        "XDG_DATA_HOME": str(tmp_path),
        "PYTHONIOENCODING": "utf-8",
    }
    code = (
        "import sys; from pathlib import Path; from support.findings_sample import drawn, of_groups\n"
        "from surveylake.export.charts.render import boxes_note\n"
        "print(boxes_note(drawn(of_groups({sys.argv[2]: 9, 'Female': 7}), Path(sys.argv[1]))))"
    )

    def said() -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code, str(tmp_path / "charts"), letter],
            env=environment, capture_output=True, text=True, timeout=60, encoding="utf-8",
        )  # fmt: skip
        assert done.stderr == ""
        return done.stdout.strip()

    assert "No font of this machine has these letters" in said()
    font(tmp_path / "fonts" / "rare.ttf", "Rare", letter)
    assert said() == ""


def test_b9_many_missing_letters_are_counted_and_not_listed() -> None:
    note = missing_note({chr(0x4E00 + i) for i in range(500)} | {"👩"})
    assert "and 488 more (Chinese characters); 👩 (signs and emoji)" in note
    assert missing_note(()) == ""


def test_b9_a_wide_letter_takes_the_room_of_two() -> None:
    assert shorten("中" * 14) == "中" * 14
    assert shorten("中" * 15) == "中" * 13 + "…"
    assert shorten("a" * 28) == "a" * 28
    with drawing():
        assert text_width(shorten("中" * 99)) < 1.3 * text_width("n" * 28)


def test_b9_an_unforeseen_warning_is_still_one(tmp_path: Path) -> None:
    with pytest.raises(UserWarning, match="something else"), drawing() as boxes:
        import warnings

        warnings.warn("something else", UserWarning, stacklevel=1)
    assert boxes == set()


def test_b9_variation_selectors_are_not_letters(machine: list[str], tmp_path: Path) -> None:
    machine.append(font(tmp_path / "flag.ttf", "Flag", "🏳🌈"))
    assert boxes_note(draw_charts(of_groups({"🏳\ufe0f\u200d🌈": 9, "Female": 7}), tmp_path)) == ""


def test_b9_without_groups_nothing_is_missing(machine: list[str], tmp_path: Path) -> None:
    assert boxes_note(draw_charts(replace(SAMPLE, summaries={}), tmp_path)) == ""
