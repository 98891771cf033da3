"""What the decision learns from: questions over a catalogue, as features of the matters considered for them."""

from __future__ import annotations

import random
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from index.builder import build_index
from index.documents import document
from index.encoder import Encoder
from index.searcher import Searcher

FRAMES = ("{}", "{}怎么办", "办{}", "我要办{}", "{}要什么材料", "想问一下{}", "{}办理流程", "{}在哪里办", "怎么申请{}")
"""How people put the name of a matter into a question."""

SWITCHED = 0.3
"""Share of the questions that are also asked right after one about something else."""


@dataclass(frozen=True, slots=True)
class Row:
    """One training or evaluation row: features, which candidates are right (none: the last), and its group."""

    candidates: np.ndarray
    question: np.ndarray
    right: tuple[int, ...]
    group: str
    kind: str
    missed: bool


class Remembering:
    """An encoder that encodes each question once: a row's variants ask the same text over other catalogues."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder, self._known = encoder, dict[str, np.ndarray]()
        self.identity, self.dimension = encoder.identity, encoder.dimension
        self.encode_passages = encoder.encode_passages

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of ``texts``, remembered from earlier calls where possible."""
        for text in texts:
            if text not in self._known:
                self._known[text] = self._encoder.encode_queries([text])[0]
        return np.stack([self._known[text] for text in texts])


def gather(guides: list[dict[str, Any]], encoder: Encoder, questions: Iterable[dict[str, Any]]) -> list[Row]:
    """Rows of ``questions`` over an index of ``guides``, built for the purpose."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "index"
        build_index([document(g) for g in guides], folder, encoder, cache=Path(scratch) / "cache.db")
        searcher = Searcher(folder, Remembering(encoder), None, None)  # type: ignore[arg-type]  # features need no decision
        families = {g["code"]: g.get("catalog_code") or g["code"] for g in guides}
        return list(rows(searcher, questions, families, seed=0))


def rows(searcher: Searcher, questions: Iterable[dict[str, Any]], families: dict[str, str], seed: int) -> Iterator[Row]:
    """Training rows of ``questions`` over the searcher's catalogue; ``families`` maps code to family."""
    draw = random.Random(seed)
    everything = sorted(families)
    siblings: dict[str, list[str]] = defaultdict(list)
    for code, family in families.items():
        siblings[family].append(code)
    for question in questions:
        kind = question.get("kind", "follow" if question.get("context") else "single")
        right = question.get("matter_any") or ([question["matter"]] if question["matter"] else [])
        right = [code for code in right if code in families]
        group = families[right[0]] if right else question.get("about") or question["text"]
        turns = question.get("context") or []
        focuses: list[str | None] = [None]
        if turns:
            before = searcher.features(turns[-1], turns=turns[:-1][-2:])
            focuses = [None, before[0][int(before[1][:, 0].argmax())]] if before else [None]
        for focus in focuses:
            row = _row(searcher, question["text"], turns, focus, right, (), group, kind)
            if row:
                yield row
        if not right or kind == "named":
            continue
        others = [code for code in everything if code not in right]
        hidden = draw.sample(others, int(len(others) * draw.uniform(0.2, 0.7)))
        hidden = [code for code in hidden if code not in focuses]
        if row := _row(searcher, question["text"], turns, focuses[-1], right, hidden, group, "fewer"):
            yield row
        if not turns:
            # the whole family goes: with a sibling left, offering it is no mistake
            gone = siblings[group]
            if row := _row(searcher, question["text"], turns, None, (), gone, group, "removed"):
                yield row


def named(guides: Sequence[dict[str, Any]], seed: int) -> Iterator[dict[str, Any]]:
    """Short questions that only name a matter or its family, as people type them most; the corpus has few of them."""
    draw = random.Random(seed)
    families: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for guide in guides:
        families[guide.get("catalog_code") or guide["code"]].append(guide)
    for family, members in sorted(families.items()):
        cores = {guide["code"]: _core(guide["name"]) for guide in members}
        said = [(text, [g["code"]]) for g in members for text in (cores[g["code"]], *(g.get("aliases") or ())[:2])]
        common = "".join(
            same[0] for same in takewhile(lambda at: len(set(at)) == 1, zip(*cores.values(), strict=False))
        )
        if len(members) > 1 and len(common) >= 3:
            said += [(common, list(cores))] * 2
        for text, codes in said:
            fits = [code for code, core in cores.items() if code in codes or core == text]
            for frame in draw.sample(FRAMES, 2):
                yield {
                    "text": frame.format(text),
                    "matter": fits[0],
                    "matter_any": fits,
                    "family": family,
                    "kind": "named",
                }


def switched(questions: Sequence[dict[str, Any]], seed: int) -> Iterator[dict[str, Any]]:
    """Questions that stand alone, each asked right after one about something else: the talk before says nothing of it.

    A share :data:`SWITCHED` of ``questions``, answerable or not; the one before is always answerable.
    """
    draw = random.Random(seed)
    alone = [question for question in questions if not question.get("context")]
    known = [question for question in alone if question["matter"]]
    for question in draw.sample(alone, int(len(alone) * SWITCHED)):
        before = draw.choice(known)
        if before.get("family") != question.get("family") or question["matter"] is None:
            yield {**question, "context": [before["text"]], "kind": "switched"}


def _core(name: str) -> str:
    """A name without what stands in brackets."""
    return re.sub(r"[(（].*?[)）]", "", name) or name


def _row(
    searcher: Searcher,
    text: str,
    turns: Sequence[str],
    focus: str | None,
    right: Sequence[str],
    hidden: Sequence[str],
    group: str,
    kind: str,
) -> Row | None:
    found = searcher.features(text, turns=turns[-3:], focus=focus, without=hidden)
    if found is None:
        return None
    codes, candidates, question = found
    places = tuple(i for i, code in enumerate(codes) if code in right)
    return Row(candidates, question, places, group, kind, missed=bool(right) and not places)
