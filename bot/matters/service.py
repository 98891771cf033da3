"""What is done with matters: importing guides and powers, and looking them up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from bot.clock import Clock
from bot.errors import Conflict, InvalidInput
from bot.matters import repository
from bot.matters.additions import Addition, AdditionKind, by_code, merged
from bot.matters.amending import Amending
from bot.matters.form import GUIDES, POWERS
from bot.matters.indexing import IndexFolders
from bot.matters.intake import take_in
from bot.matters.model import Guide, Power, PublishedGuide, PublishedPower, in_force
from bot.matters.publishing import ImportReport, Progress, Publisher
from bot.matters.repository import Found, Kind
from bot.matters.spool import Spool
from bot.store import Store
from bot.store.faults import explaining
from index.encoder import Encoder

PAGE = 20
LARGEST_PAGE = 100

VERSION_SECONDS = 0.05
"""How long the current version's number is believed: one answer asks for it five times within a few milliseconds."""


@dataclass(frozen=True)
class MatterSummary:
    """A matter as lists show it."""

    code: str
    name: str
    department: str
    kind: str
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True)
class Page:
    """One page of a list; ``number`` counts from 1, ``total`` counts all pages' items."""

    items: list[MatterSummary]
    total: int
    number: int
    size: int


@dataclass(frozen=True)
class Counts:
    """How much the published catalogue holds; ``departments`` by number of guides, the largest first."""

    guides: int
    powers: int
    departments: Mapping[str, int]
    guides_version: str | None
    powers_version: str | None


@dataclass(frozen=True)
class KeptAddition:
    """An addition, who made it and when."""

    addition: Addition
    by: str
    at: datetime


@dataclass(frozen=True)
class Publication:
    """One version of the catalogue as it was published; ``kind`` is guides or powers."""

    kind: str
    label: str
    published_at: datetime
    published_by: str
    source: str
    size: int
    added: int
    changed: int
    retired: int


class MatterService:
    """The catalogue's use cases. Safe to use from several threads."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        index_folder: Path,
        encoder_factory: Callable[[], Encoder],
        believed_s: float = VERSION_SECONDS,
    ) -> None:
        """``encoder_factory`` is called when an index is first built; looking up never needs it.

        ``believed_s``: seconds for which the number of the current version is not asked for again.
        """
        self._believed = believed_s
        self._store = store
        self._clock = clock
        self._folders = IndexFolders(index_folder, encoder_factory)
        self._publisher = Publisher(store, clock, self._folders)
        # Contents never change under their hash, nor entries within a version, so both may be kept.
        self._entry = lru_cache(maxsize=16_384)(self._find)
        self._guide = lru_cache(maxsize=2_048)(lambda digest: Guide.model_validate_json(self._body(digest)))
        self._power = lru_cache(maxsize=2_048)(lambda digest: Power.model_validate_json(self._body(digest)))
        self._versions: dict[Kind, tuple[int | None, float]] = {}
        self.amending = Amending(
            store, clock, self._folders, self._publisher, self.get_as_of, self.guides, self._versions.clear
        )
        """Editors' changes to single guides."""

    def import_guides(
        self,
        path: Path,
        *,
        replace: bool = False,
        dry_run: bool = False,
        actor: str = "system",
        progress: Progress | None = None,
    ) -> ImportReport:
        """Validates the whole file, then publishes it as a new version; ``replace`` retires what it does not hold.

        Raises InvalidInput with every fault in ``details``, Conflict where another import runs, StorageFull,
        Unavailable; then nothing is changed.
        """
        return self._import(Kind.GUIDES, path, replace, dry_run, actor, progress)

    def import_powers(
        self,
        path: Path,
        *,
        replace: bool = False,
        dry_run: bool = False,
        actor: str = "system",
        progress: Progress | None = None,
    ) -> ImportReport:
        """The same for powers and responsibilities."""
        return self._import(Kind.POWERS, path, replace, dry_run, actor, progress)

    def reconcile(self, progress: Progress | None = None) -> bool:
        """At start: brings the index in step with the database. True where it had to be built anew."""
        try:
            with self._folders.lock():
                return self._publisher.reconcile(progress or _untold)
        except Conflict:
            return False  # a publication is running and will leave both in step

    def get(self, code: str, today: date) -> PublishedGuide | None:
        """The guide ``code``, where it is published and in force on ``today``."""
        found = self._current(Kind.GUIDES, code)
        if found is None or not in_force(found.valid_from, found.valid_to, today):
            return None
        return PublishedGuide(self._guide(found.digest), found.version, found.published_at)

    def get_any(self, code: str) -> PublishedGuide | None:
        """The guide ``code`` as published, in force or not."""
        found = self._current(Kind.GUIDES, code)
        return PublishedGuide(self._guide(found.digest), found.version, found.published_at) if found else None

    def get_as_of(self, code: str, version: str) -> PublishedGuide | None:
        """The guide ``code`` as it was in the catalogue's ``version``."""
        with self._store.read() as session:
            row = repository.version_named(session, Kind.GUIDES, version)
            digest = row and repository.digest_in(session, Kind.GUIDES, code, row)
        return PublishedGuide(self._guide(digest), row.label, row.published_at) if row and digest else None

    def get_power(self, code: str) -> PublishedPower | None:
        found = self._current(Kind.POWERS, code)
        return PublishedPower(self._power(found.digest), found.version, found.published_at) if found else None

    def search(
        self,
        q: str = "",
        department: str | None = None,
        kind: str | None = None,
        page: int = 1,
        *,
        size: int = PAGE,
        today: date | None = None,
    ) -> Page:
        """Guides whose name, aliases or code hold all words of ``q``; ``today``: only those in force then.

        Raises InvalidInput where page or size is out of range.
        """
        if page < 1 or page > 1_000_000 or not 1 <= size <= LARGEST_PAGE:
            raise InvalidInput(
                "页码或每页条数不对。",
                code="page_invalid",
                remedy=f"页码从 1 开始，每页 1 到 {LARGEST_PAGE} 条。",
            )
        offset = (page - 1) * size
        with self._store.read() as session:
            rows, total = repository.search(session, Kind.GUIDES, q, department, kind, today, offset, size)
        items = [
            MatterSummary(row.code, row.name, row.department, row.item_kind, row.valid_from, row.valid_to)
            for row in rows
        ]
        return Page(items, total, page, size)

    def additions(self, code: str) -> list[Addition]:
        """What editors added to the guide ``code``."""
        with self._store.read() as session:
            return repository.additions(session, [code])

    def recent_additions(self, most: int = 200) -> list[KeptAddition]:
        """What editors added to any guide, the latest first."""
        with self._store.read() as session:
            rows = repository.recent_additions(session, most)
        return [
            KeptAddition(Addition(row.code, AdditionKind(row.kind), row.text, row.answer), row.added_by, row.added_at)
            for row in rows
        ]

    def current_version(self, kind: Kind = Kind.GUIDES) -> str | None:
        """The label of the current version, None before the first import."""
        with self._store.read() as session:
            version = repository.current_version(session, kind)
        return version.label if version else None

    def history(self, most: int = 20) -> list[Publication]:
        """The versions of guides and powers published last, the newest first."""
        with self._store.read() as session:
            rows = [row for kind in Kind for row in repository.versions(session, kind)[:most]]
        found = [
            Publication(
                kind=row.kind,
                label=row.label,
                published_at=row.published_at,
                published_by=row.published_by,
                source=row.source,
                size=row.size,
                added=row.added,
                changed=row.changed,
                retired=row.retired,
            )
            for row in rows
        ]
        return sorted(found, key=lambda each: each.published_at, reverse=True)[:most]

    def counts(self) -> Counts:
        with self._store.read() as session:
            guides = repository.current_version(session, Kind.GUIDES)
            powers = repository.current_version(session, Kind.POWERS)
            return Counts(
                guides=repository.count(session, Kind.GUIDES),
                powers=repository.count(session, Kind.POWERS),
                departments=repository.departments(session, Kind.GUIDES),
                guides_version=guides.label if guides else None,
                powers_version=powers.label if powers else None,
            )

    def guides(self) -> Iterator[Guide]:
        """Every current guide, in the order they came."""
        for body in self._bodies(Kind.GUIDES):
            yield Guide.model_validate_json(body)

    def powers(self) -> Iterator[Power]:
        """Every current power, in the order they came."""
        for body in self._bodies(Kind.POWERS):
            yield Power.model_validate_json(body)

    def _bodies(self, kind: Kind) -> Iterator[str]:
        with self._store.read() as session:
            digests = repository.current_digests(session, kind)
        for chunk in repository.chunks(digests.values()):
            with self._store.read() as session:
                contents = repository.bodies(session, chunk)
            yield from (contents[digest] for digest in chunk)

    def _current(self, kind: Kind, code: str) -> Found | None:
        version = self._version(kind)
        return None if version is None else self._entry(kind, code, version)

    def _version(self, kind: Kind) -> int | None:
        """The number of the current version, as it was a moment ago; what this service has published is known."""
        version, read_at = self._versions.get(kind, (None, 0.0))
        begun = time.monotonic()
        if kind not in self._versions or begun - read_at >= self._believed:
            with self._store.read() as session:
                version = repository.version_id(session, kind)
            self._versions[kind] = version, begun
        return version

    def _find(self, kind: Kind, code: str, version: int) -> Found | None:
        with self._store.read() as session:
            return repository.find(session, kind, code, version)

    def _body(self, digest: str) -> str:
        with self._store.read() as session:
            return repository.body(session, digest)

    def _import(
        self, kind: Kind, path: Path, replace: bool, dry_run: bool, actor: str, progress: Progress | None
    ) -> ImportReport:
        told = progress or _untold

        def read(done: int, total: int) -> None:
            told("read", done, total)

        with self._folders.lock(), explaining(), closing(Spool(self._folders.root)) as spool:
            if kind is Kind.GUIDES:
                with self._store.read() as session:
                    additions = by_code(repository.additions(session))

                def keep(guide: Guide) -> None:
                    spool.add(merged(guide, additions.get(guide.code, ())))

                notes = take_in(path, GUIDES, Guide, keep, read)
            else:
                notes = take_in(path, POWERS, Power, spool.add, read)
            try:
                return self._publisher.publish(
                    kind,
                    spool,
                    replace=replace,
                    dry_run=dry_run,
                    source=path.name,
                    actor=actor,
                    notes=notes,
                    progress=told,
                )
            finally:
                self._versions.clear()


def _untold(_step: str, _done: int, _total: int) -> None:
    """For callers who do not want to know."""
