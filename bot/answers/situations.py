"""What differs by situation: which option of a guide's questions the citizen has said, and the materials by option.

Pure. A guide asks ``situations`` (a question with options); a material's ``applies_when`` names one option.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Generic, Protocol, TypeVar

from bot.answers.faq import bare, pairs

SAID = 0.75
"""An option counts as said by the way, inside a question, from this score."""
ANSWERED = 0.4
"""… and from this one where the assistant has just asked for it."""
MARGIN = 0.1

_AGE_OPTION = re.compile(r"(年满|未满|不满|满)?(\d{1,3})周?岁(以上|以下|及以上|及以下)?")
_AGE_SAID = re.compile(r"(?<![\d零一二三四五六七八九十])(\d{1,3}|[零一二三四五六七八九十]{1,3})个?(?:周岁|岁|虚岁)")
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")}


class Question(Protocol):
    @property
    def question(self) -> str: ...
    @property
    def options(self) -> Sequence[str]: ...


class Material(Protocol):
    @property
    def applies_when(self) -> str | None: ...


M = TypeVar("M", bound=Material)
Q = TypeVar("Q", bound=Question)


@dataclass(frozen=True, slots=True)
class Chosen:
    """One question answered: the option is one of the guide's own, word for word."""

    question: str
    option: str


@dataclass(frozen=True, slots=True)
class Grouped(Generic[M, Q]):
    """Materials always needed, those of situations not yet known, and the questions that would decide."""

    always: tuple[M, ...]
    by_option: tuple[tuple[str, tuple[M, ...]], ...]
    open_questions: tuple[Q, ...]
    applied: tuple[str, ...]
    """The options that the citizen chose and that narrowed these materials."""


@dataclass(frozen=True, slots=True)
class _Sense:
    said: tuple[str, ...]
    option: tuple[str, ...]
    not_option: tuple[str, ...]


@cache
def _senses() -> tuple[_Sense, ...]:
    table = tomllib.loads(files("bot.answers").joinpath("situations.toml").read_text(encoding="utf-8"))
    return tuple(_Sense(tuple(s["said"]), tuple(s["option"]), tuple(s.get("not_option", ()))) for s in table["sense"])


def chinese_number(text: str) -> int | None:
    """A number below 200 in digits or Chinese numerals."""
    if text.isdigit():
        return int(text)
    if "十" in text:
        tens, _, units = text.partition("十")
        if (tens and tens not in _DIGITS) or (units and units not in _DIGITS):
            return None
        return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[units] if units else 0)
    return _DIGITS.get(text)


def ages(text: str) -> list[int]:
    """Every age said in the text, in years."""
    found = (chinese_number(match.group(1)) for match in _AGE_SAID.finditer(text))
    return [age for age in found if age is not None]


def _age_fits(option: str, age: int) -> bool | None:
    match = _AGE_OPTION.search(option)
    if match is None:
        return None
    bound = int(match.group(2))
    below = match.group(1) in ("未满", "不满") or (match.group(3) or "").endswith("以下")
    return age < bound if below else age >= bound


def _score(option: str, rivals: Sequence[str], text: str) -> float:
    said = bare(text)
    name = bare(option)
    if name and name in said:
        return 1.0
    for age in ages(said):
        fits = _age_fits(name, age)
        if fits is not None:
            return 0.95 if fits else 0.0
    for sense in _senses():
        if (
            any(word in said for word in sense.said)
            and any(word in name for word in sense.option)
            and not any(word in name for word in sense.not_option)
        ):
            return 0.8
    if len(said) >= 2 and said in name and not any(said in bare(rival) for rival in rivals):
        return 0.7
    telling = pairs(option) - {pair for rival in rivals for pair in pairs(rival)}
    return 0.9 * len(telling & pairs(text)) / len(telling) if telling else 0.0


def said_options(text: str, questions: Iterable[Question], *, asked: bool = False) -> tuple[Chosen, ...]:
    """The options the text says, at most one a question. ``asked``: the text answers the assistant's own question."""
    chosen = []
    for question in questions:
        scores = sorted(
            (
                (_score(option, [o for o in question.options if o != option], text), option)
                for option in question.options
            ),
            reverse=True,
        )
        if not scores:
            continue
        second = scores[1][0] if len(scores) > 1 else 0.0
        if scores[0][0] >= (ANSWERED if asked else SAID) and scores[0][0] - second >= MARGIN:
            chosen.append(Chosen(question.question, scores[0][1]))
    return tuple(chosen)


def merged(earlier: Iterable[Chosen], later: Iterable[Chosen]) -> tuple[Chosen, ...]:
    """Both, a later answer to the same question replacing the earlier."""
    by_question = {chosen.question: chosen for chosen in (*earlier, *later)}
    return tuple(by_question.values())


def grouped(materials: Sequence[M], questions: Sequence[Q], chosen: Sequence[Chosen]) -> Grouped[M, Q]:
    """Materials narrowed by what was chosen; those of questions still open stay under their option."""
    picked = {c.option for c in chosen}
    settled = {option for q in questions if any(o in picked for o in q.options) for option in q.options}
    conditional = {m.applies_when for m in materials if m.applies_when}
    always = tuple(m for m in materials if not m.applies_when or m.applies_when in picked)
    open_options = dict.fromkeys(
        m.applies_when for m in materials if m.applies_when and m.applies_when not in settled | picked
    )
    by_option = tuple((o, tuple(m for m in materials if m.applies_when == o)) for o in open_options)
    open_questions = tuple(
        q for q in questions if not picked & set(q.options) and any(o in conditional for o in q.options)
    )
    deciding = [q for q in questions if conditional & set(q.options)]
    applied = tuple(c.option for c in chosen if any(c.option in q.options for q in deciding))
    return Grouped(always, by_option, open_questions, applied)
