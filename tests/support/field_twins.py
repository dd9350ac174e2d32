"""Twins of files that people publish: the same shapes, with made-up answers; each by a seed, and with the number of its people."""

import csv
import io
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

WORDS = ["survey", "time", "work", "often", "people", "home", "school", "answer", "never", "better", "think", "because", "course", "week", "really",
         "help", "family", "city", "music", "bread"]  # fmt: skip
AGREE = ["Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree"]
TOOLS = ["Python", "R", "SQL", "Excel", "SPSS", "Stata"]
Rows = list[list[str]]


@dataclass(frozen=True)
class Twin:
    """A made-up file: its bytes, how many people answered, and how many of its lines are none."""

    name: str
    data: bytes
    people: int
    bad_lines: int = 0

    def write(self, folder: Path) -> Path:
        """The file in a folder."""
        path = folder / f"{self.name}.csv"
        path.write_bytes(self.data)
        return path


def text_of(
    rows: Iterable[list[str]], delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL, end: str = "\r\n"
) -> str:
    """The rows as a CSV."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(rows)
    return out.getvalue()


def sentence(draw: random.Random, most: int = 12) -> str:
    """A remark, each time another."""
    return (
        " ".join(draw.choice(WORDS) for _ in range(draw.randint(3, most))).capitalize()
        + f" {draw.randint(1, 999)}."
    )


def _us_time(draw: random.Random, seconds: bool = False) -> str:
    at = datetime(2014, 8, 27) + timedelta(minutes=draw.randint(0, 400_000), seconds=draw.randint(0, 59))
    return f"{at.month}/{at.day}/{at.year} {at.hour}:{at:%M}" + (f":{at:%S}" if seconds else "")


def google_form_small() -> Twin:
    """A Google Form with US timestamps and no id, 101 x 11; some people answered within the same minute."""
    draw = random.Random(1)
    header = ["Timestamp", "Gender", "Age group", "Do you cook at home?", "How often do you eat out?", "Which meals do you cook?",
              "Rate the canteen", "What would you change?", "City", "Semester", "Email me the results"]  # fmt: skip
    times = [_us_time(draw) for _ in range(80)]
    rows = []
    for _ in range(101):
        rows.append([
            draw.choice(times), draw.choice(["Female", "Male", "Female", "Male", "Prefer not to say"]), draw.choice(["18-20", "21-24", "25-30", "Over 30"]),
            draw.choice(["Yes", "No"]), draw.choice(["Never", "Rarely", "Sometimes", "Often"]),
            ", ".join(draw.sample(["Breakfast", "Lunch", "Dinner", "Snacks"], draw.randint(1, 3))), str(draw.randint(1, 5)),
            draw.choice(["", sentence(draw)]), draw.choice(["Graz", "Linz", "Wien"]), str(draw.randint(1, 8)), draw.choice(["Yes", "No", ""]),
        ])  # fmt: skip
    return Twin("google_form_small", text_of([header, *rows]).encode(), 101)


GENDERS = (["Male"] * 300 + ["male"] * 100 + ["Female"] * 90 + ["female"] * 40 + ["M"] * 60 + ["m"] * 20 + ["F"] * 20 + ["f"] * 9 + [
    "Make", "Mal", "maile", "Male ", "Malr", "msle", "Mail", "cis male", "Cis Man", "Woman", "woman", "Femake", "femail", "Female ", "Female (cis)",
    "Female (trans)", "Trans woman", "Trans-female", "queer", "non-binary", "Nah", "Enby", "fluid", "Genderqueer", "Androgyne", "Agender", "Man",
    "male leaning androgynous", "Guy (-ish) ^_^", "something kinda male?", "ostensibly male", "A little about you", "p", "All", "Neuter", "queer/she/they",
    "cis-female/femme", "Male (CIS)", "Male-ish"])  # fmt: skip


def google_form_large() -> Twin:
    """A Google Form, 1,259 x 27: 46 spellings of gender, impossible ages, bands that a spreadsheet took for dates, NA."""
    draw = random.Random(2)
    header = ["Timestamp", "Age", "Gender", "Country", "state", "self_employed", "family_history", "treatment", "work_interfere", "no_employees",
              "remote_work", "tech_company", "benefits", "care_options", "wellness_program", "seek_help", "anonymity", "leave", "mental_health_consequence",
              "phys_health_consequence", "coworkers", "supervisor", "mental_health_interview", "phys_health_interview", "mental_vs_physical",
              "obs_consequence", "comments"]  # fmt: skip
    odd = {3: "-1726", 50: "99999999999", 77: "329", 400: "-29", 900: "5", 1000: "11"}
    maybe = ["Yes", "No", "Don't know"]
    rows = []
    for at in range(1259):
        day = datetime(2014, 8, 27, 11, 29) + timedelta(seconds=draw.randint(0, 900) * 60)
        rows.append([
            f"{day:%Y-%m-%d %H:%M:%S}", odd.get(at, str(draw.randint(18, 60))), draw.choice(GENDERS), draw.choice(["United States"] * 6 + ["Canada", "Germany"]),
            draw.choice(["NA", "CA", "WA", "NY", "TX"]), draw.choice(["NA", "Yes", "No", "No", "No"]), draw.choice(["Yes", "No"]), draw.choice(["Yes", "No"]),
            draw.choice(["Often", "Rarely", "Never", "Sometimes", "NA"]), draw.choice(["5-Jan", "25-Jun", "26-100", "100-500", "500-1000", "More than 1000"]),
            *[draw.choice(["Yes", "No"]) for _ in range(2)], *[draw.choice(maybe) for _ in range(5)],
            draw.choice(["Very easy", "Somewhat easy", "Don't know", "Somewhat difficult", "Very difficult"]),
            *[draw.choice(["Yes", "No", "Maybe"]) for _ in range(2)], *[draw.choice(["Yes", "No", "Some of them"]) for _ in range(2)],
            *[draw.choice(["Yes", "No", "Maybe"]) for _ in range(2)], draw.choice(maybe), draw.choice(["Yes", "No"]),
            draw.choice(["NA"] * 6 + [sentence(draw, 40) + '\nAnd, "so on"']),
        ])  # fmt: skip
    return Twin("google_form_large", text_of([header, *rows]).encode(), 1259)


def semicolons() -> Twin:
    """Semicolons, and quotes around every text: 395 x 33, nobody's id."""
    draw = random.Random(3)
    names = ["school", "sex", "age", "address", "famsize", "Pstatus", "Medu", "Fedu", "Mjob", "Fjob", "reason", "guardian", "traveltime", "studytime",
             "failures", "schoolsup", "famsup", "paid", "activities", "nursery", "higher", "internet", "romantic", "famrel", "freetime", "goout", "Dalc",
             "Walc", "health", "absences", "G1", "G2", "G3"]  # fmt: skip
    jobs = ["at_home", "health", "other", "services", "teacher"]
    lines = [";".join(names)]
    for _ in range(395):
        cells: list[str | int] = [
            draw.choice(["GP", "MS"]), draw.choice("FM"), draw.randint(15, 22), draw.choice("UR"), draw.choice(["LE3", "GT3"]), draw.choice("AT"),
            draw.randint(0, 4), draw.randint(0, 4), draw.choice(jobs), draw.choice(jobs), draw.choice(["course", "home", "other", "reputation"]),
            draw.choice(["mother", "father", "other"]), draw.randint(1, 4), draw.randint(1, 4), draw.randint(0, 3), *[draw.choice(["yes", "no"]) for _ in range(8)],
            *[draw.randint(1, 5) for _ in range(6)], draw.randint(0, 75), *[draw.randint(0, 20) for _ in range(3)],
        ]  # fmt: skip
        lines.append(";".join(f'"{cell}"' if isinstance(cell, str) else str(cell) for cell in cells))
    return Twin("semicolons", ("\n".join(lines) + "\n").encode(), 395)


def likert_150() -> Twin:
    """Likert 1-5 in 150 columns, one header twice, some blanks."""
    draw = random.Random(4)
    header = [f"I enjoy {WORDS[at % len(WORDS)]} {at}" for at in range(139)] + [
        "Energy levels",
        "Energy levels",
    ]
    header += [
        "Age",
        "Height",
        "Weight",
        "Number of siblings",
        "Gender",
        "Left - right handed",
        "Education",
        "Only child",
        "Village - town",
    ]
    rows = []
    for _ in range(300):
        row = [draw.choice(["1", "2", "3", "4", "5"]) if draw.random() > 0.01 else "" for _ in range(141)]
        row += [str(draw.randint(15, 30)), str(draw.randint(150, 200)), str(draw.randint(45, 110)), str(draw.randint(0, 5)),
                draw.choice(["female", "male", "female", "male", ""]), draw.choice(["right handed", "left handed"]),
                draw.choice(["secondary school", "primary school", "college/bachelor degree", "masters degree"]), draw.choice(["yes", "no"]),
                draw.choice(["village", "city"])]  # fmt: skip
        rows.append(row)
    return Twin("likert_150", text_of([header, *rows]).encode(), 300)


def free_text_and_units() -> Twin:
    """61 columns with free text, and numbers with and without their units."""
    draw = random.Random(5)
    header = [
        "GPA",
        "Gender",
        "breakfast",
        "calories_chicken",
        "calories_day",
        "coffee",
        "comfort_food",
        "comfort_food_reasons",
        "weight",
        "type_sports",
    ]
    header += [f"food_{at}" for at in range(51)]
    rows = []
    for at in range(125):
        weight = (
            "I'm not answering this."
            if at == 3
            else "144 lbs"
            if at == 67
            else "nan"
            if at == 40
            else str(draw.randint(100, 260))
        )
        row = [draw.choice(["Personal", "nan"]) if at in (9, 61) else f"{draw.uniform(2.2, 4):.3g}", draw.choice("12"), draw.choice("12"),
               draw.choice(["430", "610", "720", "265"]), draw.choice(["2", "3", "4", "nan"]), draw.choice("12"), sentence(draw, 5), sentence(draw, 20),
               weight, draw.choice(["hockey", "Soccer", "none", "Running", sentence(draw, 4)])]  # fmt: skip
        row += [str(draw.randint(1, 3 + at % 4)) if draw.random() > 0.05 else "" for at in range(45)] + [
            sentence(draw, 10) for _ in range(6)
        ]
        rows.append(row)
    return Twin("free_text_and_units", text_of([header, *rows]).encode(), 125)


def poll_long_headers() -> Twin:
    """65 columns of a poll: an id, questions spread over columns, and headers of 130 letters."""
    draw = random.Random(6)
    long = ("Thinking about the coming holidays and everybody who will be sitting at your table, how much do you agree "
            "with the statement that")  # fmt: skip
    header = ["RespondentID", "Do you celebrate Thanksgiving?"]
    sides = [
        "Brussel sprouts",
        "Carrots",
        "Cauliflower",
        "Corn",
        "Cornbread",
        "Fruit salad",
        "Macaroni and cheese",
        "Mashed potatoes",
        "Rolls",
        "Squash",
    ]
    header += [
        f"Which of these side dishes are typically served at your Thanksgiving dinner? Please select all that apply. - {side}"
        for side in sides
    ]
    pies = [
        "Apple",
        "Buttermilk",
        "Cherry",
        "Chocolate",
        "Coconut cream",
        "Key lime",
        "Peach",
        "Pecan",
        "Pumpkin",
        "Sweet Potato",
    ]
    header += [
        f"Which type of pie is typically served at your Thanksgiving dinner? Please select all that apply. - {pie}"
        for pie in pies
    ]
    header += [f"{long} {WORDS[at % len(WORDS)]} {at} matters" for at in range(38)]
    header += [
        "Age",
        "What is your gender?",
        "How much total combined money did all members of your HOUSEHOLD earn last year?",
        "US Region",
        "Zip",
    ]
    incomes = [
        "$0 to $9,999",
        "$10,000 to $24,999",
        "$25,000 to $49,999",
        "$100,000 to $124,999",
        "$200,000 and up",
        "Prefer not to answer",
    ]
    rows = []
    for at in range(400):
        row = [str(4337954960 - at * 7), draw.choice(["Yes", "Yes", "No"])]
        row += [side if draw.random() < 0.4 else "" for side in sides] + [
            pie if draw.random() < 0.4 else "" for pie in pies
        ]
        row += [draw.choice([*AGREE, ""]) for _ in range(38)]
        row += [draw.choice(["18 - 29", "30 - 44", "45 - 59", "60+"]), draw.choice(["Male", "Female"]), draw.choice(incomes),
                draw.choice(["Middle Atlantic", "Mountain", "Pacific"]), f"{draw.randint(501, 99950):05}"]  # fmt: skip
        rows.append(row)
    return Twin("poll_long_headers", text_of([header, *rows]).encode(), 400)


def weights() -> Twin:
    """98 columns with weights, and a first column without a name that counts the rows."""
    draw = random.Random(7)
    header = ["", "weight", "survey_date", "state", "educ"] + [f"q{at:04}" for at in range(1, 94)]
    rows = []
    for at in range(350):
        rows.append([
            str(at + 1), repr(draw.uniform(0.1, 4.2)), f"{draw.randint(10, 22)}/05/2018", draw.choice(["Texas", "Ohio", "Iowa"]), draw.choice(["College or more", "Some college"]),
            *[draw.choice(["Very important", "Somewhat important", "Not too important", "Not at all important", "No answer"]) for _ in range(20)],
            *[draw.choice(["Not selected", f"Choice {col}"]) for col in range(40)], *[draw.choice(["Often", "Sometimes", "Never, open to it"]) for _ in range(33)],
        ])  # fmt: skip
    return Twin("weights", text_of([header, *rows]).encode(), 350)


def lists_and_cut() -> Twin:
    """84 columns with `;` lists and NA, and cut inside the last row."""
    draw = random.Random(8)
    header = [
        "ResponseId",
        "MainBranch",
        "Employment",
        "LearnCode",
        "LanguageHaveWorkedWith",
        "YearsCode",
        "CompTotal",
        "ConvertedCompYearly",
    ]
    header += [f"Knowledge_{at}" for at in range(1, 9)] + [f"Tools{at}" for at in range(68)]
    rows = []
    for at in range(320):
        several = ";".join(draw.sample(TOOLS, draw.randint(1, 4)))
        row = [str(at + 1), draw.choice(["I am a developer by profession", "I code primarily as a hobby"]),
               draw.choice(["Employed, full-time", "Student, part-time", "Employed, full-time;Student, part-time"]),
               draw.choice([several, "NA"]), several, draw.choice(["NA", "Less than 1 year", "More than 50 years", *map(str, range(1, 20))]),
               draw.choice(["NA", str(draw.randint(1, 90) * 1000)]), draw.choice(["NA", str(draw.randint(1, 90) * 977)])]  # fmt: skip
        row += [draw.choice(["NA", *AGREE]) for _ in range(8)]
        row += [draw.choice(["NA", ";".join(draw.sample(TOOLS, draw.randint(1, 3)))]) for _ in range(68)]
        rows.append(row)
    text = text_of([header, *rows], end="\n")
    last = text.rstrip("\n").rfind("\n")
    return Twin("lists_and_cut", text[: last + 150].encode(), 319, bad_lines=1)


def clean_decimals() -> Twin:
    """Clean decimals, 50 x 14, an id."""
    draw = random.Random(9)
    header = ["id", "group", *[f"measure_{at}" for at in range(12)]]
    rows = [
        [f"S{at:03}", draw.choice("AB"), *[f"{draw.gauss(20, 5):.2f}" for _ in range(12)]] for at in range(50)
    ]
    return Twin("clean_decimals", text_of([header, *rows]).encode(), 50)


def spanish() -> Twin:
    """39 columns in Spanish: numbers as people type them, some with their unit."""
    draw = random.Random(10)
    header = [
        "Marca temporal",
        "¿Cuál es tu género?",
        "Edad",
        "Peso (kg)",
        "Estatura (m)",
        "¿Con qué frecuencia haces ejercicio?",
        "¿Fumas?",
        "Municipio",
    ]
    header += [f"¿Qué tan de acuerdo estás con la frase número {at}?" for at in range(25)] + [
        f"Comentario {at}" for at in range(6)
    ]
    rows = []
    for _ in range(656):
        weight = f"{draw.randint(40, 120)}" + (
            draw.choice([" kg", "kg", " kilos", " lbs"]) if draw.random() < 0.046 else ""
        )
        row = [f"{draw.randint(1, 28)}/{draw.randint(1, 12)}/2021 {draw.randint(0, 23)}:{draw.randint(0, 59):02}:{draw.randint(0, 59):02}",
               draw.choice(["Mujer", "Hombre", "Prefiero no decirlo"]), str(draw.randint(15, 80)) + (" años" if draw.random() < 0.02 else ""), weight,
               f"1.{draw.randint(45, 95)}", draw.choice(["Nunca", "Rara vez", "A veces", "Casi siempre", "Siempre"]), draw.choice(["Sí", "No"]),
               draw.choice(["Mérida", "merida", "Valladolid", "Progreso"])]  # fmt: skip
        row += [
            draw.choice(["Muy en desacuerdo", "En desacuerdo", "De acuerdo", "Muy de acuerdo"])
            for _ in range(25)
        ]
        row += [sentence(draw, 5) if draw.random() < 0.2 else "" for _ in range(6)]
        rows.append(row)
    return Twin("spanish", text_of([header, *rows]).encode(), 656)


def windows_and_blank_rows() -> Twin:
    """Not UTF-8, with semicolons, decimal commas and blank rows between the answers."""
    draw = random.Random(11)
    header = ["Nr", "Geschlecht", "Größe", "Gewicht", "Bundesland", "Meinung"]
    rows = []
    for at in range(120):
        rows.append([f"T-{at:04}", draw.choice(["weiblich", "männlich"]), f"{draw.uniform(1.5, 2):.2f}".replace(".", ","), f"{draw.uniform(50, 99):.1f}".replace(".", ","),
                     draw.choice(["Kärnten", "Wien", "Niederösterreich"]), draw.choice(["", "schön – „sehr“", sentence(draw)])])  # fmt: skip
        rows += [[""] * 6] * (at % 10 == 3)
    return Twin("windows_and_blank_rows", text_of([header, *rows], ";").encode("windows-1252"), 120)


def quoted_headers() -> Twin:
    """Quotes and line breaks inside headers."""
    draw = random.Random(12)
    header = ["Participant code", 'What does "home" mean to you?', 'How "modern" is your kitchen?\n(1 = not, 5 = very)', "Path C:\\survey", "Which, if any,\nof these?",
              'Would you say "yes" again?', "Year of birth"]  # fmt: skip
    rows = [[f"K{at:02}x{draw.randint(10, 99)}", sentence(draw), str(draw.randint(1, 5)), sentence(draw, 4), draw.choice(["none", "bread, cheese", "soup"]), draw.choice(["yes", "no"]),
             str(draw.randint(1940, 2005))] for at in range(140)]  # fmt: skip
    return Twin("quoted_headers", text_of([header, *rows]).encode(), 140)


def mac_two_headers() -> Twin:
    """In a Mac's encoding, with 23 nameless columns and a second header row, as a survey program writes them."""
    draw = random.Random(13)
    header = ["RespondentID", "Have you seen any of the 6 films?", "Which of the following films have you seen? Please select all that apply.", "", "", "", "", "",
              "Please rank the films, 1 being your favorite.", "", "", "", "", "", "Please say whether you view the following characters favorably.",
              *[""] * 13, "Which character shot first?", "Do you like the caf\u00e9 scene\u2026?", "Gender", "Age", "Household Income", "Education", "Location"]  # fmt: skip
    films = [f"Film {name}: the café" for name in ("I", "II", "III", "IV", "V", "VI")]
    who = [f"Person {at}" for at in range(14)]
    second = ["", "Response", *films, *films, *who, *["Response"] * 7]
    view = [
        "Very favorably",
        "Somewhat favorably",
        "Neither favorably nor unfavorably (neutral)",
        "Somewhat unfavorably",
        "Very unfavorably",
        "Unfamiliar (N/A)",
    ]
    rows = []
    for at in range(230):
        rows.append([str(3292879998 - 3 * at), draw.choice(["Yes", "No"]), *[film if draw.random() < 0.6 else "" for film in films], *map(str, draw.sample(range(1, 7), 6)),
                     *[draw.choice(view) for _ in who], draw.choice(["Han", "Greedo", "I don't understand this question"]), draw.choice(["Yes", "No"]), draw.choice(["Male", "Female", ""]),
                     draw.choice(["18-29", "30-44", "45-60", "> 60", ""]), draw.choice(["$0 - $24,999", "$25,000 - $49,999", "$150,000+", ""]),
                     draw.choice(["High school degree", "Bachelor degree"]), draw.choice(["Pacific", "Mountain"])])  # fmt: skip
    assert len(header) == len(second) == len(rows[0])
    return Twin("mac_two_headers", text_of([header, second, *rows]).encode("mac-roman"), 230)


def blank_genders() -> Twin:
    """288 x 8 with blank genders."""
    draw = random.Random(14)
    header = ["Participant_ID", "Gender", "Nationality", "Age", "Food", "Juice", "Dessert", "Timestamp"]
    rows = [[f"FDS{at:03}", draw.choice(["Female", "Male", "Female", "Male", ""]), draw.choice(["Indian", "Indian ", "Pakistani", "Tanzanian", "Yemen"]), str(draw.randint(18, 60)),
             draw.choice(["Traditional food", "Western Food"]), draw.choice(["Fresh Juice", "Carbonated drinks"]), draw.choice(["Yes", "No", "Maybe"]), _us_time(draw)]
            for at in range(288)]  # fmt: skip
    return Twin("blank_genders", text_of([header, *rows]).encode(), 288)


TWINS: tuple[Callable[[], Twin], ...] = (
    google_form_small, google_form_large, semicolons, likert_150, free_text_and_units, poll_long_headers, weights, lists_and_cut, clean_decimals, spanish,
    windows_and_blank_rows, quoted_headers, mac_two_headers, blank_genders,
)  # fmt: skip
