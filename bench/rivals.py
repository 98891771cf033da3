"""The same questions answered by what one would otherwise take: BM25 over jieba words, and an encoder as it comes.

Neither decides when to ask back or to say nothing: the first is what it answers, the first three are its choices.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import bm25s
import jieba
import numpy as np

from bench.measuring import summary
from index.documents import Document, document
from index.encoder import Encoder, open_encoder
from index.evaluation.questions import Question
from index.evaluation.rates import rate

Rank = Callable[[str], list[str]]
"""The codes of the best matters for a text, best first."""


def measure(guides: Sequence[Mapping[str, Any]], questions: Sequence[Question], bare: Path | None) -> dict[str, Any]:
    """Accuracy and latency of each rival over ``guides``; follow-ups are joined with the turns before."""
    documents = [document(guide) for guide in guides]
    rivals: dict[str, Rank] = {"bm25_jieba": bm25_over_jieba(documents)}
    if bare is not None:
        rivals["bare_encoder"] = by_encoder(documents, open_encoder(str(bare)))
    return {name: _score(rank, questions) for name, rank in rivals.items()}


def bm25_over_jieba(documents: Sequence[Document]) -> Rank:
    """BM25 with words cut by jieba, one document a matter."""
    jieba.setLogLevel(logging.WARNING)
    engine = bm25s.BM25()
    engine.index([_words(" ".join(t.text for t in d.texts)) for d in documents], show_progress=False)

    def rank(text: str) -> list[str]:
        words = [word for word in _words(text) if word in engine.vocab_dict]
        if not words:
            return []
        best = np.argsort(-engine.get_scores(words), kind="stable")[:3]
        return [documents[place].code for place in best]

    return rank


def by_encoder(documents: Sequence[Document], encoder: Encoder) -> Rank:
    """The nearest text of each matter by ``encoder``."""
    owners = np.array([place for place, d in enumerate(documents) for _ in d.texts])
    vectors = encoder.encode_passages([t.text for d in documents for t in d.texts])

    def rank(text: str) -> list[str]:
        nearest = owners[np.argsort(-(vectors @ encoder.encode_queries([text])[0]))[:60]]
        return [documents[place].code for place in dict.fromkeys(nearest.tolist())][:3]

    return rank


def _words(text: str) -> list[str]:
    return [word for word in jieba.lcut(text.lower()) if word.strip()]


def _score(rank: Rank, questions: Sequence[Question]) -> dict[str, Any]:
    asked = [question for question in questions if question.answerable]
    took: list[float] = []
    found: list[list[str]] = []
    for question in asked:
        started = time.perf_counter()
        found.append(rank(" ".join((*question.context, question.text))))
        took.append(time.perf_counter() - started)
    pairs = list(zip(asked, found, strict=True))
    return {
        "right_first": rate([bool(codes[:1]) and codes[0] in question.matters for question, codes in pairs]).to_dict(),
        "within_three": rate([bool(question.matters & set(codes[:3])) for question, codes in pairs]).to_dict(),
        "latency_ms": summary(took),
    }
