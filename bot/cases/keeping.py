"""Use cases of offices: writing cases one by one, from a file or a feed; removing and sealing anew by time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from bot.cases import repository
from bot.cases.importing import FILE_SOURCE, CaseImporter, CaseImportReport, Progress
from bot.cases.locks import FORGOTTEN_AFTER
from bot.cases.model import Case
from bot.cases.numbers import folded
from bot.cases.tables import CaseFeedRow
from bot.cases.writing import CaseWriter, Taken
from bot.clock import Clock
from bot.errors import Conflict
from bot.settings import Settings
from bot.store import Store

log = structlog.get_logger("wenban.cases")

RETENTION_BATCH = 500
MOST_TROUBLE = 50
"""Rows of a feed that were not taken, as many as are written down."""


class CaseKeeper:
    """Keeps the cases. Safe to use from several threads."""

    def __init__(self, store: Store, clock: Clock, writer: CaseWriter, settings: Settings) -> None:
        self._store = store
        self._clock = clock
        self._writer = writer
        self._sealer = writer.sealer
        self._retention = timedelta(days=settings.case_retention_days)
        self._importer = CaseImporter(store, clock, writer, settings.home / "tmp")

    def put(self, case: Case, source: str, *, actor: str) -> Taken:
        """Stores the present state of one case. Raises Conflict (another source, an older version)."""
        with self._store.write() as work:
            taken = self._writer.put(work, case, source, self._clock.now())
            work.audit(actor, "case.put", f"case:{folded(case.number)}", {"taken": taken, "source": source})
            return taken

    def put_many(self, cases: Sequence[Case], source: str) -> Mapping[str, str]:
        """Stores what a feed brought, each in a transaction of its own: number → why it was not taken."""
        refused: dict[str, str] = {}
        for case in cases:
            try:
                with self._store.write() as work:
                    taken = self._writer.put(work, case, source, self._clock.now())
                    if taken != "unchanged":
                        work.audit(f"feed:{source}"[:80], "case.put", f"case:{folded(case.number)}", {"taken": taken})
            except Conflict as conflict:
                if conflict.code != "case_older":  # a feed reads with an overlap, so that it meets older rows
                    refused[case.number] = conflict.message
                    log.warning("case_not_taken", source=source, code=conflict.code)
        return refused

    def import_file(
        self,
        path: Path,
        *,
        replace: bool = False,
        dry_run: bool = False,
        actor: str,
        progress: Progress,
        source: str = FILE_SOURCE,
    ) -> CaseImportReport:
        """Imports a whole file, all or nothing; see :class:`CaseImporter`."""
        return self._importer.run(path, replace=replace, dry_run=dry_run, actor=actor, progress=progress, source=source)

    def count(self, source: str | None = None) -> int:
        """How many cases there are, of ``source`` where one is given."""
        with self._store.read() as session:
            return repository.count(session, source)

    # -- feeds -----------------------------------------------------------------------------------------------------

    def cursor(self, source: str) -> datetime | None:
        """The latest ``updated_at`` that was read of a feed."""
        with self._store.read() as session:
            row = repository.feed(session, source)
            return row.cursor if row else None

    def record_reading(self, source: str, cursor: datetime | None, taken: int, trouble: Mapping[str, str]) -> None:
        """Writes down how far a feed was read and what of it was not taken."""
        with self._store.write() as work:
            row = repository.feed(work.session, source)
            if row is None:
                row = CaseFeedRow(source=source)
                work.session.add(row)
            row.cursor, row.read_at, row.taken = cursor or row.cursor, self._clock.now(), taken
            row.trouble = [
                {"number": number, "reason": reason} for number, reason in list(trouble.items())[:MOST_TROUBLE]
            ]

    def feeds(self) -> list[Mapping[str, object]]:
        """Every feed: source, when it was read last, how many rows, and what of them was not taken."""
        with self._store.read() as session:
            return [
                {"source": row.source, "read_at": row.read_at, "taken": row.taken, "trouble": row.trouble}
                for row in repository.feeds(session)
            ]

    # -- by time ---------------------------------------------------------------------------------------------------

    def tidy(self) -> int:
        """Removes cases closed longer ago than they are kept, and counts that no longer count; how many cases."""
        now = self._clock.now()
        removed = 0
        with self._store.write() as work:
            repository.remove_attempts_before(work.session, now - FORGOTTEN_AFTER * 24)
        while self._retention:
            with self._store.write() as work:
                rows = repository.finished_before(work.session, now - self._retention, RETENTION_BATCH)
                if not rows:
                    break
                removed += repository.remove(work.session, [row.folded for row in rows])
                work.audit("system", "cases.retention", "cases", {"removed": len(rows)})
        return removed

    def reseal(self) -> int:
        """Seals anew, with the present key, what an earlier key sealed; how many cases."""
        resealed, after = 0, 0
        while True:
            with self._store.write() as work:
                rows = repository.not_sealed_with(work.session, after, RETENTION_BATCH)
                if not rows:
                    return resealed
                after = rows[-1].id
                for row in rows:
                    if not self._sealer.is_current(row):
                        for name, value in self._sealer.columns(self._sealer.case(row)).values.items():
                            setattr(row, name, value)
                        resealed += 1
