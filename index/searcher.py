"""Find the matter a citizen means, and say how sure that is.

A search encodes the text (and, after an earlier turn, the text joined with it), takes the nearest texts and the
best lexical matches, computes features for the matters behind them and lets the :class:`~index.ranking.Ranker`
decide: answer, offer choices, or say that nothing fits. A second look weighs that against the matters that halls
everywhere have (:mod:`index.common`); where a doubt is left, the :class:`~index.reranker.Reranker` reads the question
together with the few best matters, and the decision is made once more. A name, alias or recorded question typed
exactly wins outright.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index import vectors as vector_index
from index.builder import read_info
from index.common import Resemblance
from index.documents import TextKind
from index.encoder import Encoder, States, Vectors
from index.errors import IndexCorrupt, IndexMismatch
from index.features import KINDS, Question, matrices
from index.features import Candidate as Considered
from index.lexical import Lexical, tokens
from index.negatives import Negatives
from index.normal import bare, key
from index.pinyin import pairs, syllables
from index.ranking import RERANKED, Ranker, Thresholds
from index.searched import Candidate, Decision, Field, Found, Looks, Searched
from index.second import SecondLook
from index.speech import content_weight
from index.states import PassageStates

NEAREST = 80
"""Texts taken from the vector index for each view of the question."""

CONSIDERED = 16
"""Matters whose features are computed."""

LAST_NAMING = KINDS.index(TextKind.ALIAS)
"""The texts of a matter up to this kind are its names."""

JOINER = "；"
LONGEST_TURN = 60
LONGEST_QUESTION = 300


class Searcher:
    """One loaded index. Immutable, so that it can be swapped while questions are being answered."""

    def __init__(self, folder: Path, encoder: Encoder, ranker: Ranker, second: SecondLook | None) -> None:
        self.info = read_info(folder)
        if self.info.encoder != encoder.identity:
            raise IndexMismatch(f"{folder} was built by {self.info.encoder}, the encoder is {encoder.identity}")
        self._encoder, self._ranker = encoder, ranker
        self._second = second
        try:
            matters = [json.loads(line) for line in (folder / "matters.jsonl").read_text(encoding="utf-8").splitlines()]
            self._owners = np.load(folder / "owners.npy")
            self._kinds = np.load(folder / "kinds.npy")
            self._offsets = np.load(folder / "offsets.npy")
            self._rows = np.load(folder / "vectors.npy", mmap_mode="r")
            self._texts = np.memmap(folder / "texts.bin", np.uint8, "r") if self._offsets[-1] else np.empty(0, np.uint8)
            self._exact_keys = np.load(folder / "exact_keys.npy")
            self._exact_owners = np.load(folder / "exact_owners.npy")
            self._states = PassageStates(folder)
        except (OSError, ValueError, EOFError) as error:
            raise IndexCorrupt(f"{folder}: {error}") from error
        self._codes = [m[0] for m in matters]
        self._names = [m[1] for m in matters]
        self._families = [m[3] for m in matters]
        self._from = np.array([m[4] or "0001-01-01" for m in matters], "datetime64[D]")
        self._to = np.array([m[5] or "9999-12-31" for m in matters], "datetime64[D]")
        self._place = {code: i for i, code in enumerate(self._codes)}
        self._starts = np.searchsorted(self._owners, np.arange(len(matters) + 1))
        self._vectors = vector_index.load(folder / "vectors.faiss")
        self._negatives = Negatives.load(folder, len(matters), self.info.dimension)
        self._lexical = Lexical.load(folder / "lexical", len(matters))
        self._pinyin = Lexical.load(folder / "pinyin", len(matters))
        rows = {len(self._owners), len(self._kinds), len(self._offsets) - 1, len(self._rows), self._vectors.ntotal}
        read = len(self._states) in (0, len(matters))
        if rows != {self.info.rows} or len(self._texts) != self._offsets[-1] or not read:
            raise IndexCorrupt(f"{folder}: its files do not belong together")
        self._naming = lru_cache(maxsize=4096)(self._read_naming)

    @classmethod
    def open(
        cls, folder: Path, encoder: Encoder, ranker: Ranker | None = None, second: SecondLook | None = None
    ) -> Searcher:
        """The index in ``folder``, without a second look where ``second`` is None.

        :class:`IndexMissing`, :class:`IndexCorrupt` or :class:`IndexMismatch` say why not.
        """
        return cls(folder, encoder, ranker or Ranker.load(), second)

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def thresholds(self) -> Thresholds:
        """When it answers, and when it offers choices."""
        return self._ranker.thresholds

    def named(self, matter: int) -> tuple[str, str]:
        """Code and name of the matter at place ``matter``."""
        return self._codes[matter], self._names[matter]

    def text_of(self, matter: int, number: int) -> str:
        """The matter's text of that number, counted from 0."""
        return self._text(int(self._starts[matter]) + number)

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
        return self.search(text, turns=turns, focus=focus, focus_offered=focus_offered, today=today).found

    def search(
        self,
        text: str,
        *,
        turns: Sequence[str] = (),
        focus: str | None = None,
        focus_offered: Sequence[str] = (),
        today: date | None = None,
        unseen: bool = False,
    ) -> Searched:
        """:meth:`find` with what led to it.

        ``unseen``: as if no matter had the text itself among its texts, so that what the catalogue holds can be asked
        of it honestly.
        """
        text = text[:LONGEST_QUESTION]
        valid = self._valid(today)
        exact = self._exact(text, valid)
        hidden = self._same_rows(text, exact) if unseen else frozenset()
        if unseen:
            exact = []
        focus_place = self._place.get(focus) if focus else None
        if not len(self) or not bare(text):
            return Searched(Found("unknown", 0.0, (), exact=False, kept_focus=False, query=text))
        if len(exact) == 1:
            candidate = self._candidate(exact[0], 1.0, text)
            kept = exact[0] == focus_place
            return Searched(Found("answered", 1.0, (candidate,), exact=True, kept_focus=kept, query=text))
        if sounds := syllables(text):
            return Searched(self._find_by_sound(text, sounds, valid))
        joined = self._join(text, turns, focus_place)
        field = self._consider(text, joined, focus_place, focus_offered, valid, exact, hidden)
        considered = field.considered
        if not considered:
            nothing = Found("unknown", 0.0, (), exact=False, kept_focus=False, query=joined)
            return Searched(nothing, field.question, refusals=field.refusals)
        first = probability = self._ranker.probabilities(*matrices(field.question, considered))
        resemblance, shares = None, np.empty(0, np.float32)
        seen, logits = np.empty(0, np.intp), np.empty(0, np.float32)
        if self._second:
            resemblance, shares = self._resembled(self._second, field)
            probability = self._ranker.recalled(first, shares, resemblance.nearness)
            if self._ranker.doubts(probability):
                seen, logits = self._read(self._second, field, first)
                probability = self._ranker.again(first, shares, resemblance.nearness, seen, logits)
        order = np.argsort(-probability[:-1], kind="stable")[:10]
        candidates = tuple(
            self._candidate(considered[i].matter, float(probability[i]), self._matched(considered[i])) for i in order
        )
        found = Found(
            self._decide(probability[:-1][order], follows=bool(turns)),
            candidates[0].score,
            candidates,
            exact=False,
            kept_focus=considered[order[0]].matter == focus_place,
            query=joined,
        )
        return Searched(
            found, field.question, considered, first, probability, resemblance, shares, seen, logits, field.refusals
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
        field = self._consider(text, joined, focus_place, (), valid, ())
        if not field.considered:
            return None
        return [self._codes[c.matter] for c in field.considered], *matrices(field.question, field.considered)

    def looks(
        self, text: str, *, turns: Sequence[str] = (), focus: str | None = None, without: Sequence[str] = ()
    ) -> Looks | None:
        """What the first and the second look say of ``text``, as training reads them; ``without`` hides matters."""
        valid = np.ones(len(self), bool)
        valid[[self._place[code] for code in without]] = False
        focus_place = self._place.get(focus) if focus else None
        joined = self._join(text, turns, focus_place)
        field = self._consider(text, joined, focus_place, (), valid, ())
        considered = field.considered
        if not considered:
            return None
        probability = self._ranker.probabilities(*matrices(field.question, considered))
        best = np.argsort(-probability[:-1], kind="stable")
        order = [*best, -1]
        shares, nearness, logits = np.empty(0, np.float32), 0.0, np.empty(0, np.float32)
        if self._second:
            resemblance, found = self._resembled(self._second, field)
            shares, nearness = found[order], resemblance.nearness
            _, logits = self._read(self._second, field, probability)
        codes = [self._codes[considered[i].matter] for i in best]
        return Looks(joined, codes, probability[order], shares, nearness, logits)

    def _resembled(self, second: SecondLook, field: Field) -> tuple[Resemblance, NDArray[np.float32]]:
        """The common matters the question resembles, and what of them falls to each candidate and to none."""
        resemblance = second.common.like(field.vector)
        return resemblance, resemblance.shares([self._name_vectors(c.matter) for c in field.considered])

    def _name_vectors(self, matter: int) -> Vectors:
        span = slice(int(self._starts[matter]), int(self._starts[matter + 1]))
        return np.asarray(self._rows[span][self._kinds[span] <= LAST_NAMING], np.float32)

    def _read(
        self, second: SecondLook, field: Field, probability: NDArray[np.float32]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Places of the best candidates and what the reranker says of them."""
        best = np.argsort(-probability[:-1], kind="stable")[:RERANKED]
        passages = [self._states[field.considered[i].matter] for i in best]
        return best, second.reranker.logits(field.states, passages)

    def _decide(self, probability: NDArray[np.float32], *, follows: bool) -> Decision:
        limits = self._ranker.thresholds
        if probability[0] >= (limits.answer_follow if follows else limits.answer):
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
        owners = {int(owner) for owner in self._exact_owners[low:high] if valid[owner]}
        return sorted(owner for owner in owners if not self._negatives.names(owner, wanted))

    def _same_rows(self, text: str, owners: Sequence[int]) -> frozenset[int]:
        """Rows of ``owners`` whose text is ``text``."""
        plain = bare(text)
        rows = (row for owner in owners for row in range(self._starts[owner], self._starts[owner + 1]))
        return frozenset(row for row in rows if bare(self._text(row)) == plain)

    def _consider(
        self,
        text: str,
        joined: str,
        focus: int | None,
        offered: Sequence[str],
        valid: NDArray[np.bool_],
        exact: Sequence[int],
        hidden: frozenset[int] = frozenset(),
    ) -> Field:
        """What is weighed for the question. ``hidden``: rows that are looked over."""
        views = [text] if joined == text else [text, joined]
        queries, states = self._encode(views)
        split = [tokens(view) for view in views]
        lexical = [self._lexical.scores(words) for words in split]
        if hidden:
            self._look_over(hidden, lexical, split)
        chosen = self._shortlist(queries, lexical, valid, hidden)
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
        plain, wanted = bare(text), np.uint64(key(text))
        considered, refusals = [], []
        for matter, held_tokens in zip(chosen, self._lexical.holding(asked, chosen), strict=True):
            span = slice(int(self._starts[matter]), int(self._starts[matter + 1]))
            similarities = np.asarray(self._rows[span], np.float32) @ queries.T
            name_tokens, named = self._naming(matter)
            if own := [row for row in hidden if span.start <= row < span.stop]:
                similarities[[row - span.start for row in own]] = -1.0
                held_tokens = self._tokens_without(matter, hidden)
            refusal = self._negatives.refusal(matter, queries[0], wanted, float(similarities[:, 0].max()))
            if refusal is not None:
                refusals.append(refusal)
                continue
            considered.append(
                Considered(
                    matter=matter,
                    kinds=self._kinds[span],
                    alone=similarities[:, 0],
                    joined=similarities[:, -1],
                    alone_bm25=float(lexical[0][matter]),
                    joined_bm25=float(lexical[-1][matter]),
                    name_tokens=name_tokens,
                    tokens=held_tokens,
                    longest_run=max((_longest_run(plain, name) for name in named), default=0),
                    family=self._families[matter],
                    is_focus=matter == focus,
                )
            )
        return Field(question, queries[-1], considered, states, refusals)

    def _look_over(
        self, hidden: frozenset[int], lexical: Sequence[NDArray[np.float32]], split: Sequence[Sequence[str]]
    ) -> None:
        """Takes from the lexical scores what only hidden rows say: by the rarity of the words that remain."""
        matters = sorted({int(self._owners[row]) for row in hidden})
        rests = [self._tokens_without(matter, hidden) for matter in matters]
        for scores, asked in zip(lexical, split, strict=True):
            rarity = self._lexical.rarity(asked)
            for matter, held, rest in zip(matters, self._lexical.holding(asked, matters), rests, strict=True):
                said = sum(rarity[token] for token in asked if token in held)
                kept = sum(rarity[token] for token in asked if token in rest)
                scores[matter] *= kept / said if said else 0.0

    def _tokens_without(self, matter: int, hidden: frozenset[int]) -> frozenset[str]:
        rows = range(int(self._starts[matter]), int(self._starts[matter + 1]))
        return frozenset(token for row in rows if row not in hidden for token in tokens(self._text(row)))

    def _encode(self, views: Sequence[str]) -> tuple[Vectors, States]:
        if self._second:
            vectors, states = self._second.reranker.encoder.read_queries(views)
            return vectors, states[-1]
        return self._encoder.encode_queries(views), np.empty((0, 0), np.float32)

    def _shortlist(
        self,
        queries: NDArray[np.float32],
        lexical: Sequence[NDArray[np.float32]],
        valid: NDArray[np.bool_],
        hidden: frozenset[int],
    ) -> list[int]:
        """Matters worth a closer look: nearest by vector in either view, then best by words."""
        _, rows = vector_index.nearest(self._vectors, queries, NEAREST)
        chosen: dict[int, None] = {}
        if hidden:
            rows = np.where(np.isin(rows, list(hidden)), -1, rows)
        near = [[m for m in dict.fromkeys(self._owners[view[view >= 0]].tolist()) if valid[m]] for view in rows]
        for found in near:
            chosen.update(dict.fromkeys(found[: CONSIDERED * 3 // 4 if len(near) == 1 else CONSIDERED // 2]))
        for scores in lexical:
            count = min(CONSIDERED, len(scores))
            best = np.argpartition(-scores, count - 1)[:count]
            best = best[np.argsort(-scores[best], kind="stable")]
            chosen.update(dict.fromkeys([int(m) for m in best if valid[m] and scores[m] > 0][: CONSIDERED // 4]))
        return list(chosen)

    def _read_naming(self, matter: int) -> tuple[frozenset[str], tuple[str, ...]]:
        """The tokens of the matter's name, and its names plain."""
        start, end = int(self._starts[matter]), int(self._starts[matter + 1])
        named = [self._text(row) for row in range(start, end) if self._kinds[row] <= LAST_NAMING]
        return frozenset(tokens(named[0] if named else self._text(start))), tuple(map(bare, named))

    def _text(self, row: int) -> str:
        return bytes(self._texts[self._offsets[row] : self._offsets[row + 1]]).decode()

    def _matched(self, considered: Considered) -> str:
        return self._text(int(self._starts[considered.matter]) + int(considered.joined.argmax()))

    def _candidate(self, matter: int, score: float, text: str) -> Candidate:
        return Candidate(self._codes[matter], self._names[matter], score, text)


def _longest_run(text: str, name: str) -> int:
    """Length of the longest stretch of characters that ``text`` and ``name`` share."""
    best = 0
    for start in range(len(name)):
        while start + best < len(name) and name[start : start + best + 1] in text:
            best += 1
    return best
