"""Reads a text by its wording alone: our own ears while Rasa is down, and a check on what Rasa hears. Pure."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from bot.answers.faq import bare
from bot.conversations.model import FacetGuess, Understanding
from bot.text import normalise

SURE = 0.9
SIGNED = 0.6
"""Confidence in a skill that a mere sign speaks for: not enough against an index that is sure of a matter."""
PLAIN_QUESTION = 0.5
_SHORT_ACT = 20
"""Characters up to which a whole text may be a dialogue act."""
_SHORT_QUESTION = 12
"""Characters up to which a question may be too vague to say which object of its kind it means."""


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("bot.conversations").joinpath("wording.toml").read_text(encoding="utf-8"))


@cache
def _patterns(section: str) -> dict[str, re.Pattern[str]]:
    return {name: re.compile("|".join(words), re.IGNORECASE) for name, words in _table()[section].items()}


def facets_said(text: str) -> tuple[str, ...]:
    """The facets a text names, in the order in which it names them; empty where it names none."""
    folded = normalise(text)
    found = {name: match.start() for name, pattern in _patterns("facets").items() if (match := pattern.search(folded))}
    if len(found) > 1:
        found.pop("conditions", None)  # "能不能网上办" asks about the net, not about conditions
    return tuple(sorted(found, key=lambda name: found[name]))


def act_said(text: str) -> str | None:
    """The dialogue act that the whole text is, or None. Longer texts are only checked for attempts at injection."""
    spaced = normalise(text).casefold()
    folded = bare(text)
    for name, pattern in _patterns("acts").items():
        subject = spaced if name == "prompt_injection" else folded
        if (len(folded) <= _SHORT_ACT or name == "prompt_injection") and pattern.fullmatch(subject):
            return name
    return None


def asks_for(skill: str, text: str) -> bool:
    """Whether the wording carries a sign of ``skill`` (talk_to_human, query_case, file_complaint …)."""
    pattern = _patterns("asks").get(skill)
    return pattern is not None and pattern.search(normalise(text)) is not None


def cancels(text: str) -> bool:
    """Whether the whole text gives up what was asked for."""
    return _patterns("forms")["cancel"].fullmatch(bare(text)) is not None


def is_elliptic(text: str) -> bool:
    """Whether a text like "换领呢" only makes sense after another."""
    return _patterns("follow_up")["elliptic"].search(normalise(text)) is not None


@cache
def _bare_signs() -> re.Pattern[str]:
    """The facets' signs that say nothing of what is asked about; those with a gap in them may swallow it."""
    table = _table()
    telling = set(table["follow_up"]["telling"])
    signs = {sign for name, of_facet in table["facets"].items() if name != "conditions" for sign in of_facet}
    plain = sorted((s for s in signs - telling if ".{" not in s), key=len, reverse=True)
    return re.compile("|".join(plain), re.IGNORECASE)


def asks_only_facets(text: str) -> bool:
    """Whether the text names facets and nothing else ("那要多少钱呢"): it can only be about what was talked about."""
    if not facets_said(text):
        return False
    return not bare(_patterns("follow_up")["filler"].sub(" ", _bare_signs().sub(" ", normalise(text))))


@cache
def _objects() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    """For each kind of object: how it is asked for, and the words that name it."""
    table = _table()["objects"]
    shape = table["asking_for"]
    return tuple((re.compile(shape.replace("{names}", words)), re.compile(words)) for words in table["names"])


def asks_for_other_object(text: str, talked_about: str) -> bool:
    """Whether a short text asks for an object of its own ("开个证明要啥") that ``talked_about`` does not name."""
    folded = normalise(text)
    if len(bare(text)) > _SHORT_QUESTION:
        return False
    for asked, named in _objects():
        if asked.search(folded):
            return named.search(talked_about) is None
    return False


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Notices that something is to be done in another city than ``city``."""

    city: str

    def said(self, text: str) -> bool:
        folded = normalise(text)
        ties, shapes = _of_city(self.city)
        return not any(tie.search(folded) for tie in ties) and any(shape.search(folded) for shape in shapes)


@cache
def _of_city(city: str) -> tuple[tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]]:
    """What ties a text to ``city`` all the same, and how others are named. Compiled once: their names are many."""
    table, home = _table()["cities"], city.removesuffix("市")
    names = "|".join(name for name in table["names"] if name != home)
    ties = tuple(re.compile(tie.replace("{city}", re.escape(home))) for tie in table["ties"])
    return ties, tuple(re.compile(shape.replace("{names}", names)) for shape in table["shapes"])


def read(text: str) -> Understanding:
    """What the wording alone tells. Its intents are few and only those it is sure of."""
    facets = tuple(FacetGuess(name, SURE) for name in facets_said(text))
    act = act_said(text)
    confidence = SURE if act else PLAIN_QUESTION
    if act is None:
        for skill in ("talk_to_human", "complaint_followup", "query_case", "file_complaint"):
            if asks_for(skill, text):
                act, confidence = skill, SIGNED
                break
    return Understanding(text, act or "ask_guide", confidence, facets)
