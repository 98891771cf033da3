"""The index in use: a small file names the current folder, and processes swap to it while they go on answering."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from index.encoder import Encoder
from index.errors import IndexMissing
from index.ranking import Ranker
from index.searcher import Searcher
from index.second import SecondLook

POINTER = "current"


def point(root: Path, name: str) -> None:
    """Make the folder ``name`` under ``root`` the current one; readers see the old name or the new, never half."""
    unfinished = root / f"{POINTER}.unfinished"
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(name)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(root / POINTER)


def pointed(root: Path) -> str | None:
    """The name of the current folder under ``root``, None when nothing is published."""
    try:
        return (root / POINTER).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


class SearcherHolder:
    """Gives every question the current searcher. :meth:`refresh` loads a new one beside the old and then swaps."""

    def __init__(
        self, root: Path, encoder: Encoder, ranker: Ranker | None = None, second: SecondLook | None = None
    ) -> None:
        self._root, self._encoder, self._ranker = root, encoder, ranker or Ranker.load()
        self._second = second
        self._lock = threading.Lock()
        self._name: str | None = None
        self._searcher: Searcher | None = None

    @property
    def name(self) -> str | None:
        """The name of the folder in use."""
        return self._name

    def current(self) -> Searcher:
        """The searcher in use; :class:`IndexMissing` when nothing was published yet."""
        if self._searcher is None:
            self.refresh()
        if self._searcher is None:
            raise IndexMissing(str(self._root))
        return self._searcher

    def refresh(self) -> bool:
        """Swap to what the pointer names; true when that changed. On an error the old searcher stays in use."""
        with self._lock:
            name = pointed(self._root)
            if name is None or name == self._name:
                return False
            searcher = Searcher.open(self._root / name, self._encoder, self._ranker, self._second)
            self._searcher, self._name = searcher, name
            return True
