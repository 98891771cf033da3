"""Any sentence-transformers model as an :class:`index.encoder.Encoder`.

Needs torch, so it is imported only when asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from sentence_transformers import SentenceTransformer

from index.encoder import Vectors
from index.errors import EncoderUnavailable


class SentenceEncoder:
    """Serves where OpenVINO does not run, and tries other models. The prompts are those saved with the model."""

    def __init__(self, name: str, *, threads: int = 2) -> None:
        import torch

        torch.set_num_threads(threads)
        try:
            self._model = SentenceTransformer(name, device="cpu")
        except (OSError, ValueError) as error:
            raise EncoderUnavailable(f"{name}: {error}") from error
        self._model.eval()
        digest = hashlib.sha256()
        for key, tensor in sorted(self._model.state_dict().items()):
            digest.update(key.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        digest.update(repr(sorted(self._model.prompts.items())).encode())
        self._identity = f"sentence-transformers:{digest.hexdigest()[:16]}"

    @property
    def identity(self) -> str:
        return self._identity

    @property
    def dimension(self) -> int:
        return int(self._model.get_embedding_dimension() or 0)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, "query")

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, "document")

    def _encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        vectors = self._model.encode(
            list(texts),
            prompt_name=prompt if self._model.prompts.get(prompt) else None,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, np.float32)
