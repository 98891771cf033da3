"""From what people suffer to what a responsibility list says: what the encoder does not know of complaints.

The encoder was made for questions about guides. Between a complaint and the power it falls under lies more: *it smells
of eggs on the stairs* is the gas company's. Two things learnt from complaints that were sent, over lists of imaginary
cities, help: a turn of the vectors that brings complaints and their powers together, and the complaints themselves,
each with the power it was about; the powers of those that a new one resembles say what to look for in the list at
hand. Made by :mod:`index.training.bridging` for one encoder, and of no use to another.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder, Vectors
from index.errors import EncoderUnavailable

SHIPPED = Path(__file__).parent / "models" / "bridge.npz"

RESEMBLED = 32
"""Earlier complaints whose powers are looked at."""
SHARP = 24.0
"""How much one complaint counts more than another that is less like the new one: e to this for a cosine of one."""

ARRAYS = ("ask_in", "ask_out", "tell_in", "tell_out", "reports", "of", "powers")


class Bridge:
    """The learnt arrays. Read-only, so threads may share it."""

    def __init__(self, arrays: dict[str, Any]) -> None:
        """``arrays``: those of :data:`ARRAYS`; ``reports`` and ``powers`` hold a vector a row, ``of`` the power of each
        report.
        """
        self._a: dict[str, NDArray[Any]] = {name: np.asarray(arrays[name]) for name in ARRAYS}

    @classmethod
    def beside(cls, encoder: Encoder, path: Path = SHIPPED) -> Bridge | None:
        """The bridge at ``path`` when it was made for ``encoder``; None for every other encoder.

        :class:`EncoderUnavailable` when the file is missing or damaged.
        """
        try:
            with np.load(path) as stored:
                if str(stored["encoder"]) != encoder.identity:
                    return None
                arrays = {name: stored[name] for name in ARRAYS}
                for name in ("reports", "powers"):
                    arrays[name] = arrays[name].astype(np.float32) * stored["step"]
                return cls({name: a if name == "of" else a.astype(np.float32) for name, a in arrays.items()})
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise EncoderUnavailable(f"{path}: {error}") from error

    def asked(self, vector: Vectors) -> Vectors:
        """The vector of a complaint, turned."""
        return _turned(vector, self._a["ask_in"], self._a["ask_out"])

    def told(self, vectors: Vectors) -> Vectors:
        """The vectors of texts about powers, one a row, turned."""
        return _turned(vectors, self._a["tell_in"], self._a["tell_out"])

    def recalled(self, vector: Vectors) -> Vectors:
        """What the power of a complaint with ``vector`` is probably like, in the encoder's own space."""
        cosines = self._a["reports"] @ vector
        count = min(RESEMBLED, len(cosines))
        near = np.argpartition(-cosines, count - 1)[:count]
        weight = np.exp((cosines[near] - cosines[near].max()) * SHARP)
        expected = weight @ self._a["powers"][self._a["of"][near]]
        return np.asarray(expected / max(float(np.linalg.norm(expected)), 1e-6), np.float32)


def _turned(vectors: Vectors, inward: NDArray[Any], outward: NDArray[Any]) -> Vectors:
    turned = vectors + vectors @ inward @ outward
    return np.asarray(turned / np.maximum(np.linalg.norm(turned, axis=-1, keepdims=True), 1e-6), np.float32)
