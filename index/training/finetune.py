"""Contrastive fine-tuning of the encoder on spoken questions, with sibling, mined and near-miss negatives.

A step takes a batch of questions. Each brings one text of its matter as the positive and one text of a matter it is
easily confused with (a sibling of its family, or one the starting model ranked high) as a negative; all other texts
of the batch are negatives too, except those of the same matter. A learned *nothing fits* score competes with the
texts: the right text has to beat it, and for near misses (questions that no guide answers) it has to win. Some
questions are joined with an earlier turn, as the searcher joins follow-ups.

Only families marked ``train`` are read; the word embeddings stay as they are, so that words never seen keep their
place.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer

from index.documents import TextKind, document
from index.normal import bare
from index.searcher import JOINER, LONGEST_TURN
from index.training.common import city
from index.training.files import read

SCALE = 20.0
NOTHING, NOTHING_FILE = 0.80, "nothing.txt"
"""Where the *nothing fits* score starts, and the file beside a model that says where it ended."""

LONGEST = 64
SAYINGS = 8
"""Sayings of a common matter that are learnt from, beside two that stand in its guide."""

FOLLOW_UPS = (
    "那多少钱",
    "要带什么",
    "几天能好",
    "去哪儿办",
    "网上能办吗",
    "要本人去吗",
    "电话多少",
    "那要什么材料",
    "收费不",
    "要多久",
    "在哪个窗口",
    "有什么条件",
    "我是替我妈办",
    "我户口在外地",
    "别人代办行不行",
    "周末上班吗",
    "那钱呢",
    "资料呢",
    "时间呢",
    "流程讲一下",
    "什么规定",
    "办好给个什么证",
    "归谁管",
    "老人走不动怎么弄",
    "那我这种情况呢",
    "能不能邮寄",
    "要跑几趟",
)
"""Short turns that only make sense after an earlier one; written for this file, used in no test."""


NARROWING = frozenset({"keep", "facet", "situation"})
"""Changes after which a follow-up is still about the matter of the turn before."""


class Corpus:
    """Training questions, the texts of every matter, and who is confusable with whom."""

    def __init__(
        self, guides: list[dict[str, Any]], questions: list[dict[str, Any]], misses: list[dict[str, Any]], seed: int
    ) -> None:
        self.random = random.Random(seed)
        self.guides, self.questions, self.misses = guides, questions, misses
        self.place = {g["code"]: i for i, g in enumerate(guides)}
        self._near_misses = [miss for miss in misses if self.near(miss)]
        self._far_misses = [miss for miss in misses if not self.near(miss)]
        documents = [document(g) for g in guides]
        self.names = [[t.text for t in d.texts if t.kind in (TextKind.NAME, TextKind.ALIAS)] for d in documents]
        self.texts = [[t.text for t in d.texts] for d in documents]
        self.asked: dict[str, list[str]] = defaultdict(list)
        for q in questions:
            self.asked[q["matter"]].append(q["text"])
        families: dict[str, list[int]] = defaultdict(list)
        for i, g in enumerate(guides):
            families[g.get("catalog_code") or g["code"]].append(i)
        self.siblings = [
            [j for j in families[g.get("catalog_code") or g["code"]] if j != i] for i, g in enumerate(guides)
        ]
        self.mined: dict[int, list[int]] = {}
        called: dict[str, set[str]] = defaultdict(set)
        for g in guides:
            for name in (g["name"], *(g.get("aliases") or ())):
                called[bare(name)].add(g["code"])
        self.twins: dict[str, set[str]] = defaultdict(set)
        for codes in called.values():
            for code in codes:
                self.twins[code] |= codes

    def mine(self, model: SentenceTransformer, depth: int = 8) -> None:
        """Remember, per question, the wrong matters the starting model ranks high."""
        owners = [i for i, texts in enumerate(self.texts) for _ in texts]
        encode = lambda texts, prompt: model.encode(  # noqa: E731
            texts, prompt_name=prompt, batch_size=64, convert_to_tensor=True, show_progress_bar=False
        )
        rows = encode([t for texts in self.texts for t in texts], "document")
        scores = encode([q["text"] for q in self.questions], "query") @ rows.T
        for j, best in enumerate(scores.topk(depth * 4).indices.tolist()):
            right = self.place[self.questions[j]["matter"]]
            fits = self.also_right(j) | {right}
            self.mined[j] = list(dict.fromkeys(owners[r] for r in best if owners[r] not in fits))[:depth]

    def also_right(self, j: int) -> set[int]:
        """Matters that question ``j`` fits as well, or that have a name in common; their texts are no negatives."""
        question = self.questions[j]
        fits = {question["matter"], *(question.get("matter_any") or ())}
        return {self.place[twin] for code in fits if code in self.place for twin in self.twins[code]}

    def positive(self, matter: int) -> str:
        """One text of ``matter``, a name or alias six times in ten."""
        return self.random.choice(self.names[matter] if self.random.random() < 0.6 else self.texts[matter])

    def negative(self, j: int, matter: int) -> int:
        """A matter easily confused with the right one of question ``j``."""
        siblings = [sibling for sibling in self.siblings[matter] if sibling not in self.also_right(j)]
        if siblings and self.random.random() < 0.5:
            return self.random.choice(siblings)
        return self.random.choice(self.mined.get(j) or siblings or [self.random.randrange(len(self.guides))])

    def query(self, j: int) -> str:
        """Question ``j``, one time in seven joined with an earlier turn, as a follow-up is searched."""
        question = self.questions[j]
        draw, text = self.random.random(), question["text"]
        if question.get("context"):
            earlier = question["context"][-1][-LONGEST_TURN:]
            named = question["name"] + JOINER if draw < 0.3 and question.get("change") in NARROWING else ""
            return named + earlier + JOINER + text
        if draw < 0.05:
            return text[:LONGEST_TURN] + JOINER + self.random.choice(FOLLOW_UPS)
        if draw < 0.07:
            return question["name"] + JOINER + self.random.choice(FOLLOW_UPS)
        siblings = self.siblings[self.place[question["matter"]]]
        if draw < 0.15 and siblings and len(text) < 24:
            earlier = self.guides[self.random.choice(siblings)]
            turn = self.random.choice([earlier["name"], *self.asked.get(earlier["code"], [])])
            return turn[:LONGEST_TURN] + JOINER + text
        return text

    def near(self, miss: dict[str, Any]) -> list[int]:
        """Matters that must not answer ``miss``, so far as they are named by their code."""
        return [self.place[code] for code in miss.get("near", ()) if code in self.place]

    def missed(self, count: int) -> list[dict[str, Any]]:
        """So many questions without an answer; half of them, at most, stand beside the matter they are not about."""
        beside = min(count // 2, len(self._near_misses))
        return self.random.sample(self._near_misses, beside) + self.random.sample(self._far_misses, count - beside)

    def batches(self, size: int) -> list[list[int]]:
        """Question numbers in batches that put siblings together in fours."""
        order = sorted(range(len(self.questions)), key=lambda j: (self.questions[j]["family"], self.random.random()))
        fours = [order[i : i + 4] for i in range(0, len(order), 4)]
        self.random.shuffle(fours)
        flat = [j for four in fours for j in four]
        return [flat[i : i + size] for i in range(0, len(flat) - size + 1, size)]


def _embed(model: SentenceTransformer, prefix: str, texts: list[str], group: int = 32) -> torch.Tensor:
    """Vectors of ``texts`` in their order, encoded in groups of like length.

    Padding would more than double the work.
    """
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    # a third less time than in 32 bits where the processor knows them, ten times as much where it does not
    with torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu.get_capabilities().get("avx512_bf16", False)):
        parts = [
            model(model.preprocess([prefix + texts[i] for i in order[start : start + group]]))["sentence_embedding"]
            for start in range(0, len(order), group)
        ]
    back = torch.empty(len(order), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(order))
    return torch.cat(parts).float()[back]


def finetune(
    model: SentenceTransformer, corpus: Corpus, *, epochs: int, batch: int, rate: float, misses: int, start: float
) -> float:
    """Train ``model`` in place; prints loss and remaining minutes every 20 steps.

    ``start`` is where the *nothing fits* score starts; where it ends is returned, for a later run to go on from.
    """
    model.max_seq_length = LONGEST
    nothing = torch.nn.Parameter(torch.tensor(start * SCALE))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("word_embeddings" not in name)
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(
        [{"params": weights, "weight_decay": 0.01}, {"params": [nothing], "lr": 2e-2}], lr=rate, fused=True
    )
    plan = [b for _ in range(epochs) for b in corpus.batches(batch)]
    warm = max(1, len(plan) // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda k: min(1.0, (k + 1) / warm) * max(0.02, (len(plan) - k) / len(plan))
    )
    model.train()
    started, losses = time.monotonic(), []
    for step, rows in enumerate(plan):
        right = [corpus.place[corpus.questions[j]["matter"]] for j in rows]
        wrong = [corpus.negative(j, m) for j, m in zip(rows, right, strict=True)]
        unanswerable = corpus.missed(misses)
        wrong += [matter for miss in unanswerable for matter in corpus.near(miss)]
        owners = torch.tensor(right + wrong)
        queries = _embed(model, "query: ", [corpus.query(j) for j in rows] + [miss["text"] for miss in unanswerable])
        texts = _embed(model, "passage: ", [corpus.positive(m) for m in right + wrong])
        scores = queries @ texts.T * SCALE
        target = torch.cat([torch.arange(len(rows)), torch.full((misses,), len(owners))])
        fits = [corpus.also_right(j) | {m} for j, m in zip(rows, right, strict=True)]
        same = torch.tensor([[owner in fit for owner in right + wrong] for fit in fits])
        same[torch.arange(len(rows)), torch.arange(len(rows))] = False
        same = torch.cat([same, torch.zeros(misses, len(owners), dtype=torch.bool)])
        scores = torch.cat([scores.masked_fill(same, -1e4), nothing.expand(len(scores), 1)], dim=1)
        loss = torch.nn.functional.cross_entropy(scores, target)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if step % 20 == 19:
            left = (time.monotonic() - started) / (step + 1) * (len(plan) - step - 1) / 60
            mean = sum(losses[-20:]) / 20
            print(
                f"step {step + 1}/{len(plan)} loss {mean:.3f} nothing {nothing.item() / SCALE:.3f} left {left:.0f} min",
                flush=True,
            )
    model.eval()
    return nothing.item() / SCALE


def main() -> None:
    """Command line: fine-tune ``--model`` on ``--corpus`` and save to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--guides", type=Path, required=True)
    parser.add_argument("--questions", type=Path, nargs="+", required=True, help="text, matter, family, context")
    parser.add_argument("--misses", type=Path, required=True, help="training near misses: text")
    parser.add_argument("--common", type=Path, help="folder of common matters, learnt from as another city")
    parser.add_argument("--tests", type=Path, nargs="*", default=(), help="question files no text of which is learnt")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=5e-5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    questions = [row for path in options.questions for row in read(path) if row["matter"]]
    matters = {q["matter"] for q in questions}
    families = {q["family"] for q in questions}
    guides = [g for g in read(options.guides) if g["code"] in matters or g.get("catalog_code") in families]
    misses = read(options.misses)
    if options.common:
        forbidden = frozenset(bare(row["text"]) for file in options.tests for row in read(file))
        everywhere = city(options.common, sayings=SAYINGS, typical=2, forbidden=forbidden, seed=options.seed)
        guides, questions = guides + everywhere.guides, questions + everywhere.questions
        misses += everywhere.misses
    names = {g["code"]: g["name"] for g in guides}
    for question in questions:
        question["name"] = names[question["matter"]]
    corpus = Corpus(guides, questions, misses, options.seed)
    model = SentenceTransformer(str(options.model), device="cpu")
    corpus.mine(model)
    kept = options.model / NOTHING_FILE
    nothing = finetune(
        model,
        corpus,
        epochs=options.epochs,
        batch=options.batch,
        rate=options.rate,
        misses=max(2, options.batch // 8),
        start=float(kept.read_text()) if kept.exists() else NOTHING,
    )
    model.save(str(options.out))
    (options.out / NOTHING_FILE).write_text(f"{nothing:.4f}\n")


if __name__ == "__main__":
    main()
