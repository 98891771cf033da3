"""Texts to vectors: the protocol, and the encoder that ships with the product.

An encoder is a folder. One with ``openvino_model.xml`` is run by OpenVINO and needs neither torch nor transformers:
this is what serves. Any other folder or hub name is a sentence-transformers model and is opened by
:mod:`index.sentence_encoder`, which imports torch. Vectors are float32 of length one, so a dot product is a cosine.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from index.errors import EncoderUnavailable

SHIPPED = Path(__file__).parent / "models" / "encoder"
"""The fine-tuned encoder that is part of the product."""

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Turns questions and passages into vectors of one space."""

    @property
    def identity(self) -> str:
        """Names model and settings; vectors of different identities must not be mixed."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of what people ask, one row a text."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of what is searched, one row a text."""
        ...


def open_encoder(name: str | None = None, *, threads: int = 2) -> Encoder:
    """The encoder ``name`` (a folder or a hub name), by default the shipped one.

    :class:`EncoderUnavailable` says why not.
    """
    folder = Path(name) if name else SHIPPED
    if (folder / "openvino_model.xml").exists():
        return OpenVinoEncoder(folder, threads=threads)
    if not name:
        raise EncoderUnavailable(f"no encoder in {folder}")
    try:
        from index.sentence_encoder import SentenceEncoder
    except ImportError as error:
        raise EncoderUnavailable(f"{name} needs the package sentence-transformers: {error}") from error
    return SentenceEncoder(name, threads=threads)


class OpenVinoEncoder:
    """The int8-weight export, pooled and normalised inside its graph. Safe to use from several threads."""

    group = 32
    """Texts encoded at once; they are sorted by length first, since padding is wasted work."""

    def __init__(self, folder: Path, *, threads: int = 2) -> None:
        try:
            import openvino
            from tokenizers import Tokenizer

            about = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
            self._prompts: dict[str, str] = about["prompts"]
            self._dimension = int(about["dimension"])
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._tokenizer.enable_truncation(int(about["max_length"]))
            self._tokenizer.enable_padding(pad_id=int(about["pad_id"]), pad_token="<pad>")  # noqa: S106  a token of text
            core = openvino.Core()
            self._model = core.compile_model(
                core.read_model(folder / "openvino_model.xml"),
                "CPU",
                {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1},
            )
            digest = hashlib.sha256((folder / "openvino_model.bin").read_bytes())
        except (OSError, KeyError, ValueError, RuntimeError, ImportError) as error:
            raise EncoderUnavailable(f"{folder}: {error}") from error
        digest.update((folder / "tokenizer.json").read_bytes())
        digest.update(json.dumps(about, sort_keys=True).encode())
        self._identity = f"{about['name']}:{digest.hexdigest()[:16]}"
        self._own = threading.local()

    @property
    def identity(self) -> str:
        return self._identity

    @property
    def dimension(self) -> int:
        return self._dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(self._prompts["query"], texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(self._prompts["document"], texts)

    def _encode(self, prompt: str, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self._dimension), np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        request = self._request()
        for start in range(0, len(order), self.group):
            rows = order[start : start + self.group]
            encodings = self._tokenizer.encode_batch([prompt + texts[i] for i in rows])
            inputs = {
                "input_ids": np.array([e.ids for e in encodings], np.int64),
                "attention_mask": np.array([e.attention_mask for e in encodings], np.int64),
            }
            vectors[rows] = request.infer(inputs)[0]
        return vectors

    def _request(self) -> Any:
        """This thread's inference request; requests must not be shared between threads."""
        request = getattr(self._own, "request", None)
        if request is None:
            request = self._own.request = self._model.create_infer_request()
        return request
