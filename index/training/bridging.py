"""Learn the bridge from complaints to powers (:mod:`index.bridge`): a small turn of both sides' vectors.

A complaint is laid before the whole list of its city; its power, and any power of a right unit, has to come nearer than
the others. Lists of different cities are never mixed: what is right in one is right in another too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from index.encoder import Encoder, Vectors
from index.powers import PowerDocument, PowerIndex, power_rows

RANK = 64
SCALE = 30.0
EPOCHS = 30
BATCH = 128
RATE = 2e-3
OF_POWER = 0.6
"""Weight of naming the very power, beside one of naming the unit."""


@dataclass(frozen=True)
class Listed:
    """A city's list with complaints about it: of each its vector, its right units, and the place of its power or -1."""

    powers: Sequence[PowerDocument]
    told: Vectors
    asked: Vectors
    right: Sequence[frozenset[str]]
    power: Sequence[int]


def rights(complaint: dict[str, Any]) -> frozenset[str]:
    """Every unit that is right for ``complaint``."""
    return frozenset([complaint["department"], *(complaint.get("department_any") or ())])


def listed(index: PowerIndex, complaints: Sequence[dict[str, Any]], vectors: Vectors) -> Listed:
    """``complaints``, whose vectors are given, over ``index``."""
    place = {power.code: i for i, power in enumerate(index.powers)}
    power = [place.get(c["power"], -1) for c in complaints]
    return Listed(index.powers, index.vectors, vectors, [rights(c) for c in complaints], power)


class _Turn(torch.nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.inward = torch.nn.Parameter(torch.randn(width, RANK) / width**0.5)
        self.outward = torch.nn.Parameter(torch.zeros(RANK, width))
        self.drop = torch.nn.Dropout(0.2)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(vectors + self.drop(vectors @ self.inward) @ self.outward, dim=-1)


class _Case:
    """One list as tensors: the rows of each power side by side, and what is right."""

    def __init__(self, city: Listed) -> None:
        starts = np.array([*power_rows(city.powers).starts, len(city.told)])
        most = int(np.diff(starts).max())
        self.rows = torch.from_numpy(np.minimum(starts[:-1, None] + np.arange(most), starts[1:, None] - 1))
        self.told, self.asked = torch.from_numpy(city.told), torch.from_numpy(city.asked)
        units = [[power.department in right for power in city.powers] for right in city.right]
        self.unit = torch.tensor(units)
        self.power = torch.tensor(city.power)

    def loss(self, ask: _Turn, tell: _Turn, batch: torch.Tensor) -> torch.Tensor:
        """The mean over the complaints of the numbers in ``batch``."""
        near = ask(self.asked[batch]) @ tell(self.told).T
        likely = torch.log_softmax(near[:, self.rows].max(2).values * SCALE, 1)
        unit = -torch.logsumexp(likely.masked_fill(~self.unit[batch], -1e4), 1)
        power = self.power[batch]
        named = -likely.gather(1, power.clamp(min=0)[:, None])[:, 0] * (power >= 0)
        return (unit + OF_POWER * named).mean()


def fit(cities: Sequence[Listed], seed: int = 0) -> dict[str, Any]:
    """The arrays of a bridge learnt from ``cities``."""
    torch.manual_seed(seed)
    cases = [_Case(city) for city in cities if len(city.asked)]
    width = cases[0].told.shape[1]
    ask, tell = _Turn(width), _Turn(width)
    optimiser = torch.optim.AdamW([*ask.parameters(), *tell.parameters()], lr=RATE, weight_decay=0.05)
    for epoch in range(EPOCHS):
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 - epoch / EPOCHS) + 1e-5
        batches = [(case, rows) for case in cases for rows in torch.randperm(len(case.asked)).split(BATCH)]
        for place in torch.randperm(len(batches)).tolist():
            case, rows = batches[place]
            optimiser.zero_grad()
            case.loss(ask, tell, rows).backward()
            optimiser.step()
    arrays: dict[str, Any] = {}
    for name, turn in (("ask", ask), ("tell", tell)):
        arrays |= {f"{name}_in": turn.inward.detach().numpy(), f"{name}_out": turn.outward.detach().numpy()}
    return arrays | _memory(cities)


def _memory(cities: Sequence[Listed]) -> dict[str, Any]:
    """The complaints whose power is known, and the vector of that power's summary."""
    reports, of, powers = list[np.ndarray](), list[int](), list[np.ndarray]()
    for city in cities:
        ends = [*power_rows(city.powers).starts[1:], len(city.told)]
        for vector, power in zip(city.asked, city.power, strict=True):
            if power >= 0:
                reports.append(vector)
                of.append(len(powers) + power)
        powers += [city.told[end - 1] for end in ends]
    return {"reports": np.stack(reports), "of": np.array(of, np.int32), "powers": np.stack(powers)}


def save(arrays: dict[str, Any], encoder: Encoder, path: Path) -> None:
    """Write what :func:`fit` made, in the form that :meth:`index.bridge.Bridge.beside` reads."""
    step = np.float32(max(np.abs(arrays["reports"]).max(), np.abs(arrays["powers"]).max()) / 127)
    small = {name: np.round(arrays[name] / step).astype(np.int8) for name in ("reports", "powers")}
    turns = {name: arrays[name].astype(np.float16) for name in ("ask_in", "ask_out", "tell_in", "tell_out")}
    np.savez_compressed(path, encoder=encoder.identity, step=step, of=arrays["of"], **small, **turns)
