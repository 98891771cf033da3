"""Build a complete index folder from documents, encoding only texts that no earlier build has seen.

The folder is written beside its final place and renamed when it is whole, so a full disk or a crash leaves nothing that
could be mistaken for an index.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index import negatives, states
from index import vectors as vector_index
from index.documents import CURATED, Document, TextKind, passage
from index.encoder import Encoder, digest
from index.errors import IndexCorrupt, IndexMissing
from index.features import KINDS
from index.lexical import Lexical, tokens
from index.normal import key
from index.pinyin import sound

FORMAT = 2
"""Raised when the files of an index folder change their meaning."""

Progress = Callable[[int, int], None]
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """What an index folder holds; stored as its ``index.json``."""

    format: int
    encoder: str
    dimension: int
    matters: int
    rows: int
    encoded: int


class VectorCache:
    """Vectors by encoder and text, in one SQLite file, half precision."""

    def __init__(self, path: Path, encoder: Encoder) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._encoder = encoder
        self._database = sqlite3.connect(path)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")

    def close(self) -> None:
        self._database.close()

    def encode(self, texts: Sequence[str], progress: Progress | None) -> tuple[NDArray[np.float16], int]:
        """Vectors of ``texts`` in order, and how many had to be encoded."""
        keys = [digest(self._encoder, text) for text in texts]
        found = np.empty((len(texts), self._encoder.dimension), np.float16)
        missing: dict[bytes, list[int]] = {}
        for place, own in enumerate(keys):
            row = self._database.execute("SELECT vector FROM vectors WHERE key = ?", (own,)).fetchone()
            if row:
                found[place] = np.frombuffer(row[0], np.float16)
            else:
                missing.setdefault(own, []).append(place)
        # texts of like length together: the encoder pads each group to its longest
        order = sorted(missing, key=lambda own: len(texts[missing[own][0]]))
        for start in range(0, len(order), _CHUNK):
            chunk = order[start : start + _CHUNK]
            fresh = self._encoder.encode_passages([texts[missing[own][0]] for own in chunk]).astype(np.float16)
            with self._database:
                self._database.executemany(
                    "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
                    [(own, vector.tobytes()) for own, vector in zip(chunk, fresh, strict=True)],
                )
            for own, vector in zip(chunk, fresh, strict=True):
                found[missing[own]] = vector
            if progress:
                progress(min(start + _CHUNK, len(order)), len(order))
        return found, len(order)


def build_index(
    documents: Sequence[Document],
    folder: Path,
    encoder: Encoder,
    *,
    cache: Path,
    earlier: Path | None = None,
    progress: Progress | None = None,
) -> IndexInfo:
    """Write the index of ``documents`` to ``folder`` (which must not exist) and say what it holds.

    ``cache`` is the file of vectors encoded before, ``earlier`` an index whose passages need not be read again;
    ``progress`` is told how many of the new texts are encoded, then of the passages too.
    An OSError (a full disk, say) leaves no folder behind.
    """
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        rows, encoded = _write_vectors(unfinished, documents, encoder, cache, progress)
        further = (lambda done, new: progress(encoded + done, encoded + new)) if progress else None
        states.save(unfinished, [_passage(document) for document in documents], encoder, earlier, further)
        _write_texts(unfinished, documents)
        _write_lexical(unfinished, documents)
        info = IndexInfo(FORMAT, encoder.identity, encoder.dimension, len(documents), rows, encoded)
        (unfinished / "index.json").write_text(json.dumps(asdict(info)), encoding="utf-8")
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return info


def _write_vectors(
    folder: Path, documents: Sequence[Document], encoder: Encoder, cache: Path, progress: Progress | None
) -> tuple[int, int]:
    """The vectors of all texts, whose they are and of which kind; how many texts there are, and how many were encoded.

    Nothing of them is held any longer than this: a large catalogue has some hundred megabytes.
    """
    texts = [text for document in documents for text in document.texts]
    refused = [(i, text) for i, document in enumerate(documents) for text in document.not_texts]
    not_texts = [text for _, text in refused]
    try:
        with closing(VectorCache(cache, encoder)) as store:
            every, encoded = store.encode([*(text.text for text in texts), *not_texts], progress)
    except sqlite3.OperationalError as error:
        raise OSError(f"{cache}: {error}") from error
    vectors, not_vectors = every[: len(texts)], every[len(texts) :]
    vector_index.save(vector_index.train(vectors), folder / "vectors.faiss")
    np.save(folder / "vectors.npy", vectors)  # the searcher maps this file and reads only what it considers
    np.save(folder / "owners.npy", _owners(documents))
    np.save(folder / "kinds.npy", np.array([KINDS.index(text.kind) for text in texts], np.int8))
    negatives.save(folder, [i for i, _ in refused], not_texts, not_vectors)
    return len(texts), encoded


def _owners(documents: Sequence[Document]) -> NDArray[np.int32]:
    """The place of the document of each text."""
    return np.repeat(np.arange(len(documents), dtype=np.int32), [len(document.texts) for document in documents])


def _passage(document: Document) -> str:
    return passage((text.kind, text.text) for text in document.texts)


def read_info(folder: Path) -> IndexInfo:
    """What the index in ``folder`` holds. Raises :class:`IndexMissing` or :class:`IndexCorrupt`."""
    try:
        info = IndexInfo(**json.loads((folder / "index.json").read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise IndexMissing(str(folder)) from error
    except (OSError, ValueError, TypeError) as error:
        raise IndexCorrupt(f"{folder}: {error}") from error
    if info.format != FORMAT:
        raise IndexCorrupt(f"{folder} has format {info.format}, this program reads {FORMAT}")
    return info


def _write_lexical(folder: Path, documents: Sequence[Document]) -> None:
    Lexical.build([token for text in d.texts for token in tokens(text.text)] for d in documents).save(
        folder / "lexical"
    )
    named = (TextKind.NAME, TextKind.ALIAS)
    sounds = ([pair for text in d.texts if text.kind in named for pair in sound(text.text)] for d in documents)
    Lexical.build(sounds).save(folder / "pinyin")


def _write_texts(folder: Path, documents: Sequence[Document]) -> None:
    """The texts in one file with offsets, the matters as lines, and the keys of curated texts sorted for bisection."""
    texts = [text for document in documents for text in document.texts]
    encoded = [text.text.encode() for text in texts]
    np.save(folder / "offsets.npy", np.cumsum([0, *map(len, encoded)], dtype=np.int64))
    (folder / "texts.bin").write_bytes(b"".join(encoded))
    with (folder / "matters.jsonl").open("w", encoding="utf-8") as file:
        for document in documents:
            span = [d.isoformat() if d else None for d in (document.valid_from, document.valid_to)]
            row = [document.code, document.name, document.department, document.family, *span]
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    owned = zip(texts, _owners(documents).tolist(), strict=True)
    curated = [(key(text.text), owner) for text, owner in owned if text.kind in CURATED]
    curated.sort()
    np.save(folder / "exact_keys.npy", np.array([k for k, _ in curated], np.uint64))
    np.save(folder / "exact_owners.npy", np.array([o for _, o in curated], np.int32))
