"""Train the reranker: a small network that aligns the tokens of a question with those of a passage and compares them.

It reads the token states of the shipped encoder, which stays as it is; they are computed once, so that an epoch takes
a minute on one core. Every token of the question is set against the passage's tokens it resembles (and the other way
round), the pairs are compared, and what the comparisons say is weighed into one logit. A group is judged by a softmax
over the logits of its matters and zero for *none of them*. Transformer layers over both texts were tried first: on as
many questions as there are they learn nothing in the hour that this takes minutes.

The scheme is that of Parikh et al., A Decomposable Attention Model (2016), over states that know their context.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from index.encoder import OpenVinoEncoder, States
from index.graph import FILE
from index.reranker import ABOUT, LONGEST, Reranker, padded
from index.training.common import city
from index.training.files import read
from index.training.pairs import Groups, mine, mine_names
from index.training.rows import switched

QUESTIONS = ("train", "train-hard", "followups-train", "nearmiss-train", "development")
"""Files that are learnt from. The development questions too: the decision is fitted on another city."""

SAYINGS = 4
"""Sayings of a common matter that are learnt from."""

BATCH, PAIRS_AT_ONCE = 16, 64
WARM_STEPS = 40
TOLERANCE = 0.15
"""How far a logit of the exported graph may lie from the original."""

FAR = 1e4
"""Subtracted from the scores of padding."""


class Alignment(torch.nn.Module):
    """The network; ``width`` is that of the states, ``inner`` its own."""

    def __init__(self, width: int, inner: int = 128, drop: float = 0.3) -> None:
        super().__init__()
        self.norm = torch.nn.LayerNorm(width, elementwise_affine=False)
        self.noise = torch.nn.Dropout(0.1)
        self.look, self.tell = torch.nn.Linear(width, inner), torch.nn.Linear(width, inner)
        self.sharp = torch.nn.Parameter(torch.tensor(1.0))
        self.compare = torch.nn.ModuleList([torch.nn.Linear(inner * 4, inner) for _ in range(2)])
        self.weigh = torch.nn.ModuleList([torch.nn.Linear(inner, 1) for _ in range(2)])
        self.drop = torch.nn.Dropout(drop)
        self.inner, self.last = torch.nn.Linear(inner * 4 + 4, 64), torch.nn.Linear(64, 1)

    def forward(
        self, question: torch.Tensor, asked: torch.Tensor, passage: torch.Tensor, told: torch.Tensor
    ) -> torch.Tensor:
        """A logit a row; the arguments are those of :func:`index.reranker.inputs`."""
        question, passage = self.noise(self.norm(question)), self.noise(self.norm(passage))
        unit = torch.nn.functional.normalize
        near = unit(self.look(question), dim=-1) @ unit(self.look(passage), dim=-1).transpose(1, 2) * 10 * self.sharp
        question, passage = self.drop(self.tell(question)), self.drop(self.tell(passage))
        there = self._side(0, question, asked, passage, near - (1 - told)[:, None, :] * FAR)
        back = self._side(1, passage, told, question, near.transpose(1, 2) - (1 - asked)[:, None, :] * FAR)
        both = torch.cat([there, back], 1)
        return self.last(self.drop(torch.nn.functional.gelu(self.inner(both))))[:, 0]

    def _side(
        self, side: int, own: torch.Tensor, mask: torch.Tensor, other: torch.Tensor, near: torch.Tensor
    ) -> torch.Tensor:
        """What the tokens of one text find in the other: compared, weighed, and how near their best match is."""
        met = torch.softmax(near, 2) @ other
        told = torch.nn.functional.gelu(self.compare[side](torch.cat([own, met, own * met, own - met], 2)))
        share = torch.softmax(self.weigh[side](told)[..., 0] - (1 - mask) * FAR, 1)
        even = mask / mask.sum(1, keepdim=True)
        best = near.max(2).values / 10
        return torch.cat(
            [
                (told * share[..., None]).sum(1),
                (told * even[..., None]).sum(1),
                (best * even).sum(1, keepdim=True),
                (best * share).sum(1, keepdim=True),
            ],
            1,
        )


class Descent:
    """Steps that grow for :data:`WARM_STEPS`, then shrink to the end; no gradient is longer than one."""

    def __init__(self, model: Alignment, rate: float) -> None:
        self._model, self._rate = model, rate
        self._optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.05)

    def take(self, loss: torch.Tensor, step: int, total: int) -> float:
        """Step number ``step`` of ``total`` down ``loss``, whose value it gives."""
        pace = min(1.0, (step + 1) / WARM_STEPS) * max(0.02, 1 - step / total)
        for group in self._optimiser.param_groups:
            group["lr"] = self._rate * pace
        self._optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimiser.step()
        return loss.item()


class Trainer:
    """One run over ``groups`` with the token states of all their texts at hand."""

    def __init__(self, model: Alignment, groups: Groups, encoder: OpenVinoEncoder, rate: float) -> None:
        self.model, self.groups = model, groups
        self._questions = half_states(encoder.read_queries, {a.text for a in groups.asked})
        self._passages = half_states(encoder.read_passages, {p for made in groups.passages.values() for p in made})
        self._descent = Descent(model, rate)

    def run(self, epochs: float) -> None:
        """Train for ``epochs``; prints loss and remaining minutes every 100 steps."""
        total = int(epochs * sum(a.often for a in self.groups.asked) / BATCH)
        started, losses, step = time.monotonic(), [], 0
        self.model.train()
        while step < total:
            for batch in self.groups.epoch(BATCH):
                losses.append(self._descent.take(self._loss(batch), step, total))
                step += 1
                if step % 100 == 0:
                    left = (time.monotonic() - started) / step * (total - step) / 60
                    print(f"step {step}/{total} loss {np.mean(losses[-100:]):.3f} left {left:.0f} min", flush=True)
                if step == total:
                    break
        self.model.eval()

    def _loss(self, batch: list[Any]) -> torch.Tensor:
        drawn = [(asked, *self.groups.group(asked)) for asked in batch]
        drawn = [row for row in drawn if row[1]]
        pairs = [
            (self._questions[asked.text], self._passages[self.groups.passage(code)])
            for asked, codes, _ in drawn
            for code in codes
        ]
        return group_loss(self._logits(pairs), [labels for _, _, labels in drawn])

    def _logits(self, pairs: list[tuple[States, States]]) -> torch.Tensor:
        parts = [pairs[start : start + PAIRS_AT_ONCE] for start in range(0, len(pairs), PAIRS_AT_ONCE)]
        return torch.cat([self.model(**together(part)) for part in parts])


def together(pairs: list[tuple[States, States]]) -> dict[str, torch.Tensor]:
    """The network's arguments for ``pairs`` of question and passage, each side padded to its longest."""
    made: dict[str, torch.Tensor] = {}
    for name, mask, texts in (
        ("question", "asked", [question[-LONGEST:] for question, _ in pairs]),
        ("passage", "told", [passage for _, passage in pairs]),
    ):
        states, real = padded(texts)
        made |= {name: torch.from_numpy(states), mask: torch.from_numpy(real)}
    return made


def group_loss(logits: torch.Tensor, labels: list[list[bool]]) -> torch.Tensor:
    """Mean cross-entropy of the groups whose logits stand one after another; none of a group is right at zero."""
    losses, start = [], 0
    for group in labels:
        own = torch.cat([logits[start : start + len(group)], torch.zeros(1)])
        start += len(group)
        right = torch.tensor([*group, not any(group)])
        losses.append(torch.logsumexp(own, 0) - torch.logsumexp(own[right], 0))
    return torch.stack(losses).mean()


def half_states(reads: Any, texts: set[str]) -> dict[str, States]:
    """Token states of ``texts`` as ``reads`` gives them, at half precision as they are many."""
    ordered = sorted(texts)
    states = [row for start in range(0, len(ordered), 512) for row in reads(ordered[start : start + 512])[1]]
    return {text: row.astype(np.float16) for text, row in zip(ordered, states, strict=True)}


def export(model: Alignment, encoder: OpenVinoEncoder, folder: Path, name: str) -> float:
    """Write ``model`` to ``folder``; the largest difference of a logit over probe pairs."""
    import openvino

    questions, passages = (
        ["身份证丢了怎么补", "那多少钱", "开个小饭馆要办啥证"],
        ["居民身份证补领；补身份证", "不动产首次登记"],
    )
    asked = encoder.read_queries(questions)[1]
    told = encoder.read_passages(passages)[1]
    probes = together([(question, passage) for question in asked for passage in told])
    model = model.eval()
    with torch.no_grad():
        expected = model(**probes).numpy().reshape(len(questions), -1)
    graph = openvino.convert_model(model, example_input=probes)
    width = probes["question"].shape[2]
    graph.reshape({name: [-1, -1, width] if tensor.ndim == 3 else [-1, -1] for name, tensor in probes.items()})
    folder.mkdir(parents=True, exist_ok=True)
    openvino.save_model(graph, folder / FILE, compress_to_fp16=True)
    about = {"name": name, "encoder": encoder.identity}
    (folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    reranker = Reranker(folder, encoder, threads=1)
    got = np.stack([reranker.logits(states, told) for states in asked])
    return float(np.abs(got - expected).max())


def main() -> None:
    """Command line: train on ``--questions`` and export to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guides", type=Path, required=True)
    parser.add_argument(
        "--questions", type=Path, required=True, help="folder with families.json and the question files"
    )
    parser.add_argument("--common", type=Path, required=True, help="folder of common matters")
    parser.add_argument("--city", type=Path, nargs="*", default=(), help="folders of guides.jsonl, questions.jsonl")
    parser.add_argument("--encoder", type=Path, required=True, help="exported encoder to go on from")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=float, default=4)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--negatives", type=int, default=3)
    parser.add_argument("--seed", type=int, default=2)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    split = json.loads((options.questions / "families.json").read_text(encoding="utf-8"))
    guides = [g for g in read(options.guides) if split[g["catalog_code"]] != "test"]
    encoder = OpenVinoEncoder(options.encoder)
    asked = mine(guides, {name: read(options.questions / f"{name}.jsonl") for name in QUESTIONS}, encoder)
    everywhere = city(options.common, sayings=SAYINGS, seed=options.seed)
    asked += mine_names(everywhere, encoder)
    guides += everywhere.guides
    for folder in options.city:
        theirs = read(folder / "guides.jsonl")
        questions = read(folder / "questions.jsonl")
        asked += mine(theirs, {"city": questions, "switched": [*switched(questions, options.seed)]}, encoder)
        guides += theirs
    model = Alignment(encoder.states_width)
    Trainer(model, Groups(guides, asked, options.negatives, options.seed), encoder, options.rate).run(options.epochs)
    drift = export(model, encoder, options.out, "wenban-reranker")
    if drift > TOLERANCE:
        raise SystemExit(f"the export drifted: a logit moved by {drift:.3f}")
    print(f"exported to {options.out}, no logit moved by more than {drift:.3f}")


if __name__ == "__main__":
    main()
