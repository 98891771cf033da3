"""Train a small network that reads two texts together, token by token, on groups of candidates.

The network is the one that reads questions and guides (:mod:`index.training.reranking`), over the same states of the
encoder. A group is a text with others that may belong to it; it is judged by a softmax over their logits and zero for
*none of them*, as one of them or none is chosen where it is served.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from joblib import Parallel, delayed
from numpy.typing import NDArray

from index.encoder import States
from index.training.reranking import Alignment, Descent, group_loss, together

BATCH = 16
RATE = 1e-3


@dataclass(frozen=True, slots=True)
class Group:
    """A text with others it is read with, by their numbers among all texts, and which of those are right."""

    own: int
    others: tuple[int, ...]
    right: tuple[bool, ...]


def trained(
    drawn: Callable[[random.Random], Sequence[Group]],
    states: Sequence[States],
    width: int,
    epochs: float,
    seed: int,
    turned: float = 0.0,
) -> Alignment:
    """A network that tells the pairs apart; ``states`` by the number of the text.

    ``drawn``: the groups of the next epoch. ``turned``: how often the two are read the other way round.
    """
    torch.manual_seed(seed)
    draw = random.Random(seed)
    model = Alignment(width)
    descent = Descent(model, RATE)
    made = drawn(draw)
    total, step = int(epochs * len(made) / BATCH), 0
    model.train()
    while step < total:
        order = sorted(made, key=lambda group: len(states[group.own]) + draw.random() * 12)
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        draw.shuffle(batches)
        for batch in batches[: total - step]:
            pairs = [(states[g.own], states[other]) for g in batch for other in g.others]
            pairs = [(b, a) if draw.random() < turned else (a, b) for a, b in pairs]
            descent.take(group_loss(model(**together(pairs)), [list(g.right) for g in batch]), step, total)
            step += 1
        made = drawn(draw)
    return model.eval()


def logits(model: Alignment, pairs: Sequence[tuple[int, int]], states: Sequence[States]) -> NDArray[np.float64]:
    """Of each pair of texts, read as it is served; ``states`` by the number of the text."""
    order = sorted(range(len(pairs)), key=lambda i: len(states[pairs[i][0]]))
    said = np.zeros(len(pairs))
    with torch.no_grad():
        for start in range(0, len(order), 64):
            rows = order[start : start + 64]
            said[rows] = model(**together([(states[pairs[i][0]], states[pairs[i][1]]) for i in rows])).numpy()
    return said


def crossed(
    train: Callable[[int | None], Alignment], held: Mapping[int, Sequence[tuple[int, int]]], states: Sequence[States]
) -> tuple[Alignment, dict[int, NDArray[np.float64]]]:
    """A network that learnt from all; and by fold, what one that learnt without it says of the pairs held out in it.

    ``train``: a network that learnt without the fold named, or from all. The trainings share the cores, each in a
    process of its own.
    """

    def whole() -> Alignment:
        torch.set_num_threads(1)
        return train(None)

    def outside(fold: int) -> NDArray[np.float64]:
        torch.set_num_threads(1)
        return logits(train(fold), held[fold], states)

    model, *said = Parallel(n_jobs=-1, verbose=10)([delayed(whole)(), *(delayed(outside)(fold) for fold in held)])
    return model, dict(zip(held, said, strict=True))
