"""A second look at the few best matters: question and guide read together, token by token.

A similarity says how near two texts are; it does not say that a *number plate* is lost where the guide replaces a
*driving licence*. The reranker is a small network that sets the encoder's token states of the question against those
of a passage about the matter. It gives one logit a matter, measured against zero for *not this one*. It reads the
states of one encoder and is of no use to another. Trained by :mod:`index.training.reranking`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder, States, TokenEncoder
from index.errors import EncoderUnavailable
from index.graph import Graph

ABOUT = "reranker.json"
SHIPPED = Path(__file__).parent / "models" / "reranker"

LONGEST = 64
"""Tokens of a question that are read: its end, where a follow-up says what it adds."""

STEP = 16
"""Tokens by which padded lengths grow: a thousand questions make ten shapes instead of several hundred."""


class Reranker:
    """The graph in ``folder``, which reads the states of ``encoder``. Safe to use from several threads."""

    def __init__(self, folder: Path, encoder: TokenEncoder, *, threads: int = 2) -> None:
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            self.reads = str(about["encoder"])
            self._graph = Graph(folder, threads=threads)
        except (OSError, KeyError, ValueError, RuntimeError, ImportError) as error:
            raise EncoderUnavailable(f"{folder}: {error}") from error
        self.encoder = encoder

    @classmethod
    def beside(cls, encoder: Encoder, folder: Path = SHIPPED, *, threads: int = 2) -> Reranker | None:
        """The reranker in ``folder`` when it reads ``encoder``; None for every other encoder.

        :class:`EncoderUnavailable` when the folder is missing or damaged.
        """
        if not isinstance(encoder, TokenEncoder):
            return None
        reranker = cls(folder, encoder, threads=threads)
        return reranker if reranker.reads == encoder.identity else None

    def logits(self, question: States, passages: Sequence[States]) -> NDArray[np.float32]:
        """How much each of ``passages`` is what is asked, by their states; zero is as likely as not."""
        if not passages:
            return np.empty(0, np.float32)
        asked = padded([question[-LONGEST:]] * len(passages))
        told = padded(passages)
        inputs = dict(zip(("question", "asked", "passage", "told"), (*asked, *told), strict=True))
        return np.array(self._graph.infer(inputs)[0], np.float32)


def padded(texts: Sequence[NDArray[np.floating]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The states of ``texts`` as one array, and a mask of 1 for tokens and 0 for padding.

    Lengths are rounded up to :data:`STEP`: the inference runtime keeps kernels and memory for every shape it has met.
    """
    longest = -(-max(map(len, texts)) // STEP) * STEP
    states = np.zeros((len(texts), longest, texts[0].shape[1]), np.float32)
    mask = np.zeros(states.shape[:2], np.float32)
    for row, text in enumerate(texts):
        states[row, : len(text)], mask[row, : len(text)] = text, 1
    return states, mask
