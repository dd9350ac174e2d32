"""What the keys of a contract mean: the text below each key in the model's source."""

import ast
import inspect
import itertools
import textwrap
from functools import cache

from pydantic import BaseModel

from surveylake.contract.field_types import Typed
from surveylake.contract.fields import Derived, SurveyField
from surveylake.contract.input_format import Input
from surveylake.contract.model import Charts, Contract, Hypothesis, Summaries

PARTS: dict[str, type[BaseModel]] = {
    part.__name__: part
    for part in (Contract, Input, SurveyField, Derived, Typed, Summaries, Charts, Hypothesis)
}
"""name -> part of the model"""


@cache
def meanings(name: str) -> dict[str, str]:
    """Return key -> meaning of a part, for the keys that have a text below them; those of its bases too."""
    found: dict[str, str] = {}
    for kind in reversed(PARTS[name].__mro__):
        if issubclass(kind, BaseModel) and kind is not BaseModel:
            found |= _texts(kind)
    return found


def _texts(kind: type[BaseModel]) -> dict[str, str]:
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    lines = body.body if isinstance(body, ast.ClassDef) else []
    found = {}
    for line, below in itertools.pairwise(lines):
        is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and is_text:
            found[line.target.id] = " ".join(str(below.value.value).split())  # type: ignore[attr-defined]
    return found
