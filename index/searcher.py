"""Find the matter a citizen means, and say how sure that is.

A search encodes the text (and, after an earlier turn, the text joined with it), takes the nearest texts and the
best lexical matches, computes features for the matters behind them and lets the :class:`~index.ranking.Ranker`
decide: answer, offer choices, or say that nothing fits. A name, alias or recorded question typed exactly wins
outright.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from index import vectors as vector_index
from index.builder import FORMAT, IndexInfo
from index.encoder import Encoder
from index.errors import IndexCorrupt, IndexMismatch, IndexMissing
from index.features import Candidate as Considered
from index.features import Question, matrices
from index.lexical import Lexical, tokens
from index.normal import bare, key
from index.pinyin import pairs, syllables
from index.ranking import Ranker
from index.speech import content_weight

NEAREST = 80
"""Texts taken from the vector index for each view of the question."""

CONSIDERED = 16
"""Matters whose features are computed."""

JOINER = "；"
LONGEST_TURN = 60
LONGEST_QUESTION = 300

Decision = Literal["answered", "clarify", "unknown"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One matter found: ``score`` is the probability that it is the one meant, ``text`` the text that matched best."""

    code: str
    name: str
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of a search; ``confidence`` is the first candidate's probability of being right."""

    decision: Decision
    confidence: float
    candidates: tuple[Candidate, ...]
    exact: bool
    kept_focus: bool
    query: str


class Searcher:
    """One loaded index. Immutable, so that it can be swapped while questions are being answered."""

    def __init__(self, folder: Path, encoder: Encoder, ranker: Ranker) -> None:
        self.info = _read_info(folder)
        if self.info.encoder != encoder.identity:
            raise IndexMismatch(f"{folder} was built by {self.info.encoder}, the encoder is {encoder.identity}")
        self._encoder, self._ranker = encoder, ranker
        try:
            matters = [json.loads(line) for line in (folder / "matters.jsonl").read_text(encoding="utf-8").splitlines()]
            self._owners = np.load(folder / "owners.npy")
            self._kinds = np.load(folder / "kinds.npy")
            self._offsets = np.load(folder / "offsets.npy")
            self._rows = np.load(folder / "vectors.npy", mmap_mode="r")
            self._texts = np.memmap(folder / "texts.bin", np.uint8, "r") if self._offsets[-1] else np.empty(0, np.uint8)
            self._exact_keys = np.load(folder / "exact_keys.npy")
            self._exact_owners = np.load(folder / "exact_owners.npy")
        except (OSError, ValueError) as error:
            raise IndexCorrupt(f"{folder}: {error}") from error
        self._codes = [m[0] for m in matters]
        self._names = [m[1] for m in matters]
        self._families = [m[3] for m in matters]
        self._from = np.array([m[4] or "0001-01-01" for m in matters], "datetime64[D]")
        self._to = np.array([m[5] or "9999-12-31" for m in matters], "datetime64[D]")
        self._place = {code: i for i, code in enumerate(self._codes)}
        self._starts = np.searchsorted(self._owners, np.arange(len(matters) + 1))
        self._vectors = vector_index.load(folder / "vectors.faiss")
        self._lexical = Lexical.load(folder / "lexical", len(matters))
        self._pinyin = Lexical.load(folder / "pinyin", len(matters))
        rows = {len(self._owners), len(self._kinds), len(self._offsets) - 1, len(self._rows), self._vectors.ntotal}
        if rows != {self.info.rows} or len(self._texts) != self._offsets[-1]:
            raise IndexCorrupt(f"{folder}: its files do not belong together")
        self._tokens_of = lru_cache(maxsize=4096)(self._read_tokens)

    @classmethod
    def open(cls, folder: Path, encoder: Encoder, ranker: Ranker | None = None) -> Searcher:
        """The index in ``folder``.

        :class:`IndexMissing`, :class:`IndexCorrupt` or :class:`IndexMismatch` say why not.
        """
        return cls(folder, encoder, ranker or Ranker.load())

    def __len__(self) -> int:
        return len(self._codes)

    def find(
        self,
        text: str,
        *,
        turns: Sequence[str] = (),
        focus: str | None = None,
        focus_offered: Sequence[str] = (),
        today: date | None = None,
    ) -> Found:
        """The matters ``text`` may mean, best first, and what to do about them.

        ``turns`` are the citizen's earlier texts on the topic (latest last), ``focus`` the matter last
        answered about and ``focus_offered`` the matters last offered to choose from; ``today`` leaves out
        matters not valid that day.
        """
        text = text[:LONGEST_QUESTION]
        valid = self._valid(today)
        exact = self._exact(text, valid)
        focus_place = self._place.get(focus) if focus else None
        if not len(self) or not bare(text):
            return Found("unknown", 0.0, (), exact=False, kept_focus=False, query=text)
        if len(exact) == 1:
            candidate = self._candidate(exact[0], 1.0, text)
            return Found("answered", 1.0, (candidate,), exact=True, kept_focus=exact[0] == focus_place, query=text)
        if sounds := syllables(text):
            return self._find_by_sound(text, sounds, valid)
        joined = self._join(text, turns, focus_place)
        question, considered = self._consider(text, joined, focus_place, focus_offered, valid, exact)
        if not considered:
            return Found("unknown", 0.0, (), exact=False, kept_focus=False, query=joined)
        probability = self._ranker.probabilities(*matrices(question, considered))
        order = np.argsort(-probability[:-1], kind="stable")[:10]
        candidates = tuple(
            self._candidate(considered[i].matter, float(probability[i]), self._matched(considered[i])) for i in order
        )
        return Found(
            self._decide(probability[:-1][order]),
            candidates[0].score,
            candidates,
            exact=False,
            kept_focus=considered[order[0]].matter == focus_place,
            query=joined,
        )

    def _find_by_sound(self, text: str, sounds: list[str], valid: NDArray[np.bool_]) -> Found:
        """Choices for a question in pinyin: too many words sound alike for an answer at once."""
        scores = np.where(valid, self._pinyin.scores(pairs(sounds)), 0)
        best = [int(m) for m in np.argsort(-scores, kind="stable")[:3] if scores[m] > 0]
        share = 1 / (1 + len(best))
        candidates = tuple(self._candidate(m, share, self._names[m]) for m in best)
        decision: Decision = "clarify" if best else "unknown"
        return Found(decision, share if best else 0.0, candidates, exact=False, kept_focus=False, query=text)

    def features(
        self, text: str, *, turns: Sequence[str] = (), focus: str | None = None, without: Sequence[str] = ()
    ) -> tuple[list[str], NDArray[np.float32], NDArray[np.float32]] | None:
        """Codes and features of the matters considered for ``text``, as training reads them.

        ``without`` hides matters.
        """
        valid = np.ones(len(self), bool)
        valid[[self._place[code] for code in without]] = False
        focus_place = self._place.get(focus) if focus else None
        joined = self._join(text, turns, focus_place)
        question, considered = self._consider(text, joined, focus_place, (), valid, ())
        if not considered:
            return None
        return [self._codes[c.matter] for c in considered], *matrices(question, considered)

    def _decide(self, probability: NDArray[np.float32]) -> Decision:
        limits = self._ranker.thresholds
        if probability[0] >= limits.answer:
            return "answered"
        return "clarify" if probability[:3].sum() >= limits.clarify else "unknown"

    def _join(self, text: str, turns: Sequence[str], focus: int | None) -> str:
        """The text as a follow-up: after the matter answered about and the last turn on the topic."""
        named = [self._names[focus]] if focus is not None else []
        recent = [turn[-LONGEST_TURN:] for turn in (turns[-1:] if named else turns[-2:])]
        return JOINER.join([*named, *recent, text])

    def _valid(self, today: date | None) -> NDArray[np.bool_]:
        if today is None:
            return np.ones(len(self), bool)
        day = np.datetime64(today)
        valid: NDArray[np.bool_] = (self._from <= day) & (day <= self._to)
        return valid

    def _exact(self, text: str, valid: NDArray[np.bool_]) -> list[int]:
        wanted = np.uint64(key(text))
        low, high = (
            np.searchsorted(self._exact_keys, wanted, "left"),
            np.searchsorted(self._exact_keys, wanted, "right"),
        )
        return sorted({int(owner) for owner in self._exact_owners[low:high] if valid[owner]})

    def _consider(
        self,
        text: str,
        joined: str,
        focus: int | None,
        offered: Sequence[str],
        valid: NDArray[np.bool_],
        exact: Sequence[int],
    ) -> tuple[Question, list[Considered]]:
        views = [text] if joined == text else [text, joined]
        queries = self._encoder.encode_queries(views)
        split = [tokens(view) for view in views]
        lexical = [self._lexical.scores(words) for words in split]
        chosen = self._shortlist(queries, lexical, valid)
        offered_places = {self._place[code] for code in offered if code in self._place}
        always = [*exact, *([focus] if focus is not None else []), *sorted(offered_places)]
        chosen = list(dict.fromkeys([m for m in always if valid[m]] + chosen))
        asked, asked_joined = split[0], split[-1]
        question = Question(
            tokens=asked,
            joined_tokens=asked_joined,
            weight={t: content_weight(t) for t in asked},
            rarity=self._lexical.rarity(asked),
            length=len(bare(text)),
            has_turn=len(views) > 1,
            focus_family=self._families[focus] or None if focus is not None else None,
        )
        plain = bare(text)
        considered = []
        for matter in chosen:
            span = slice(int(self._starts[matter]), int(self._starts[matter + 1]))
            similarities = np.asarray(self._rows[span], np.float32) @ queries.T
            name_tokens, all_tokens, named = self._tokens_of(matter)
            considered.append(
                Considered(
                    matter=matter,
                    kinds=self._kinds[span],
                    alone=similarities[:, 0],
                    joined=similarities[:, -1],
                    alone_bm25=float(lexical[0][matter]),
                    joined_bm25=float(lexical[-1][matter]),
                    name_tokens=name_tokens,
                    tokens=all_tokens,
                    longest_run=max((_longest_run(plain, name) for name in named), default=0),
                    family=self._families[matter],
                    is_focus=matter == focus,
                    was_offered=matter in offered_places,
                )
            )
        return question, considered

    def _shortlist(
        self, queries: NDArray[np.float32], lexical: Sequence[NDArray[np.float32]], valid: NDArray[np.bool_]
    ) -> list[int]:
        """Matters worth a closer look: nearest by vector in either view, then best by words."""
        _, rows = vector_index.nearest(self._vectors, queries, NEAREST)
        chosen: dict[int, None] = {}
        near = [[m for m in dict.fromkeys(self._owners[view[view >= 0]].tolist()) if valid[m]] for view in rows]
        for found in near:
            chosen.update(dict.fromkeys(found[: CONSIDERED * 3 // 4 if len(near) == 1 else CONSIDERED // 2]))
        for scores in lexical:
            count = min(CONSIDERED, len(scores))
            best = np.argpartition(-scores, count - 1)[:count]
            best = best[np.argsort(-scores[best], kind="stable")]
            chosen.update(dict.fromkeys([int(m) for m in best if valid[m] and scores[m] > 0][: CONSIDERED // 4]))
        return list(chosen)

    def _read_tokens(self, matter: int) -> tuple[frozenset[str], frozenset[str], tuple[str, ...]]:
        texts = [self._text(row) for row in range(self._starts[matter], self._starts[matter + 1])]
        named = [t for t, kind in zip(texts, self._kinds[self._starts[matter] :], strict=False) if kind < 2]
        return (
            frozenset(tokens(texts[0])),
            frozenset(t for text in texts for t in tokens(text)),
            tuple(map(bare, named)),
        )

    def _text(self, row: int) -> str:
        return bytes(self._texts[self._offsets[row] : self._offsets[row + 1]]).decode()

    def _matched(self, considered: Considered) -> str:
        return self._text(int(self._starts[considered.matter]) + int(considered.joined.argmax()))

    def _candidate(self, matter: int, score: float, text: str) -> Candidate:
        return Candidate(self._codes[matter], self._names[matter], score, text)


def _longest_run(text: str, name: str) -> int:
    """Length of the longest stretch of characters that ``text`` and ``name`` share."""
    best, row = 0, [0] * (len(name) + 1)
    for character in text:
        above = 0
        for place, other in enumerate(name, 1):
            above, row[place] = row[place], above + 1 if character == other else 0
            best = max(best, row[place])
    return best


def _read_info(folder: Path) -> IndexInfo:
    try:
        info = IndexInfo(**json.loads((folder / "index.json").read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise IndexMissing(str(folder)) from error
    except (OSError, ValueError, TypeError) as error:
        raise IndexCorrupt(f"{folder}: {error}") from error
    if info.format != FORMAT:
        raise IndexCorrupt(f"{folder} has format {info.format}, this program reads {FORMAT}")
    return info
