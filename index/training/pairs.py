"""What the reranker learns from: questions with the matters the searcher takes for theirs, right and wrong.

The searcher is asked once about every training question over the families that no test asks about; its best matters
are the candidates. A group of a question, its right matter and a few wrong ones is drawn anew each time. Three times
in ten the right matter is left out: then none of them is meant, which makes near misses without end.
"""

from __future__ import annotations

import random
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from index.builder import build_index
from index.documents import TextKind, document, passage
from index.encoder import Encoder
from index.searcher import Searcher
from index.training.common import City

T = TypeVar("T")

CANDIDATES = 10
LEFT_OUT = 0.3
"""How often the right matter is left out of its group."""

OFTEN = {"train-hard": 1.5, "nearmiss-train": 1.5, "development": 1.5, "city": 2.0, "switched": 1.0, "missed": 0.7}
"""How often a question of a file comes in an epoch; once where nothing is said."""

AGAIN_WITH_FOCUS = 0.6

AT_ONCE = 512
"""Questions that are set against all names together."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is searched, with the codes of the matters that are right and of those found."""

    text: str
    right: frozenset[str]
    found: tuple[str, ...]
    often: float


def mine(guides: Sequence[dict[str, Any]], questions: dict[str, list[dict[str, Any]]], encoder: Encoder) -> list[Asked]:
    """The questions (by the name of their file) with what the shipped decision finds for them among ``guides``."""
    known = {guide["code"] for guide in guides}
    asked = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "index"
        build_index([document(g) for g in guides], folder, encoder, cache=Path(scratch) / "cache.db")
        searcher = Searcher.open(folder, encoder)
        for name, rows in questions.items():
            for row in rows:
                right = frozenset(row.get("matter_any") or [row["matter"]] if row["matter"] else []) & known
                if row["matter"] and not right:
                    continue
                if near := [code for code in row.get("near", ()) if code in known]:
                    # somebody who is right may stand among what is found: only these are known to be wrong
                    asked.append(Asked(row["text"], right, tuple(near), OFTEN.get(name, 1.0)))
                    continue
                turns = row.get("context") or []
                for focus in focuses(searcher, turns):
                    often = OFTEN.get(name, 1.0) * (AGAIN_WITH_FOCUS if focus else 1.0)
                    if looks := searcher.looks(row["text"], turns=turns[-3:], focus=focus):
                        asked.append(Asked(looks.query, right, tuple(looks.codes[:CANDIDATES]), often))
    return asked


def mine_names(everywhere: City, encoder: Encoder) -> list[Asked]:
    """As :func:`mine` for matters that only have names: the nearest by vector are as hard, and found at once."""
    codes = [guide["code"] for guide in everywhere.guides]
    texts = [[text.text for text in document(guide).texts] for guide in everywhere.guides]
    starts = np.cumsum([0, *map(len, texts[:-1])])
    names = encoder.encode_passages([text for own in texts for text in own])
    asked = []
    for start in range(0, len(everywhere.questions), AT_ONCE):
        rows = everywhere.questions[start : start + AT_ONCE]
        nearness = np.maximum.reduceat(encoder.encode_queries([row["text"] for row in rows]) @ names.T, starts, axis=1)
        for row, near in zip(rows, nearness, strict=True):
            found = tuple(codes[place] for place in np.argsort(-near)[:CANDIDATES])
            asked.append(Asked(row["text"], frozenset([row["matter"]]), found, 1.0))
    return asked + [Asked(row["text"], frozenset(), tuple(row["near"]), OFTEN["missed"]) for row in everywhere.misses]


def focuses(searcher: Searcher, turns: Sequence[str]) -> list[str | None]:
    """Nothing, and the matter the turn before was probably answered about."""
    if not turns:
        return [None]
    before = searcher.looks(turns[-1], turns=turns[:-1][-2:])
    return [None, *(before.codes[:1] if before else [])]


class Groups:
    """Draws groups and the passages of matters."""

    def __init__(self, guides: Sequence[dict[str, Any]], asked: Sequence[Asked], negatives: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.asked, self.negatives = asked, negatives
        self.codes = sorted(guide["code"] for guide in guides)
        self.passages = {guide["code"]: self._passages(guide) for guide in guides}
        families: dict[str, list[str]] = defaultdict(list)
        for guide in guides:
            families[guide.get("catalog_code") or guide["code"]].append(guide["code"])
        self._siblings = {code: family for family in families.values() for code in family}

    def _passages(self, guide: dict[str, Any]) -> list[str]:
        """The passage that is served (drawn most), and others of the same matter, so that none is learnt by heart."""
        texts = [(text.kind, text.text) for text in document(guide).texts]
        aliases = [text for text in texts if text[0] is TextKind.ALIAS]
        rest = [text for text in texts if text[0] is not TextKind.ALIAS]
        made = [passage(texts)] * 2
        for _ in range(3):
            some = self.random.sample(aliases, self.random.randint(0, len(aliases)))
            cut = self.random.choice([0, 24, 36])
            short = [(kind, text[:cut] if kind is TextKind.CONDITIONS else text) for kind, text in rest]
            made.append(passage([*short[:1], *some, *short[1:]]))
        if questions := [text for kind, text in texts if kind is TextKind.FAQ]:
            made.append(f"{passage(texts)}；{self.random.choice(questions)[:24]}")
        return made

    def epoch(self, size: int) -> Iterator[list[Asked]]:
        """Batches of every question as often as it comes; questions of like length together."""
        drawn = [a for a in self.asked for _ in range(int(a.often) + (self.random.random() < a.often % 1))]
        self.random.shuffle(drawn)
        for start in range(0, len(drawn), size * 20):
            near = sorted(drawn[start : start + size * 20], key=lambda a: len(a.text))
            batches = [near[i : i + size] for i in range(0, len(near), size)]
            self.random.shuffle(batches)
            yield from batches

    def group(self, asked: Asked) -> tuple[list[str], list[bool]]:
        """Codes to tell apart, hard ones likelier, and which of them is right (one or none)."""
        wrong = [code for code in asked.found if code not in asked.right]
        near = {s for code in asked.right for s in self._siblings[code]} - asked.right - set(wrong)
        pool = [*wrong[:8], *sorted(near)[:4]]
        left_out = not asked.right or self.random.random() < LEFT_OUT
        chosen = first_likelier(pool, self.negatives + left_out, self.random)
        if chosen and self.random.random() < 0.1:  # an easy one now and then
            other = self.random.choice(self.codes)
            chosen[-1] = other if other not in asked.right else chosen[-1]
        labels = [False] * len(chosen)
        if not left_out:
            found = [code for code in asked.found if code in asked.right]
            chosen.append(self.random.choice(found or sorted(asked.right)))
            labels.append(True)
        return chosen, labels

    def passage(self, code: str) -> str:
        """One of the passages of ``code``."""
        return self.random.choice(self.passages[code])


def first_likelier(pool: Sequence[T], most: int, draw: random.Random) -> list[T]:
    """At most ``most`` of ``pool``, none twice; the sooner one stands in it, the likelier it is drawn."""
    left, chosen = list(pool), list[T]()
    while left and len(chosen) < most:
        place = draw.choices(range(len(left)), [1 / (2 + i) for i in range(len(left))])[0]
        chosen.append(left.pop(place))
    return chosen
