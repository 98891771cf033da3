"""The same questions answered by what one would otherwise take: BM25 over jieba words, and an encoder as it comes.

Our own index stands beside them. None decides here when to ask back or to say nothing: the first is what it would
answer, the first three are its choices.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import bm25s
import jieba
import numpy as np

from bench.measuring import summary
from index.builder import build_index
from index.documents import Document, document
from index.encoder import Encoder, open_encoder
from index.evaluation.questions import Question
from index.evaluation.rates import rate
from index.searcher import Searcher
from index.second import SecondLook

Rank = Callable[[Question], list[str]]
"""The codes of the best matters for a question, best first. Follow-ups come with the turns before them."""


def measure(guides: Sequence[Mapping[str, Any]], questions: Sequence[Question], bare: Path | None) -> dict[str, Any]:
    """Accuracy and latency of each rival over ``guides``; follow-ups are joined with the turns before."""
    documents = [document(guide) for guide in guides]
    rivals: dict[str, Rank] = {"bm25_jieba": bm25_over_jieba(documents)}
    if bare is not None:
        rivals["bare_encoder"] = by_encoder(documents, open_encoder(str(bare)))
    encoder = open_encoder()
    rivals["our_encoder"] = by_encoder(documents, encoder)
    with tempfile.TemporaryDirectory() as folder:
        build_index(documents, Path(folder) / "index", encoder, cache=Path(folder) / "vectors.cache")
        searcher = Searcher.open(Path(folder) / "index", encoder, second=SecondLook.beside(encoder))
        rivals["our_index"] = by_index(searcher)
        return {name: _score(rank, questions) for name, rank in rivals.items()}


def bm25_over_jieba(documents: Sequence[Document]) -> Rank:
    """BM25 with words cut by jieba, one document a matter."""
    jieba.setLogLevel(logging.WARNING)
    engine = bm25s.BM25()
    engine.index([_words(" ".join(t.text for t in d.texts)) for d in documents], show_progress=False)

    def rank(question: Question) -> list[str]:
        words = [word for word in _words(_joined(question)) if word in engine.vocab_dict]
        if not words:
            return []
        best = np.argsort(-engine.get_scores(words), kind="stable")[:3]
        return [documents[place].code for place in best]

    return rank


def by_encoder(documents: Sequence[Document], encoder: Encoder) -> Rank:
    """The nearest text of each matter by ``encoder``."""
    owners = np.array([place for place, d in enumerate(documents) for _ in d.texts])
    vectors = encoder.encode_passages([t.text for d in documents for t in d.texts])

    def rank(question: Question) -> list[str]:
        nearest = owners[np.argsort(-(vectors @ encoder.encode_queries([_joined(question)])[0]))[:60]]
        return [documents[place].code for place in dict.fromkeys(nearest.tolist())][:3]

    return rank


def by_index(searcher: Searcher) -> Rank:
    """Our index: vectors, words, the learned decision and the reranker behind it."""

    def rank(question: Question) -> list[str]:
        return [candidate.code for candidate in searcher.find(question.text, turns=question.context).candidates[:3]]

    return rank


def _joined(question: Question) -> str:
    return " ".join((*question.context, question.text))


def _words(text: str) -> list[str]:
    return [word for word in jieba.lcut(text.lower()) if word.strip()]


def _score(rank: Rank, questions: Sequence[Question]) -> dict[str, Any]:
    asked = [question for question in questions if question.answerable]
    took: list[float] = []
    found: list[list[str]] = []
    for question in asked:
        started = time.perf_counter()
        found.append(rank(question))
        took.append(time.perf_counter() - started)
    pairs = list(zip(asked, found, strict=True))
    return {
        "right_first": rate([bool(codes[:1]) and codes[0] in question.matters for question, codes in pairs]).to_dict(),
        "within_three": rate([bool(question.matters & set(codes[:3])) for question, codes in pairs]).to_dict(),
        "latency_ms": summary(took),
    }
