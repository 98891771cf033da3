"""An index folder as it is searched: its matters with their texts, vectors and words, and questions known by heart."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index import vectors as vector_index
from index.builder import read_info
from index.documents import TextKind
from index.encoder import Encoder, Vectors
from index.errors import IndexCorrupt, IndexMismatch
from index.features import KINDS
from index.lexical import Lexical, tokens
from index.negatives import Negatives
from index.normal import bare, key
from index.states import PassageStates

LAST_NAMING = KINDS.index(TextKind.ALIAS)
"""The texts of a matter up to this kind are its names."""


class StoredIndex:
    """What the folder holds. A matter is known by its place, a text by its row; the texts of a matter are in a run."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        """:class:`IndexMissing`, :class:`IndexCorrupt` or :class:`IndexMismatch` say why it cannot be searched."""
        self.info = read_info(folder)
        if self.info.encoder != encoder.identity:
            raise IndexMismatch(f"{folder} was built by {self.info.encoder}, the encoder is {encoder.identity}")
        try:
            matters = [json.loads(line) for line in (folder / "matters.jsonl").read_text(encoding="utf-8").splitlines()]
            self._owners = np.load(folder / "owners.npy")
            self._kinds = np.load(folder / "kinds.npy")
            self._offsets = np.load(folder / "offsets.npy")
            self._rows = np.load(folder / "vectors.npy", mmap_mode="r")
            self._texts = np.memmap(folder / "texts.bin", np.uint8, "r") if self._offsets[-1] else np.empty(0, np.uint8)
            self._exact_keys = np.load(folder / "exact_keys.npy")
            self._exact_owners = np.load(folder / "exact_owners.npy")
            self.states = PassageStates(folder)
        except (OSError, ValueError, EOFError) as error:
            raise IndexCorrupt(f"{folder}: {error}") from error
        self.codes = [m[0] for m in matters]
        self.names = [m[1] for m in matters]
        self.families = [m[3] for m in matters]
        self._from = np.array([m[4] or "0001-01-01" for m in matters], "datetime64[D]")
        self._to = np.array([m[5] or "9999-12-31" for m in matters], "datetime64[D]")
        self._place = {code: i for i, code in enumerate(self.codes)}
        self._starts = np.searchsorted(self._owners, np.arange(len(matters) + 1))
        self._vectors = vector_index.load(folder / "vectors.faiss")
        self.negatives = Negatives.load(folder, len(matters), self.info.dimension)
        self.lexical = Lexical.load(folder / "lexical", len(matters))
        self.pinyin = Lexical.load(folder / "pinyin", len(matters))
        rows = {len(self._owners), len(self._kinds), len(self._offsets) - 1, len(self._rows), self._vectors.ntotal}
        read = len(self.states) in (0, len(matters))
        if rows != {self.info.rows} or len(self._texts) != self._offsets[-1] or not read:
            raise IndexCorrupt(f"{folder}: its files do not belong together")
        self.naming = lru_cache(maxsize=4096)(self._read_naming)

    def __len__(self) -> int:
        return len(self.codes)

    def place(self, code: str | None) -> int | None:
        """The place of the matter ``code``; None where it is not in the index."""
        return self._place.get(code) if code else None

    def valid(self, today: date | None, without: Collection[str] = ()) -> NDArray[np.bool_]:
        """Which matters are in force on ``today`` (None: whenever) and not among ``without``."""
        if today is None:
            valid = np.ones(len(self), bool)
        else:
            day = np.datetime64(today)
            valid = (self._from <= day) & (day <= self._to)
        valid[[self._place[code] for code in without]] = False
        return valid

    def nearest(self, queries: Vectors, rows: int, hidden: Collection[int] = ()) -> list[list[int]]:
        """For each query the matters behind the ``rows`` nearest texts, each once and the nearest first.

        ``hidden``: rows that are looked over.
        """
        _, found = vector_index.nearest(self._vectors, queries, rows)
        if hidden:
            found = np.where(np.isin(found, list(hidden)), -1, found)
        return [list(dict.fromkeys(self._owners[near[near >= 0]].tolist())) for near in found]

    def exact(self, text: str, valid: NDArray[np.bool_]) -> list[int]:
        """The valid matters that have ``text`` among their curated texts and do not refuse it."""
        wanted = np.uint64(key(text))
        low, high = (np.searchsorted(self._exact_keys, wanted, side) for side in ("left", "right"))
        owners = {int(owner) for owner in self._exact_owners[low:high] if valid[owner]}
        return sorted(owner for owner in owners if not self.negatives.names(owner, wanted))

    def same_rows(self, text: str, matters: Sequence[int]) -> frozenset[int]:
        """Rows of ``matters`` whose text is ``text``."""
        plain = bare(text)
        return frozenset(row for matter in matters for row in self.rows(matter) if bare(self.text(row)) == plain)

    def rows(self, matter: int) -> range:
        """The rows of the matter's texts."""
        return range(int(self._starts[matter]), int(self._starts[matter + 1]))

    def owner(self, row: int) -> int:
        """The matter that the text in ``row`` is of."""
        return int(self._owners[row])

    def kinds(self, matter: int) -> NDArray[np.int8]:
        """The kind of each of the matter's texts, as a place in :data:`index.features.KINDS`."""
        rows = self.rows(matter)
        kinds: NDArray[np.int8] = self._kinds[rows.start : rows.stop]
        return kinds

    def vectors(self, matter: int) -> Vectors:
        """The vectors of the matter's texts."""
        rows = self.rows(matter)
        return np.asarray(self._rows[rows.start : rows.stop], np.float32)

    def text(self, row: int) -> str:
        """The text in ``row``."""
        return bytes(self._texts[self._offsets[row] : self._offsets[row + 1]]).decode()

    def tokens_without(self, matter: int, hidden: Collection[int]) -> frozenset[str]:
        """The tokens of the matter's texts, those in ``hidden`` rows looked over."""
        return frozenset(token for row in self.rows(matter) if row not in hidden for token in tokens(self.text(row)))

    def _read_naming(self, matter: int) -> tuple[frozenset[str], tuple[str, ...]]:
        """The tokens of the matter's name, and all its names plain."""
        kinds = self.kinds(matter)
        named = [self.text(row) for row, kind in zip(self.rows(matter), kinds, strict=True) if kind <= LAST_NAMING]
        return frozenset(tokens(named[0] if named else "")), tuple(map(bare, named))
