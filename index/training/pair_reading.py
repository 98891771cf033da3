"""Train the second look at complaints that may tell of the same incident: both texts read together, token by token.

The network is the one that reads questions and guides (:mod:`index.training.reranking`), over the same states of the
encoder. A group is a complaint with earlier ones that the first look finds alike, and those written to mislead; it is
judged by a softmax over their logits and zero for *none of them*, as one of them or none is chosen where it is served.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from index.encoder import States
from index.training.choosing import Pair
from index.training.reranking import Alignment, Descent, group_loss, together

BATCH = 16
RATE = 1e-3
HARD, RIGHT, MISLEADING = 4, 2, 3
"""Of each kind at most so many in a group: alike to the first look, of the same incident, written to mislead."""
TURNED = 0.5
"""How often a pair is read the other way round: the same incident either way."""


@dataclass(frozen=True, slots=True)
class Group:
    """A complaint with earlier ones, by their numbers among all texts, and which of those are right."""

    later: int
    earlier: tuple[int, ...]
    same: tuple[bool, ...]


def groups(looked: Sequence[Pair], likely: NDArray[np.float64], draw: random.Random) -> list[Group]:
    """One group of each complaint in ``looked``; ``likely``: what the first look says of each pair."""
    of: dict[int, list[tuple[float, Pair]]] = defaultdict(list)
    for pair, probability in zip(looked, likely, strict=True):
        of[pair.later].append((float(probability), pair))
    made = []
    for later, held in of.items():
        held.sort(key=lambda each: -each[0])
        alike = [pair for _, pair in held if pair.near and not pair.same]
        told = [pair for _, pair in held if not pair.near and not pair.same]
        right = [pair for _, pair in held if pair.same]
        kept = [
            *alike[:HARD],
            *draw.sample(told, min(len(told), MISLEADING)),
            *draw.sample(right, min(len(right), RIGHT)),
        ]
        if kept:
            made.append(Group(later, tuple(p.earlier for p in kept), tuple(p.same for p in kept)))
    return made


def trained(made: Sequence[Group], states: Sequence[States], width: int, epochs: float, seed: int) -> Alignment:
    """A network that tells the pairs of ``made`` apart; ``states`` by the number of the text."""
    torch.manual_seed(seed)
    draw = random.Random(seed)
    model = Alignment(width)
    descent = Descent(model, RATE)
    total, step = int(epochs * len(made) / BATCH), 0
    model.train()
    while step < total:
        order = sorted(made, key=lambda group: len(states[group.later]) + draw.random() * 12)
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        draw.shuffle(batches)
        for batch in batches[: total - step]:
            pairs = [(states[g.later], states[earlier]) for g in batch for earlier in g.earlier]
            pairs = [(b, a) if draw.random() < TURNED else (a, b) for a, b in pairs]
            descent.take(group_loss(model(**together(pairs)), [list(g.same) for g in batch]), step, total)
            step += 1
    return model.eval()


def logits(model: Alignment, pairs: Sequence[tuple[int, int]], states: Sequence[States]) -> NDArray[np.float64]:
    """Of each pair of a later and an earlier text, read as it is served; ``states`` by the number of the text."""
    order = sorted(range(len(pairs)), key=lambda i: len(states[pairs[i][0]]))
    said = np.zeros(len(pairs))
    with torch.no_grad():
        for start in range(0, len(order), 64):
            rows = order[start : start + 64]
            said[rows] = model(**together([(states[pairs[i][0]], states[pairs[i][1]]) for i in rows])).numpy()
    return said
