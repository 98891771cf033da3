"""Matters that halls everywhere have, with how people ask for them: what the encoder cannot know of one catalogue.

A question is held against thousands of sayings, each of a matter known by its official names. Where the matters it
resembles are in the catalogue, by name, that speaks for them; where none of them is, the catalogue very likely lacks
what is asked, however near its nearest matter may be: *rent paid from the housing fund* where only *buying* is listed.
The sayings (``catalogue/common``, and the training questions of imaginary cities) are encoded once, by
:mod:`index.training.common`, and are of no use to another encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index import vectors as vector_index
from index.encoder import Encoder, Vectors
from index.errors import EncoderUnavailable

SHIPPED = Path(__file__).parent / "models" / "common.npz"

ROWS = 96
"""Nearest texts looked at; several are of one matter."""

RESEMBLED = 16
"""Matters that a question is taken to resemble."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What the cosines of one encoder mean, as :mod:`index.training.common` measured it.

    ``spread``: how much further a matter may be to count for 1/e of the nearest. ``same``: where two names are as
    likely as not the same matter's, ``blur``: how far around it that is unsure. ``far``, ``near``: of a question with
    its nearest saying, from which it is nothing known, and a saying it could have been.
    """

    spread: float
    same: float
    blur: float
    far: float
    near: float


@dataclass(frozen=True, slots=True)
class Resemblance:
    """The matters a question resembles. ``weight`` sums to one; ``names``: the vectors of each matter's names.

    ``scale``: what cosines mean. ``nearness`` is 0 for a question unlike all of them, about 1 for one that could be a
    saying of theirs.
    """

    titles: tuple[str, ...]
    weight: NDArray[np.float32]
    names: tuple[Vectors, ...]
    nearness: float
    scale: Scale

    def shares(self, matters: Sequence[Vectors]) -> NDArray[np.float32]:
        """How much of the weight falls to each of ``matters`` (the vectors of its names), and to none of them last."""
        same = np.concatenate(self.names) @ np.concatenate(matters).T
        for axis, groups in enumerate((self.names, matters)):
            same = np.maximum.reduceat(same, np.cumsum([0, *map(len, groups[:-1])]), axis=axis)
        same = 1 / (1 + np.exp((self.scale.same - same) / self.scale.blur))
        shares = self.weight @ (same / np.maximum(same.sum(1, keepdims=True), 1))
        return np.append(shares, max(1 - shares.sum(), 0)).astype(np.float32)


class CommonMatters:
    """The sayings and names at ``path``, read by ``encoder``. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """:class:`EncoderUnavailable` when the file is missing or damaged."""
        try:
            with np.load(path) as stored:
                self.reads = str(stored["encoder"])
                names = stored["names"].astype(np.float32) * stored["step"]
                self._owners: NDArray[np.int32] = stored["owners"]
                self._titles: list[str] = stored["titles"].tolist()
                self._index = vector_index.restored(stored["index"])
                self._scale = Scale(**{each.name: float(stored[each.name]) for each in fields(Scale)})
        except (OSError, KeyError, ValueError, RuntimeError) as error:
            raise EncoderUnavailable(f"{path}: {error}") from error
        if len(self._owners) != self._index.ntotal or self._owners.max(initial=-1) >= len(self._titles):
            raise EncoderUnavailable(f"{path}: its parts do not belong together")
        places = np.searchsorted(self._owners[-len(names) :], np.arange(len(self._titles) + 1))
        self._names = [names[low:high] for low, high in pairwise(places)]

    @classmethod
    def beside(cls, encoder: Encoder, path: Path = SHIPPED) -> CommonMatters | None:
        """The common matters at ``path`` when they were read by ``encoder``; None for every other encoder."""
        common = cls(path)
        return common if common.reads == encoder.identity else None

    def __len__(self) -> int:
        return len(self._titles)

    def like(self, question: Vectors) -> Resemblance:
        """The matters that ``question`` (one vector) resembles most, by a saying or a name."""
        near, rows = vector_index.nearest(self._index, question[None], ROWS)
        found, nearest = rows[0] >= 0, dict[int, float]()
        for owner, cosine in zip(self._owners[rows[0][found]].tolist(), near[0][found].tolist(), strict=True):
            nearest.setdefault(owner, cosine)
        chosen = list(nearest)[:RESEMBLED]
        cosines = np.array([nearest[place] for place in chosen], np.float32)
        weight = np.exp((cosines - cosines[0]) / self._scale.spread)
        return Resemblance(
            titles=tuple(self._titles[place] for place in chosen),
            weight=weight / weight.sum(),
            names=tuple(self._names[place] for place in chosen),
            nearness=float(np.clip((cosines[0] - self._scale.far) / (self._scale.near - self._scale.far), 0, 1.5)),
            scale=self._scale,
        )
