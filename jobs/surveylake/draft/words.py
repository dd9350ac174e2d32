"""Words with a meaning that answers of many surveys share: no answer, yes and no, steps of known scales."""

import re

MISSING = {
    "na", "n/a", "n.a.", "n.a", "#n/a", "<na>", "nan", "null", "#null!", "nil", "no answer", "no response", "not answered",
    "no reply", "missing", "(blank)", "keine angabe", "k.a.", "sin respuesta", "ns/nc", "sans réponse", "non renseigné",
}  # fmt: skip
"""Texts that mean no answer, in any case."""
MISSING_NUMBER = {
    *MISSING, "-", "--", "---", ".", "..", "?", "none", "unknown", "n", "x", "don't know", "not available", "not applicable",
    "refused", "prefer not to say", "prefer not to answer", "#value!", "#div/0!", "#ref!", "error",
}  # fmt: skip
"""Texts that mean no answer in a column of numbers or dates, in any case."""
YES = {"yes", "y", "true", "t", "sí", "si", "ja", "oui", "sim", "x", "✓", "checked", "selected", "1"}
NO = {"no", "n", "false", "f", "nein", "non", "não", "unchecked", "not selected", "0"}
BESIDE = {
    "don't know", "dont know", "do not know", "not applicable", "no opinion", "prefer not to say", "prefer not to answer",
    "unsure", "unfamiliar (n/a)", "no experience", "weiß nicht", "no sé", "no sabe",
}  # fmt: skip

STEPS = """
strongly disagree | totally disagree | completely disagree < disagree < somewhat disagree | slightly disagree
  < neutral | neither agree nor disagree | undecided | not sure | neither
  < somewhat agree | slightly agree < agree < strongly agree | totally agree | completely agree
never < almost never | hardly ever < rarely | seldom < occasionally < sometimes < often | frequently < usually | very often
  | most of the time < almost always < always
very dissatisfied | very unsatisfied | extremely dissatisfied < dissatisfied | unsatisfied < somewhat dissatisfied
  < neutral | neither satisfied nor dissatisfied < somewhat satisfied < satisfied < very satisfied | extremely satisfied
very poor | terrible | very bad < poor | bad < fair | average | ok | okay | acceptable < good < very good < excellent
not at all important < not too important | not very important | not important < slightly important < somewhat important
  < moderately important < important < very important < extremely important
very unlikely | extremely unlikely < unlikely < somewhat unlikely < neutral | neither likely nor unlikely
  < somewhat likely < likely < very likely | extremely likely
not at all < a little | slightly | a little bit < somewhat | moderately < quite a bit | a lot | very | very much | considerably
  < extremely | completely
very unfavorably | very unfavorable < somewhat unfavorably | unfavorably | unfavorable < neither favorably nor unfavorably neutral
  | neutral < somewhat favorably | favorably | favorable < very favorably | very favorable
very difficult < difficult | somewhat difficult < neutral | neither easy nor difficult
  < easy | somewhat easy < very easy
very low < low < medium | moderate | middle < high < very high
very small < small < medium | moderate < large | big < very large
never < once < a few times < many times
never < yearly < monthly < weekly < daily
less than once a month | never < once a month | monthly < once a week | weekly < several times a week
  < every day | daily | once a day < several times a day
stimme überhaupt nicht zu | stimme gar nicht zu < stimme nicht zu | stimme eher nicht zu < teils/teils | neutral | weder noch
  < stimme eher zu | stimme zu < stimme voll zu | stimme voll und ganz zu
nie < selten < manchmal | gelegentlich < oft | häufig < immer
muy en desacuerdo | totalmente en desacuerdo < en desacuerdo < neutral | ni de acuerdo ni en desacuerdo < de acuerdo
  < muy de acuerdo | totalmente de acuerdo
nunca < casi nunca | rara vez < a veces < frecuentemente < casi siempre < siempre
"""
"""Known scales, a line each, their lowest step first; a step has several wordings between |."""
MARKS = re.compile(r"[^\w/]+")


def folded(text: str) -> str:
    """Return a text without case and punctuation, for comparison with these words."""
    return MARKS.sub(" ", text.casefold().replace("’", "'").replace("'", "")).strip()


def _places(scale: str) -> dict[str, int]:
    """Return wording -> place of a scale's steps."""
    return {folded(word): at for at, step in enumerate(scale.split("<")) for word in step.split("|")}


SCALES = tuple(map(_places, STEPS.replace("\n  ", " ").strip().splitlines()))
"""Known scales: wording of a step -> its place, the lowest first."""
NO_STEP = set(map(folded, BESIDE))
"""Answers beside a scale that are none of its steps."""
