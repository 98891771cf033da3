"""Vectors of a large generated catalogue, composed instead of encoded: hours become minutes.

A text of a variation is a text of the sample city with the label of a district and an applicant before or after it
(:mod:`bench.generate`). Its vector is put together from the two: on 300 texts that were also encoded, the cosine to the
true vector is 0.95 in the mean. Searching, memory and everything else that only has to do with how many texts there
are cost the same as with encoded ones; what encoding costs is measured at the sizes below, where every text is encoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from bench.generate import catalogue, label, sample
from index.builder import VectorCache
from index.documents import Text, document
from index.encoder import Encoder, Vectors

LABEL_WEIGHT = 0.5
"""Share of the label: of 0, 0.2, 0.3, 0.5, 0.7 and 1 the one nearest to the true vectors."""

AT_ONCE = 20_000

Parts = tuple[str, str]
"""A text of the sample city, and the label that a variation gives it."""


class ComposingEncoder:
    """Stands in for ``encoder`` where texts are put together from ``parts``; whatever else there is, it encodes."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.parts: Mapping[str, Parts] = {}
        self._known: dict[str, Vectors] = {}

    @property
    def identity(self) -> str:
        return self._encoder.identity

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        parts = [self.parts.get(text, (text, "")) for text in texts]
        self._read([text for pair in parts for text in pair if text])
        bases = np.array([self._known[base] for base, _ in parts])
        labels = np.array([self._known[given] if given else np.zeros(self.dimension) for _, given in parts])
        composed = bases + LABEL_WEIGHT * labels
        return np.asarray(composed / np.linalg.norm(composed, axis=1, keepdims=True), np.float32)

    def _read(self, texts: Sequence[str]) -> None:
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        if fresh:
            self._known |= dict(zip(fresh, self._encoder.encode_passages(fresh), strict=True))


def fill(cache: Path, size: int, encoder: Encoder) -> None:
    """Puts the vectors of a catalogue of ``size`` matters into the file ``cache``; what is there already stays."""
    waiting, composing = parts_of(size), ComposingEncoder(encoder)
    with closing(VectorCache(cache, composing)) as store:
        while parts := dict(islice(waiting, AT_ONCE)):
            composing.parts = parts
            store.encode(list(parts), None)


def parts_of(size: int) -> Iterator[tuple[str, Parts]]:
    """Every text of a catalogue of ``size`` matters with what it is put together from."""
    guides = sample()
    originals = [_texts(guide) for guide in guides]
    for number, guide in enumerate(catalogue(guides, size)):
        lap, place = divmod(number, len(guides))
        for text, original in zip(_texts(guide), originals[place], strict=False):
            # Where a variation has another text at this place (one fewer was a repetition), it is encoded as it is.
            yield text.text, (original.text, label(lap)) if lap and text.kind is original.kind else (text.text, "")


def _texts(guide: Mapping[str, Any]) -> tuple[Text, ...]:
    return document(guide).texts
