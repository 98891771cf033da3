"""Export a sentence-transformers model as one OpenVINO graph with int8 weights, pooled and normalised inside.

Weights are compressed to eight bits a channel; activations stay as they are (dynamic int8 was measured to cost
accuracy). The exported folder is checked against the original before it is kept.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

LOWEST_ALLOWED_COSINE = 0.98
"""Lowest cosine to the original that any probe text may show."""

PROBES = (
    "query: 身份证丢了怎么补",
    "query: 给刚出生的娃上户口要带什么",
    "query: 那多少钱",
    "passage: 居民身份证补领",
    "passage: 不动产首次登记",
    "passage: 申请人应当年满十八周岁，具有完全民事行为能力，在本市有固定住所或者合法稳定就业。",
)


class Pooled(torch.nn.Module):
    """Transformer, mean pooling over the mask, and normalisation, as one graph."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        hidden = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-6)
        return torch.nn.functional.normalize(pooled, dim=1)


def export(source: Path, folder: Path, *, name: str, max_length: int) -> float:
    """Write ``source`` to ``folder``; returns the lowest cosine to the original over the probe texts."""
    import nncf
    import openvino

    model = SentenceTransformer(str(source), device="cpu")
    transformer = model[0].auto_model.eval()
    transformer.config._attn_implementation = "eager"
    folder.mkdir(parents=True, exist_ok=True)
    example = {
        "input_ids": torch.ones(2, 7, dtype=torch.int64),
        "attention_mask": torch.ones(2, 7, dtype=torch.int64),
    }
    graph = openvino.convert_model(Pooled(transformer).eval(), example_input=example)
    graph.reshape({"input_ids": [-1, -1], "attention_mask": [-1, -1]})
    graph = nncf.compress_weights(graph, mode=nncf.CompressWeightsMode.INT8_ASYM)
    openvino.save_model(graph, folder / "openvino_model.xml", compress_to_fp16=True)
    with tempfile.TemporaryDirectory() as scratch:
        model.tokenizer.save_pretrained(scratch)
        shutil.copy(Path(scratch) / "tokenizer.json", folder / "tokenizer.json")
    about = {
        "name": name,
        "dimension": model.get_embedding_dimension(),
        "max_length": max_length,
        "pad_id": model.tokenizer.pad_token_id,
        "prompts": {"query": model.prompts.get("query", ""), "document": model.prompts.get("document", "")},
    }
    (folder / "encoder.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return _lowest_cosine(model, folder)


def _lowest_cosine(model: SentenceTransformer, folder: Path) -> float:
    from index.encoder import OpenVinoEncoder

    encoder = OpenVinoEncoder(folder)
    prompts = {"query: ": encoder.encode_queries, "passage: ": encoder.encode_passages}
    worst = 1.0
    for probe in PROBES:
        original = model.encode(probe, normalize_embeddings=True, show_progress_bar=False)
        prefix = next(p for p in prompts if probe.startswith(p))
        exported = prompts[prefix]([probe.removeprefix(prefix)])[0]
        worst = min(worst, float(np.dot(original, exported)))
    return worst


def main() -> None:
    """Command line: export ``--model`` to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--max-length", type=int, default=128)
    options = parser.parse_args()
    worst = export(options.model, options.out, name=options.name, max_length=options.max_length)
    if worst < LOWEST_ALLOWED_COSINE:
        raise SystemExit(f"the export drifted: lowest cosine {worst:.4f}")
    print(f"exported to {options.out}, lowest cosine to the original {worst:.4f}")


if __name__ == "__main__":
    main()
