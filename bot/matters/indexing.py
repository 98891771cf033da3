"""The catalogue's side of the search index: which folder belongs to a version, building it, pointing at it.

Folders lie under one root; a small file ``current`` in it names the folder that is searched and is replaced atomically.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bot.errors import ConfigurationError, Conflict, StorageFull
from bot.store.faults import explained, explaining
from index.builder import build_index
from index.documents import Document
from index.encoder import Encoder
from index.errors import EncoderUnavailable, IndexCorrupt, IndexMismatch, IndexMissing
from index.holder import POINTER, point, pointed
from index.searcher import Searcher

log = logging.getLogger(__name__)

CACHE = "vectors.cache"
_LOCK = ".publishing"
_KEPT = 2
"""Folders that stay: the one that is searched and the one before, which a slower process may still be reading."""

_TRIAL_SECONDS = 6 * 3600
"""Age from which a trial folder belongs to nobody any more."""


class IndexFolders:
    """The index folders under ``root``."""

    def __init__(self, root: Path, encoder_factory: Callable[[], Encoder]) -> None:
        self.root = root
        self._open_encoder = encoder_factory
        self._encoder: Encoder | None = None

    @property
    def encoder(self) -> Encoder:
        """The encoder, opened when first needed. Raises ConfigurationError where it cannot be."""
        if self._encoder is None:
            try:
                self._encoder = self._open_encoder()
            except EncoderUnavailable as error:
                raise ConfigurationError(
                    f"编码模型无法使用：{error}",
                    code="encoder_unavailable",
                    remedy="请检查 WENBAN_ENCODER 指向的模型；去掉这个设置就使用随软件附带的模型。",
                ) from error
        return self._encoder

    def name(self, label: str) -> str:
        """The folder of version ``label`` under the present encoder."""
        return f"{label}-{hashlib.sha256(self.encoder.identity.encode()).hexdigest()[:8]}"

    def build(self, label: str, documents: Sequence[Document], progress: Callable[[int, int], None]) -> str:
        """Builds the folder of ``label`` afresh and returns its name; on an error what was there stays.

        Raises StorageFull where the disk is full.
        """
        name = self.name(label)
        folder, made, before = (self.root / f"{name}{part}" for part in ("", ".made", ".before"))
        self.root.mkdir(parents=True, exist_ok=True)
        for left in (made, before):  # by a process that died
            shutil.rmtree(left, ignore_errors=True)
        with explaining():
            self._build(documents, made, progress, earlier=folder if folder.exists() else None)
        if folder.exists():
            folder.rename(before)
        made.rename(folder)
        shutil.rmtree(before, ignore_errors=True)
        return name

    @contextmanager
    def trial(self, documents: Sequence[Document], progress: Callable[[int, int], None]) -> Iterator[Path]:
        """A folder with the index of ``documents`` that nobody is pointed to; gone afterwards.

        Texts encoded for it are in the cache when they are published. Raises StorageFull.
        """
        root = self.root.with_name(f"{self.root.name}-trial")
        for left in root.glob("*"):  # by a process that died
            if time.time() - left.stat().st_mtime > _TRIAL_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
        self.root.mkdir(parents=True, exist_ok=True)
        root.mkdir(exist_ok=True)
        with explaining(), tempfile.TemporaryDirectory(dir=root) as folder:
            made = Path(folder) / "index"
            self._build(documents, made, progress)
            yield made

    def _build(
        self,
        documents: Sequence[Document],
        folder: Path,
        progress: Callable[[int, int], None],
        earlier: Path | None = None,
    ) -> None:
        """Into ``folder``, taking what is unchanged from ``earlier`` or else from what is searched."""
        current = self.pointed()
        earlier = earlier or (self.root / current if current else None)
        build_index(documents, folder, self.encoder, cache=self.root / CACHE, earlier=earlier, progress=progress)

    def pointed(self) -> str | None:
        """The name of the folder that is searched."""
        return pointed(self.root)

    def point(self, name: str | None) -> None:
        """Lets searches go to folder ``name`` from now on (None: to none)."""
        if name is None:
            (self.root / POINTER).unlink(missing_ok=True)
        else:
            point(self.root, name)

    def is_whole(self, name: str) -> bool:
        """Whether folder ``name`` can be searched with the present encoder."""
        try:
            Searcher.open(self.root / name, self.encoder)
        except (IndexMissing, IndexCorrupt, IndexMismatch):
            return False
        return True

    def remove(self, name: str) -> None:
        shutil.rmtree(self.root / name, ignore_errors=True)

    def tidy(self) -> None:
        """Removes all but the newest folders and the one pointed at."""
        folders = [path for path in self.root.iterdir() if path.is_dir()]
        folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        pointed = self.pointed()
        spare = [path for path in folders if path.name != pointed]
        for path in spare[_KEPT - 1 :]:
            shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Only one publication at a time on this machine; the lock dies with its process. Raises Conflict."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            file = (self.root / _LOCK).open("w")
        except OSError as error:
            shown = explained(error)
            if isinstance(shown, StorageFull):
                raise shown from error
            raise
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise publishing_already() from error
            yield


def publishing_already() -> Conflict:
    return Conflict("另一个导入正在进行。", code="import_running", remedy="请等它结束后再导入一次。")


def moved_on() -> Conflict:
    return Conflict("目录已经有了新的版本。", code="catalogue_moved_on", remedy="请按新的版本重新评测，再发布。")
