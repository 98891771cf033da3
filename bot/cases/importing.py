"""Importing a file of cases: the whole file judged first, then stored in one transaction, all or nothing.

What is kept between the two is already sealed: no personal data lie in clear in temporary files.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert

from bot.cases import repository
from bot.cases.form import CASES
from bot.cases.model import Case
from bot.cases.sealing import Columns
from bot.cases.tables import CaseRow
from bot.cases.writing import CaseWriter, refusal
from bot.clock import Clock
from bot.matters.faults import Fault, refused
from bot.matters.intake import take_in
from bot.store import Store, UnitOfWork
from bot.store.faults import explaining

FILE_SOURCE = "file"
"""The source of every imported file: files replace one another, and nobody else's cases."""

Progress = Callable[[str, int, int], None]


@dataclass
class CaseImportReport:
    """What an import did, or with ``dry_run`` would do."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    dry_run: bool = False
    notes: list[Fault] = field(default_factory=list)


class _DryRun(Exception):
    """Takes a transaction back after everything was tried."""


class CaseImporter:
    """Imports files of cases."""

    def __init__(self, store: Store, clock: Clock, writer: CaseWriter, folder: Path) -> None:
        """``folder``: where temporary files may lie."""
        self._store = store
        self._clock = clock
        self._writer = writer
        self._folder = folder

    def run(
        self,
        path: Path,
        *,
        replace: bool,
        dry_run: bool,
        actor: str,
        progress: Progress,
        source: str = FILE_SOURCE,
    ) -> CaseImportReport:
        """Stores every case of ``path``; with ``replace`` removes those of ``source`` that it does not hold.

        Raises InvalidInput with every fault in ``details``, StorageFull, Unavailable; then nothing is changed.
        """
        report = CaseImportReport(dry_run=dry_run)
        now = self._clock.now()
        with explaining(), closing(_Spool(self._folder)) as spool:

            def keep(case: Case) -> str | None:
                return spool.add(self._writer.sealer.columns(case), self._writer.concerns(case, now))

            report.notes = take_in(path, CASES, Case, keep, lambda done, total: progress("read", done, total))
            try:
                with self._store.write() as work:
                    self._store_all(work, spool, source, report, now, progress)
                    if replace:
                        gone = set(repository.numbers_of_source(work.session, source)) - spool.numbers
                        report.removed = repository.remove(work.session, gone)
                    counts = {"added": report.added, "changed": report.changed, "removed": report.removed}
                    work.audit(actor, "cases.import", path.name[:120], counts)
                    if dry_run:
                        raise _DryRun
            except _DryRun:
                pass
        return report

    def _store_all(
        self,
        work: UnitOfWork,
        spool: _Spool,
        source: str,
        report: CaseImportReport,
        now: datetime,
        progress: Progress,
    ) -> None:
        faults: list[Fault] = []
        done = 0
        for chunk in spool.chunks():
            there = repository.by_foldeds(work.session, [str(columns.values["folded"]) for columns, _ in chunk])
            fresh = []
            for columns, _ in chunk:
                row = there.get(columns.values["folded"])
                if row is None:
                    fresh.append(self._writer.fresh(columns, source, now))
                    continue
                reason = refusal(row, columns, source)
                if reason is not None:
                    faults.append(Fault(reason[1], field="number", label=CASES.code.header))
                elif not faults:
                    case = self._writer.sealer.case(_Unstored(columns))
                    taken = self._writer.replace(work, row, columns, case, now)
                    report.changed += taken == "changed"
                    report.unchanged += taken == "unchanged"
            if fresh and not faults:
                work.session.execute(insert(CaseRow), fresh)
                report.added += len(fresh)
                new = {str(values["folded"]) for values in fresh}
                self._tell_new(work, [columns for columns, concerns in chunk if concerns], new, now)
            work.session.flush()
            work.session.expunge_all()
            done += len(chunk)
            progress("store", done, len(spool.numbers))
        if faults:
            raise refused(faults)

    def _tell_new(self, work: UnitOfWork, concerning: Sequence[Columns], new: set[str], now: datetime) -> None:
        wanted = [str(columns.values["folded"]) for columns in concerning if columns.values["folded"] in new]
        for row in repository.by_foldeds(work.session, wanted).values():
            self._writer.tell(work, row.id, None, self._writer.sealer.case(row), now)


class _Unstored:
    """Columns read as a row is."""

    def __init__(self, columns: Columns) -> None:
        self.folded: str = columns.values["folded"]
        self.body = columns.values["body"]
        self.sealed: bytes = columns.values["sealed"]


class _Spool:
    """Columns of a file's cases in order, on disk, with whether each may concern somebody now."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed by close()
        self.numbers: set[str] = set()

    def add(self, columns: Columns, concerns: bool) -> str | None:
        """Keeps them; a reason where the number is there already in another spelling."""
        number = str(columns.values["folded"])
        if number in self.numbers:
            return f"编号 {columns.values['number']} 与前面的某一行只是写法不同"
        self.numbers.add(number)
        pickle.dump((columns.values, concerns), self._file)
        return None

    def chunks(self) -> Iterator[list[tuple[Columns, bool]]]:
        self._file.seek(0)
        chunk: list[tuple[Columns, bool]] = []
        for _ in range(len(self.numbers)):
            values, concerns = pickle.load(self._file)  # noqa: S301  (our own file, which nobody else can open)
            chunk.append((Columns(values), concerns))
            if len(chunk) == repository.CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def close(self) -> None:
        self._file.close()
