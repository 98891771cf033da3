"""Publishing a validated import as a new version: everything, or nothing at all.

1. compare with the current version; where nothing changes there is no new version;
2. stage the new contents in short transactions, so that citizens' turns are written in between; nothing refers to
   them yet;
3. build the index into a folder of its own;
4. in one transaction end and add the entries, move the head, leave the audit row and the message, move the index
   pointer.

Whatever fails before the end of step 4 is taken back. A crash in between leaves unreferenced contents and folders,
which ``reconcile`` clears away at the next start.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import orjson

from bot.clock import Clock
from bot.errors import WenbanError
from bot.matters import repository
from bot.matters.faults import Fault
from bot.matters.indexing import IndexFolders, moved_on, publishing_already
from bot.matters.repository import Kind, chunks
from bot.matters.spool import Entry, Spool
from bot.matters.tables import CatalogueVersion
from bot.store import Store, UnitOfWork
from index.documents import Document, document

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Told the step (read, store, index, publish) and how much of how much of it is done."""

Beside = Callable[[UnitOfWork, CatalogueVersion], None]
"""Writes what belongs to the new version, in the transaction that publishes it."""

STAGED = 200
"""Contents staged in one transaction: some milliseconds."""


@dataclass(frozen=True)
class ImportReport:
    """What an import did, or with ``dry_run`` would do. ``version`` is the current one afterwards."""

    kind: Kind
    version: str | None
    published: bool
    dry_run: bool
    total: int
    added: int
    changed: int
    unchanged: int
    retired: int
    notes: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class _Plan:
    added: list[Entry]
    changed: list[Entry]
    unchanged: int
    retired: list[str]
    target: dict[str, str]

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed or self.retired)


def _nothing(_work: UnitOfWork, _version: CatalogueVersion) -> None:
    """An import writes nothing beside the version."""


class Publisher:
    """Publishes versions of guides and powers and keeps index and database in step."""

    def __init__(self, store: Store, clock: Clock, folders: IndexFolders) -> None:
        self._store = store
        self._clock = clock
        self._folders = folders

    def publish(
        self,
        kind: Kind,
        spool: Spool,
        *,
        replace: bool,
        dry_run: bool,
        source: str,
        actor: str,
        notes: list[Fault],
        progress: Progress,
        base_label: str | None = None,
        beside: Beside = _nothing,
    ) -> ImportReport:
        """Publishes what ``spool`` holds. Raises Conflict where another publication runs, StorageFull, Unavailable.

        ``base_label``: only where that version is the current one, else Conflict. ``beside`` writes in the transaction
        that publishes; what it raises takes everything back.
        """
        with self._store.read() as session:
            base = repository.current_version(session, kind)
            if base_label is not None and (base is None or base.label != base_label):
                raise moved_on()
            plan = _plan(repository.current_digests(session, kind), spool.entries, replace)
        label = base.label if base else None
        report = ImportReport(
            kind=kind,
            version=label,
            published=False,
            dry_run=dry_run,
            total=len(spool.entries),
            added=len(plan.added),
            changed=len(plan.changed),
            unchanged=plan.unchanged,
            retired=len(plan.retired),
            notes=notes,
        )
        if dry_run or plan.is_empty:
            return report
        fresh = self._publish(kind, base, plan, spool, source, actor, progress, beside)
        return ImportReport(**{**vars(report), "version": fresh, "published": True})

    def _publish(
        self,
        kind: Kind,
        base: CatalogueVersion | None,
        plan: _Plan,
        spool: Spool,
        source: str,
        actor: str,
        progress: Progress,
        beside: Beside,
    ) -> str:
        label = self._next_label(kind)
        before = self._folders.pointed() if kind is Kind.GUIDES else None
        built: str | None = None
        try:
            self._stage(plan, spool, progress)
            if kind is Kind.GUIDES:
                documents = list(self._documents(plan.target.values()))
                built = self._folders.build(label, documents, lambda done, total: progress("index", done, total))
            self._flip(kind, base, plan, label, source, actor, built, progress, beside)
        except BaseException:
            self._take_back(built, before)
            raise
        log.info("published %s %s: %d added, %d changed", kind, label, len(plan.added), len(plan.changed))
        if built:
            self._folders.tidy()
        return label

    def _next_label(self, kind: Kind) -> str:
        day = f"{self._clock.now():%Y%m%d}."
        with self._store.read() as session:
            return f"{day}{repository.labels_like(session, kind, day) + 1}"

    def _stage(self, plan: _Plan, spool: Spool, progress: Progress) -> None:
        digests = {entry.digest: None for entry in (*plan.added, *plan.changed)}
        with self._store.read() as session:
            missing = repository.missing_contents(session, digests)
        done = 0
        for chunk in chunks((digest for digest in digests if digest in missing), STAGED):
            with self._store.write() as work:
                repository.add_contents(work.session, spool.bodies(chunk))
            done += len(chunk)
            progress("store", done, len(missing))

    def _documents(self, digests: Iterable[str]) -> Iterator[Document]:
        for chunk in chunks(digests):
            with self._store.read() as session:
                contents = repository.bodies(session, chunk)
            for digest in chunk:
                yield document(orjson.loads(contents[digest]))

    def _flip(
        self,
        kind: Kind,
        base: CatalogueVersion | None,
        plan: _Plan,
        label: str,
        source: str,
        actor: str,
        built: str | None,
        progress: Progress,
        beside: Beside,
    ) -> None:
        progress("publish", 0, 1)
        with self._store.write() as work:
            head = repository.head(work.session, kind, lock=True)
            if head.version_id != (base.id if base else None):
                raise publishing_already()  # by another machine, meanwhile
            counts = {"added": len(plan.added), "changed": len(plan.changed), "retired": len(plan.retired)}
            version = CatalogueVersion(
                kind=kind.value,
                label=label,
                published_at=self._clock.now(),
                published_by=actor,
                source=source[-255:],
                size=len(plan.target),
                **counts,
            )
            work.session.add(version)
            work.session.flush()
            ended = [*(entry.code for entry in plan.changed), *plan.retired]
            repository.end_entries(work.session, kind, ended, version.id)
            repository.add_entries(work.session, kind, (*plan.changed, *plan.added), version.id)
            head.version_id = version.id
            beside(work, version)
            work.emit("catalogue.published", f"{kind}:{label}", {"kind": kind, "version": label, **counts})
            work.audit(actor, "catalogue.publish", f"{kind}:{label}", {"source": source, **counts})
            if built:
                work.session.flush()
                self._folders.point(built)  # last of all: what may still fail is the commit, and then it is moved back
        progress("publish", 1, 1)

    def _take_back(self, built: str | None, before: str | None) -> None:
        try:
            if built:
                if self._folders.pointed() == built:
                    self._folders.point(before)
                self._folders.remove(built)
            with self._store.write() as work:
                repository.sweep_contents(work.session)
        except (WenbanError, OSError):
            # on a full disk even tidying may fail; what is left is unreferenced and goes with the next publication
            log.exception("could not clear away a failed publication")

    def reconcile(self, progress: Progress) -> bool:
        """Brings the index in step with the database; True where it had to be built anew (missing, other encoder)."""
        with self._store.write() as work:
            repository.sweep_contents(work.session)
        with self._store.read() as session:
            version = repository.current_version(session, Kind.GUIDES)
            digests = list(repository.current_digests(session, Kind.GUIDES).values())
        if version is None:
            return False
        name = self._folders.name(version.label)
        if self._folders.is_whole(name):
            if self._folders.pointed() != name:
                self._folders.point(name)
            return False
        log.warning("the index of catalogue %s is missing, damaged or of another encoder: building it", version.label)
        built = self._folders.build(
            version.label, list(self._documents(digests)), lambda done, total: progress("index", done, total)
        )
        self._folders.point(built)
        self._folders.tidy()
        return True


def _plan(current: dict[str, str], entries: dict[str, Entry], replace: bool) -> _Plan:
    added = [entry for code, entry in entries.items() if code not in current]
    changed = [entry for code, entry in entries.items() if current.get(code, entry.digest) != entry.digest]
    retired = [code for code in current if code not in entries] if replace else []
    target = {code: digest for code, digest in current.items() if not replace or code in entries}
    target |= {code: entry.digest for code, entry in entries.items()}
    return _Plan(added, changed, len(entries) - len(added) - len(changed), retired, target)
