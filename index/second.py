"""What a search asks after its first look: the matters that halls everywhere have, then the reranker."""

from __future__ import annotations

from dataclasses import dataclass

from index.common import CommonMatters
from index.encoder import Encoder
from index.reranker import Reranker


@dataclass(frozen=True, slots=True)
class SecondLook:
    """Two models that read one encoder; the decision after them was fitted with both."""

    common: CommonMatters
    reranker: Reranker

    @classmethod
    def beside(cls, encoder: Encoder, *, threads: int = 2) -> SecondLook | None:
        """What ships for ``encoder``; None for every other encoder.

        :class:`EncoderUnavailable` when a file is missing or damaged.
        """
        reranker = Reranker.beside(encoder, threads=threads)
        common = CommonMatters.beside(encoder) if reranker else None
        return cls(common, reranker) if reranker and common else None
