"""Questions that a matter must not answer, as editors recorded them: the matter drops out near them.

A negative example speaks against one matter only, and only for questions close to it: every other question, and every
other matter, is found as before. An index without negative examples costs nothing here.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors
from index.errors import IndexCorrupt
from index.normal import key

FILE = "negatives.npz"

NEAR = 0.69
"""Cosine from which a question is close to a negative example. Of the sample city's development questions one pair in
six about one matter is that near, one in ninety about siblings, and of other pairs one in seven thousand."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a matter dropped out: the negative example, how near the question is to it and to the matter's own texts."""

    matter: int
    text: str
    similarity: float
    own: float


class Negatives:
    """The negative examples of one index. ``owners``: the matter of each, ascending; ``vectors``: one row each."""

    def __init__(
        self, owners: NDArray[np.int32], keys: NDArray[np.uint64], vectors: NDArray[np.float16], texts: Sequence[str]
    ) -> None:
        self._keys, self._vectors, self._texts = keys, vectors, texts
        self._rows: dict[int, list[int]] = {}
        for row, owner in enumerate(owners.tolist()):
            self._rows.setdefault(owner, []).append(row)

    def __len__(self) -> int:
        return len(self._texts)

    @classmethod
    def load(cls, folder: Path, matters: int, dimension: int) -> Negatives:
        """Those of the index in ``folder``; none without the file. :class:`IndexCorrupt` where damaged."""
        try:
            with (folder / FILE).open("rb") as file, np.load(file) as stored:
                owners, keys, vectors, texts = (stored[name] for name in ("owners", "keys", "vectors", "texts"))
        except FileNotFoundError:
            empty = np.empty(0)
            return cls(empty.astype(np.int32), empty.astype(np.uint64), np.empty((0, dimension), np.float16), ())
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise IndexCorrupt(f"{folder / FILE}: {error}") from error
        whole = vectors.shape == (len(texts), dimension) and len(owners) == len(keys) == len(texts)
        if not whole or (len(owners) and not 0 <= owners.min() <= owners.max() < matters):
            raise IndexCorrupt(f"{folder / FILE}: does not belong to the other files")
        return cls(owners, keys, vectors, texts.tolist())

    def names(self, matter: int, wanted: np.uint64) -> bool:
        """Whether the text of key ``wanted`` is itself a negative example of ``matter``."""
        return any(self._keys[row] == wanted for row in self._rows.get(matter, ()))

    def refusal(self, matter: int, question: Vectors, wanted: np.uint64, own: float) -> Refusal | None:
        """Why ``matter`` must not answer a question (its vector and the key of its text), or None.

        ``own``: the cosine of the question and the nearest of the matter's own texts.
        """
        rows = self._rows.get(matter)
        if rows is None:
            return None
        near = np.asarray(self._vectors[rows], np.float32) @ question
        near[self._keys[rows] == wanted] = 1.0
        best = int(near.argmax())
        similarity = float(near[best])
        typed = bool(self._keys[rows[best]] == wanted)
        if typed or (similarity >= NEAR and similarity > own):
            return Refusal(matter, self._texts[rows[best]], similarity, own)
        return None


def save(folder: Path, owners: Sequence[int], texts: Sequence[str], vectors: NDArray[np.floating]) -> None:
    """Write the negative examples of an index to ``folder``: nothing where there are none."""
    if not texts:
        return
    np.savez(
        folder / FILE,
        owners=np.array(owners, np.int32),
        keys=np.array([key(text) for text in texts], np.uint64),
        vectors=vectors.astype(np.float16),
        texts=np.array(texts),
    )
