"""Changing single guides: what editors add to or take back from them, tried out first and published like an import."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot.clock import Clock
from bot.errors import Conflict, NotFound
from bot.matters import repository
from bot.matters.additions import Addition, by_code, merged, without
from bot.matters.indexing import IndexFolders, moved_on
from bot.matters.model import Guide, PublishedGuide
from bot.matters.publishing import Beside, Progress, Publisher
from bot.matters.repository import Kind
from bot.matters.spool import Spool
from bot.matters.tables import CatalogueVersion
from bot.store import Store, UnitOfWork
from bot.store.faults import explaining
from index.documents import Document, document


@dataclass(frozen=True)
class Amendment:
    """Additions to be made, and earlier ones to be taken back. ``base``: the version it was made for."""

    base: str
    added: Sequence[Addition]
    withdrawn: Sequence[Addition] = ()

    @property
    def codes(self) -> list[str]:
        """The guides it changes."""
        return list(dict.fromkeys(each.code for each in (*self.withdrawn, *self.added)))


@dataclass(frozen=True)
class Trial:
    """The catalogue as it would be: its index, and the guides that would be different."""

    index: Path
    guides: Mapping[str, PublishedGuide]

    def get(self, code: str, today: date) -> PublishedGuide | None:
        """One of those guides, where it is in force; None for every other."""
        published = self.guides.get(code)
        return published if published is not None and published.guide.is_valid_on(today) else None


class Amending:
    """Tries amendments out and publishes them. Safe to use from several threads."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        folders: IndexFolders,
        publisher: Publisher,
        get: Callable[[str, str], PublishedGuide | None],
        guides: Callable[[], Iterator[Guide]],
        published: Callable[[], None],
    ) -> None:
        """``get`` gives a guide as it was in a version, ``guides`` all that are current; ``published`` is told."""
        self._store = store
        self._clock = clock
        self._folders = folders
        self._publisher = publisher
        self._get = get
        self._guides = guides
        self._published = published

    def amended(self, amendment: Amendment) -> dict[str, PublishedGuide]:
        """The guides that would be different, as they would be. Raises NotFound where one is not published."""
        added, withdrawn = by_code(amendment.added), by_code(amendment.withdrawn)
        found = {}
        for code in amendment.codes:
            published = self._get(code, amendment.base)
            if published is None:
                raise NotFound(
                    f"目录里没有编码为 {code} 的事项了。", code="guide_not_found", remedy="请从草稿里去掉这一条。"
                )
            guide = merged(without(published.guide, withdrawn.get(code, ())), added.get(code, ()))
            found[code] = PublishedGuide(guide, published.catalogue_version, published.published_at)
        return found

    @contextmanager
    def trial(self, amendment: Amendment, progress: Callable[[int, int], None]) -> Iterator[Trial]:
        """The catalogue with ``amendment``, to be searched and thrown away. Raises Conflict, NotFound, StorageFull."""
        with self._store.read() as session:
            current = repository.current_version(session, Kind.GUIDES)
        if current is None or current.label != amendment.base:
            raise moved_on()
        changed = self.amended(amendment)
        with self._folders.trial(list(self._documents(changed)), progress) as folder:
            yield Trial(folder, changed)

    def _documents(self, changed: Mapping[str, PublishedGuide]) -> Iterator[Document]:
        for guide in self._guides():
            published = changed.get(guide.code)
            yield document((published.guide if published else guide).model_dump(mode="json"))

    def publish(self, amendment: Amendment, *, source: str, actor: str, progress: Progress, beside: Beside) -> str:
        """Publishes ``amendment`` as a new version and keeps the additions; its label.

        ``beside`` writes in the same transaction. Raises Conflict where the catalogue moved on, another publication
        runs or nothing would change; NotFound, StorageFull, Unavailable. Then nothing is changed.
        """

        def keep(work: UnitOfWork, version: CatalogueVersion) -> None:
            for addition in amendment.withdrawn:
                repository.drop_addition(work.session, addition)
            for addition in amendment.added:
                repository.keep_addition(work.session, addition, version.id, actor, self._clock.now())
            beside(work, version)

        with self._folders.lock(), explaining(), closing(Spool(self._folders.root)) as spool:
            for published in self.amended(amendment).values():
                spool.add(published.guide)
            try:
                report = self._publisher.publish(
                    Kind.GUIDES,
                    spool,
                    replace=False,
                    dry_run=False,
                    source=source,
                    actor=actor,
                    notes=[],
                    progress=progress,
                    base_label=amendment.base,
                    beside=keep,
                )
            finally:
                self._published()
        if not report.published or report.version is None:
            raise Conflict("这些改动目录里都已经有了。", code="nothing_to_publish", remedy="请从草稿里去掉它们。")
        return report.version
