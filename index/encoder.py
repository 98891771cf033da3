"""Texts to vectors: the protocol, and the encoder that ships with the product.

An encoder is a folder. One with ``openvino_model.xml`` is run by OpenVINO and needs neither torch nor transformers:
this is what serves. Any other folder or hub name is a sentence-transformers model and is opened by
:mod:`index.sentence_encoder`, which imports torch. Vectors are float32 of length one, so a dot product is a cosine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from index.errors import EncoderUnavailable
from index.graph import Graph

SHIPPED = Path(__file__).parent / "models" / "encoder"
"""The fine-tuned encoder that is part of the product."""

Vectors = NDArray[np.float32]

States = NDArray[np.float32]
"""What the encoder knows of each token of one text, part of the way through: tokens x width."""

STATES_AFTER = (10,)
"""Layers after which token states are taken, for a reranker to read."""

_STATES = [f"__module.transformer.encoder.layer.{n - 1}.output.LayerNorm/aten::layer_norm/Add" for n in STATES_AFTER]


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


@runtime_checkable
class TokenEncoder(Encoder, Protocol):
    """An encoder that also hands out the states of the tokens, which a reranker reads."""

    def read_queries(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        """Vectors of what people ask, and the token states of each text."""
        ...

    def read_passages(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        """Vectors of what is searched, and the token states of each text."""
        ...


def digest(encoder: Encoder, text: str) -> bytes:
    """Sixteen bytes that stand for ``text`` as ``encoder`` reads it."""
    return hashlib.sha256(f"{encoder.identity}\n{text}".encode()).digest()[:16]


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
            from tokenizers import Tokenizer

            about = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
            self._prompts: dict[str, str] = about["prompts"]
            self._dimension = int(about["dimension"])
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._tokenizer.enable_truncation(int(about["max_length"]))
            self._tokenizer.enable_padding(pad_id=int(about["pad_id"]), pad_token="<pad>")  # noqa: S106  a token of text
            self._graph = Graph(folder, threads=threads, wanted=_STATES)
            self._threads = threads
            digest = hashlib.sha256((folder / "openvino_model.bin").read_bytes())
        except (OSError, KeyError, ValueError, RuntimeError, ImportError) as error:
            raise EncoderUnavailable(f"{folder}: {error}") from error
        digest.update((folder / "tokenizer.json").read_bytes())
        digest.update(json.dumps(about, sort_keys=True).encode())
        self._identity = f"{about['name']}:{digest.hexdigest()[:16]}"

    @property
    def identity(self) -> str:
        return self._identity

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def states_width(self) -> int:
        """Numbers a token's state has; 0 when the graph does not hand states out."""
        return self._dimension * self._graph.inside

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(self._prompts["query"], texts)[0]

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(self._prompts["document"], texts)[0]

    def read_queries(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        return self._encode(self._prompts["query"], texts, states=True)

    def read_passages(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        return self._encode(self._prompts["document"], texts, states=True)

    def _encode(self, prompt: str, texts: Sequence[str], *, states: bool = False) -> tuple[Vectors, list[States]]:
        vectors = np.empty((len(texts), self._dimension), np.float32)
        kept: list[States] = [np.empty((0, self.states_width), np.float32)] * len(texts)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))

        def encode(rows: Sequence[int]) -> None:
            encodings = self._tokenizer.encode_batch([prompt + texts[i] for i in rows])
            inputs = {
                "input_ids": np.array([e.ids for e in encodings], np.int64),
                "attention_mask": np.array([e.attention_mask for e in encodings], np.int64),
            }
            answer = self._graph.infer(inputs)
            vectors[rows] = answer[0]
            if states and len(answer) > 1:
                for place, (i, encoding) in enumerate(zip(rows, encodings, strict=True)):
                    length = sum(encoding.attention_mask)
                    kept[i] = np.concatenate([layer[place, :length] for layer in answer[1:]], axis=1)

        groups = [order[start : start + self.group] for start in range(0, len(order), self.group)]
        if len(groups) > 1 and self._threads > 1:
            with ThreadPoolExecutor(self._threads) as several:
                list(several.map(encode, groups))
        else:
            for rows in groups:
                encode(rows)
        return vectors, kept
