"""The lexical side: BM25 over character pairs, for names, numbers and rare words a vector blurs.

Character pairs did better than words on spoken questions and need no dictionary. One document a matter.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import bm25s
import numpy as np
from numpy.typing import NDArray

from index.errors import IndexCorrupt

_RUN = re.compile(r"[a-z0-9]+|[\u4e00-\u9fff]+")
_MARKER = "\u0000"


def tokens(text: str) -> list[str]:
    """Pairs of Han characters, and runs of Latin letters or digits whole."""
    found: list[str] = []
    for run in _RUN.findall(text.lower()):
        if run[0] < "\u4e00" or len(run) == 1:
            found.append(run)
        else:
            found.extend(run[i : i + 2] for i in range(len(run) - 1))
    return found


class Lexical:
    """BM25 scores of every matter for a question, and how rare a token is among the matters."""

    def __init__(self, engine: bm25s.BM25, frequency: NDArray[np.int32], count: int) -> None:
        self._engine, self._frequency, self._count = engine, frequency, count
        self._vocabulary: dict[str, int] = engine.vocab_dict

    @classmethod
    def build(cls, documents: Iterable[Sequence[str]]) -> Lexical:
        """Index ``documents``, the tokens of one matter each, in order."""
        engine = bm25s.BM25(k1=1.2, b=0.6)
        # a marker in each document keeps a catalogue without a single token from having an empty vocabulary
        # each token is kept once: those of a large catalogue apart would fill half a gigabyte
        split = [[*map(sys.intern, document), _MARKER] for document in documents]
        engine.index(split or [[_MARKER]], show_progress=False)
        counts = Counter(token for document in split for token in set(document))
        frequency = np.zeros(max(engine.vocab_dict.values()) + 1, np.int32)
        for token, number in engine.vocab_dict.items():
            frequency[number] = counts.get(token, 0)
        return cls(engine, frequency, len(split))

    @classmethod
    def load(cls, folder: Path, count: int) -> Lexical:
        """The index saved in ``folder`` over ``count`` matters; :class:`IndexCorrupt` when it cannot be read."""
        try:
            engine = bm25s.BM25.load(str(folder), mmap=True)
            return cls(engine, np.load(folder / "frequency.npy"), count)
        except (OSError, ValueError, KeyError) as error:
            raise IndexCorrupt(f"{folder}: {error}") from error

    def save(self, folder: Path) -> None:
        """Write the index to ``folder``."""
        self._engine.save(str(folder), show_progress=False)
        np.save(folder / "frequency.npy", self._frequency)

    def scores(self, asked: Sequence[str]) -> NDArray[np.float32]:
        """BM25 score of every matter for the tokens ``asked``; zeros when none of them is known."""
        known = [token for token in asked if token in self._vocabulary]
        if not known or not self._count:
            return np.zeros(self._count, np.float32)
        return np.asarray(self._engine.get_scores(known), np.float32)

    def holding(self, asked: Iterable[str], matters: Sequence[int]) -> list[frozenset[str]]:
        """Which of the tokens ``asked`` each of ``matters`` has."""
        columns, places = self._engine.scores, np.asarray(matters)
        held: list[set[str]] = [set() for _ in matters]
        for token in {token for token in asked if token in self._vocabulary}:
            number = self._vocabulary[token]
            having = columns["indices"][columns["indptr"][number] : columns["indptr"][number + 1]]
            found = np.searchsorted(having, places)
            for place in np.flatnonzero(having[np.minimum(found, len(having) - 1)] == places):
                held[place].add(token)
        return [frozenset(tokens) for tokens in held]

    def rarity(self, wanted: Iterable[str]) -> dict[str, float]:
        """Per token 0 (in every matter) to 1 (in none), on a logarithmic scale."""
        scale = np.log1p(self._count) or 1.0
        return {t: float(np.log1p(self._count / (1 + self._frequency_of(t))) / scale) for t in wanted}

    def _frequency_of(self, token: str) -> int:
        number = self._vocabulary.get(token)
        return 0 if number is None else int(self._frequency[number])
