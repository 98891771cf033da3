"""Find the matter a citizen means, and say how sure that is.

A search encodes the text (and, after an earlier turn, the text joined with it), takes the nearest texts and the
best lexical matches, computes features for the matters behind them and lets the :class:`~index.ranking.Ranker`
decide: answer, offer choices, or say that nothing fits. A second look weighs that against the matters that halls
everywhere have (:mod:`index.common`); where a doubt is left, the :class:`~index.reranker.Reranker` reads the question
together with the few best matters, and the decision is made once more. A name, alias or recorded question typed
exactly wins outright.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.builder import IndexInfo
from index.common import Resemblance
from index.encoder import Encoder, States, Vectors
from index.features import Candidate as Considered
from index.features import Question, matrices
from index.lexical import tokens
from index.normal import bare, key
from index.pinyin import pairs, syllables
from index.ranking import RERANKED, Evidence, Ranker, Thresholds
from index.searched import Candidate, Decision, Field, Found, Looks, Searched
from index.second import SecondLook
from index.speech import content_weight
from index.stored import LAST_NAMING, StoredIndex

NEAREST = 80
"""Texts taken from the vector index for each view of the question."""

CONSIDERED = 16
"""Matters whose features are computed."""

JOINER = "；"
LONGEST_TURN = 60
LONGEST_QUESTION = 300


class Searcher:
    """One loaded index. Immutable, so that it can be swapped while questions are being answered."""

    def __init__(self, folder: Path, encoder: Encoder, ranker: Ranker, second: SecondLook | None) -> None:
        self._index = StoredIndex(folder, encoder)
        self._encoder, self._ranker = encoder, ranker
        self._second = second

    @classmethod
    def open(
        cls, folder: Path, encoder: Encoder, ranker: Ranker | None = None, second: SecondLook | None = None
    ) -> Searcher:
        """The index in ``folder``, without a second look where ``second`` is None.

        :class:`IndexMissing`, :class:`IndexCorrupt` or :class:`IndexMismatch` say why not.
        """
        return cls(folder, encoder, ranker or Ranker.load(), second)

    def __len__(self) -> int:
        return len(self._index)

    @property
    def info(self) -> IndexInfo:
        """What the index holds."""
        return self._index.info

    @property
    def thresholds(self) -> Thresholds:
        """When it answers, and when it offers choices."""
        return self._ranker.thresholds

    def named(self, matter: int) -> tuple[str, str]:
        """Code and name of the matter at place ``matter``."""
        return self._index.codes[matter], self._index.names[matter]

    def text_of(self, matter: int, number: int) -> str:
        """The matter's text of that number, counted from 0."""
        return self._index.text(self._index.rows(matter)[number])

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
        valid = self._index.valid(today)
        exact = self._index.exact(text, valid)
        hidden = self._index.same_rows(text, exact) if unseen else frozenset()
        if unseen:
            exact = []
        focus_place = self._index.place(focus)
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
            evidence = Evidence(first, shares, resemblance.nearness, follows=bool(turns))
            probability = self._ranker.recalled(evidence)
            if self._ranker.doubts(probability):
                seen, logits = self._read(self._second, field, first)
                probability = self._ranker.again(replace(evidence, places=seen, logits=logits))
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
        scores = np.where(valid, self._index.pinyin.scores(pairs(sounds)), 0)
        best = [int(m) for m in np.argsort(-scores, kind="stable")[:3] if scores[m] > 0]
        share = 1 / (1 + len(best))
        candidates = tuple(self._candidate(m, share, self._index.names[m]) for m in best)
        decision: Decision = "clarify" if best else "unknown"
        return Found(decision, share if best else 0.0, candidates, exact=False, kept_focus=False, query=text)

    def features(
        self, text: str, *, turns: Sequence[str] = (), focus: str | None = None, without: Sequence[str] = ()
    ) -> tuple[list[str], NDArray[np.float32], NDArray[np.float32]] | None:
        """Codes and features of the matters considered for ``text``, as training reads them.

        ``without`` hides matters.
        """
        valid = self._index.valid(None, without)
        focus_place = self._index.place(focus)
        joined = self._join(text, turns, focus_place)
        field = self._consider(text, joined, focus_place, (), valid, ())
        if not field.considered:
            return None
        return [self._index.codes[c.matter] for c in field.considered], *matrices(field.question, field.considered)

    def looks(
        self, text: str, *, turns: Sequence[str] = (), focus: str | None = None, without: Sequence[str] = ()
    ) -> Looks | None:
        """What the first and the second look say of ``text``, as training reads them; ``without`` hides matters."""
        valid = self._index.valid(None, without)
        focus_place = self._index.place(focus)
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
        codes = [self._index.codes[considered[i].matter] for i in best]
        return Looks(joined, codes, probability[order], shares, nearness, logits)

    def _resembled(self, second: SecondLook, field: Field) -> tuple[Resemblance, NDArray[np.float32]]:
        """The common matters the question resembles, and what of them falls to each candidate and to none."""
        resemblance = second.common.like(field.vector)
        return resemblance, resemblance.shares([c.names for c in field.considered])

    def _read(
        self, second: SecondLook, field: Field, probability: NDArray[np.float32]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Places of the best candidates and what the reranker says of them."""
        best = np.argsort(-probability[:-1], kind="stable")[:RERANKED]
        passages = [self._index.states[field.considered[i].matter] for i in best]
        return best, second.reranker.logits(field.states, passages)

    def _decide(self, probability: NDArray[np.float32], *, follows: bool) -> Decision:
        limits = self._ranker.thresholds
        if probability[0] >= (limits.answer_follow if follows else limits.answer):
            return "answered"
        return "clarify" if probability[:3].sum() >= limits.clarify else "unknown"

    def _join(self, text: str, turns: Sequence[str], focus: int | None) -> str:
        """The text as a follow-up: after the matter answered about and the last turn on the topic."""
        named = [self._index.names[focus]] if focus is not None else []
        recent = [turn[-LONGEST_TURN:] for turn in (turns[-1:] if named else turns[-2:])]
        return JOINER.join([*named, *recent, text])

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
        stored = self._index
        views = [text] if joined == text else [text, joined]
        queries, states = self._encode(views)
        split = [tokens(view) for view in views]
        lexical = [stored.lexical.scores(words) for words in split]
        if hidden:
            self._look_over(hidden, lexical, split)
        chosen = self._shortlist(queries, lexical, valid, hidden)
        offered_places = {place for code in offered if (place := stored.place(code)) is not None}
        always = [*exact, *([focus] if focus is not None else []), *sorted(offered_places)]
        chosen = list(dict.fromkeys([m for m in always if valid[m]] + chosen))
        asked, asked_joined = split[0], split[-1]
        question = Question(
            tokens=asked,
            joined_tokens=asked_joined,
            weight={t: content_weight(t) for t in asked},
            rarity=stored.lexical.rarity(asked),
            length=len(bare(text)),
            has_turn=len(views) > 1,
            focus_family=stored.families[focus] or None if focus is not None else None,
        )
        plain, wanted = bare(text), np.uint64(key(text))
        considered, refusals = [], []
        for matter, held_tokens in zip(chosen, stored.lexical.holding(asked, chosen), strict=True):
            vectors, kinds = stored.vectors(matter), stored.kinds(matter)
            similarities = vectors @ queries.T
            name_tokens, named = stored.naming(matter)
            rows = stored.rows(matter)
            if own := [row for row in hidden if row in rows]:
                similarities[[row - rows.start for row in own]] = -1.0
                held_tokens = stored.tokens_without(matter, hidden)
            refusal = stored.negatives.refusal(matter, queries[0], wanted, float(similarities[:, 0].max()))
            if refusal is not None:
                refusals.append(refusal)
                continue
            considered.append(
                Considered(
                    matter=matter,
                    names=vectors[kinds <= LAST_NAMING],
                    kinds=kinds,
                    alone=similarities[:, 0],
                    joined=similarities[:, -1],
                    alone_bm25=float(lexical[0][matter]),
                    joined_bm25=float(lexical[-1][matter]),
                    name_tokens=name_tokens,
                    tokens=held_tokens,
                    longest_run=max((_longest_run(plain, name) for name in named), default=0),
                    family=stored.families[matter],
                    is_focus=matter == focus,
                )
            )
        return Field(question, queries[-1], considered, states, refusals)

    def _look_over(
        self, hidden: frozenset[int], lexical: Sequence[NDArray[np.float32]], split: Sequence[Sequence[str]]
    ) -> None:
        """Takes from the lexical scores what only hidden rows say: by the rarity of the words that remain."""
        stored = self._index
        matters = sorted({stored.owner(row) for row in hidden})
        rests = [stored.tokens_without(matter, hidden) for matter in matters]
        for scores, asked in zip(lexical, split, strict=True):
            rarity = stored.lexical.rarity(asked)
            for matter, held, rest in zip(matters, stored.lexical.holding(asked, matters), rests, strict=True):
                said = sum(rarity[token] for token in asked if token in held)
                kept = sum(rarity[token] for token in asked if token in rest)
                scores[matter] *= kept / said if said else 0.0

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
        chosen: dict[int, None] = {}
        near = [[m for m in found if valid[m]] for found in self._index.nearest(queries, NEAREST, hidden)]
        for found in near:
            chosen.update(dict.fromkeys(found[: CONSIDERED * 3 // 4 if len(near) == 1 else CONSIDERED // 2]))
        for scores in lexical:
            count = min(CONSIDERED, len(scores))
            best = np.argpartition(-scores, count - 1)[:count]
            best = best[np.argsort(-scores[best], kind="stable")]
            chosen.update(dict.fromkeys([int(m) for m in best if valid[m] and scores[m] > 0][: CONSIDERED // 4]))
        return list(chosen)

    def _matched(self, considered: Considered) -> str:
        return self.text_of(considered.matter, int(considered.joined.argmax()))

    def _candidate(self, matter: int, score: float, text: str) -> Candidate:
        return Candidate(*self.named(matter), score, text)


def _longest_run(text: str, name: str) -> int:
    """Length of the longest stretch of characters that ``text`` and ``name`` share."""
    best = 0
    for start in range(len(name)):
        while start + best < len(name) and name[start : start + best + 1] in text:
            best += 1
    return best
