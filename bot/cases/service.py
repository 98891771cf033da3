"""Use cases of citizens: asking for a case, being linked to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.cases import repository
from bot.cases.changes import changes
from bot.cases.locks import Count, Scope, after_failure, locks
from bot.cases.model import Case
from bot.cases.numbers import folded, plain_number
from bot.cases.ports import MatterLimits
from bot.cases.progress import Progress as CaseProgress
from bot.cases.progress import finished_at, progress
from bot.cases.tables import CaseRow
from bot.cases.writing import CaseWriter
from bot.clock import Clock
from bot.errors import NotFound, TooManyRequests
from bot.judgements.model import ANSWERABLE_FOR
from bot.settings import Settings
from bot.store import Store, UnitOfWork
from bot.workdays import WorkCalendar

SHOWN_AGAIN = timedelta(minutes=30)
"""How long a conversation in which a case was shown may ask for it again without the code."""
MOST_LINKED = 20


@dataclass(frozen=True, slots=True)
class Found:
    """A case that the caller may see. ``judge``: the token to judge it by, where it is done and not judged yet."""

    case: Case
    progress: CaseProgress
    judge: str | None = None
    newly_linked: bool = False


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, for the lock, the link and the audit trail."""

    channel: str
    origin: str = ""
    citizen: str | None = None
    conversation_id: str | None = None


class CaseLocked(TooManyRequests):
    """Too many wrong codes; ``retry_after`` in seconds."""

    default_code = "case_locked"

    def __init__(self, minutes: int, retry_after: int) -> None:
        super().__init__("输错次数太多，暂时不能查询这个办件。", remedy=f"请 {minutes} 分钟后再试，或到受理窗口查询。")
        self.retry_after = retry_after


def not_found() -> NotFound:
    """The same for an unknown number and for a wrong code."""
    return NotFound(
        "没有找到对应的办件：编号或查询码不对。",
        code="case_not_found",
        remedy="请核对受理单或短信上的办件编号，以及查询码（也可用申请人证件号码或手机的后四位）。",
    )


class CaseService:
    """Cases in the store. Safe to use from several threads."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        writer: CaseWriter,
        calendar: WorkCalendar,
        settings: Settings,
        limits: MatterLimits,
    ) -> None:
        self._store = store
        self._clock = clock
        self._writer = writer
        self.sealer = writer.sealer
        self._calendar = calendar
        self._limits = limits
        self._locks = locks(settings.case_code_failures, settings.case_lock_minutes)

    # -- asking ----------------------------------------------------------------------------------------------------

    def look_up(self, number: str, code: str, asker: Asker) -> Found:
        """The case of ``number`` for somebody who knows its ``code``; links a known citizen to it.

        Raises NotFound, the same for an unknown number and a wrong code, and CaseLocked after repeated failures
        (whether the code is then right or not). Every look-up is audited.
        """
        now = self._clock.now()
        wanted = folded(number)
        until: datetime | None = None
        with self._store.write() as work:
            keys = self._attempt_keys(wanted, asker)
            repository.one_at_a_time(work.session, keys["pair"])
            counts = repository.attempts(work.session, list(keys.values()))
            locked = [row.locked_until for row in counts.values() if row.locked_until and now < row.locked_until]
            if locked:
                until = max(locked)
                self._audit(work, "case.locked", wanted, asker)
                found = None
            else:
                rows = repository.candidates(work.session, wanted, plain_number(number))
                if not rows:
                    self.sealer.opens(None, code)  # the same work, so that the time does not tell
                row = next((row for row in rows if self.sealer.opens(row, code)), None)
                if row is not None:
                    if (pair := counts.get(keys["pair"])) is not None:
                        pair.failures, pair.locked_until = 0, None
                    found = self._shown(work, row, asker, now)
                    self._audit(work, "case.look_up", row.folded, asker, by="code")
                else:
                    found = None
                    self._count_failures(work, keys, now)
                    self._audit(work, "case.refused", wanted, asker)
        if until is not None:
            seconds = max(1, round((until - now).total_seconds()))
            raise CaseLocked(-(-seconds // 60), seconds)
        if found is None:
            raise not_found()
        return found

    def look_up_again(self, number: str, asker: Asker) -> Found | None:
        """The case without a code, for a linked citizen or a conversation in which it was shown a moment ago."""
        now = self._clock.now()
        with self._store.write() as work:
            row = repository.by_folded(work.session, folded(number))
            if row is None or not self._knows(work, row, asker, now):
                return None
            found = self._shown(work, row, asker, now)
            self._audit(work, "case.look_up", row.folded, asker, by="link" if asker.citizen else "conversation")
            return found

    def linked(self, citizen: str) -> list[Case]:
        """The cases that ``citizen`` proved to be his, those that changed last first: to choose from."""
        with self._store.read() as session:
            return [self.sealer.case(row) for row in repository.linked(session, citizen, MOST_LINKED)]

    def unlink(self, citizen: str) -> int:
        """Forgets every link of ``citizen``; how many there were."""
        with self._store.write() as work:
            gone = repository.unlink(work.session, citizen)
            if gone:
                work.audit("citizen", "case.unlink", citizen[:120], {"cases": gone})
            return gone

    # -- inside one transaction ------------------------------------------------------------------------------------

    def knows(self, work: UnitOfWork, row: CaseRow, asker: Asker) -> bool:
        """Whether ``asker`` needs no code: a linked citizen, or a conversation in which it was shown a moment ago."""
        return self._knows(work, row, asker, self._clock.now())

    def standing(self, row: CaseRow, now: datetime) -> tuple[Case, CaseProgress]:
        """The case of ``row`` and where it stands."""
        case = self.sealer.case(row)
        return case, self._progress(case, now)

    def _progress(self, case: Case, now: datetime) -> CaseProgress:
        limit = self._limits(case.matter) if case.matter and case.promised_limit is None else None
        return progress(case, now, self._calendar.standing(), limit)

    def _shown(self, work: UnitOfWork, row: CaseRow, asker: Asker, now: datetime) -> Found:
        case = self.sealer.case(row)
        linked = bool(asker.citizen) and repository.link(work.session, asker.citizen or "", row.id, now)
        if asker.conversation_id and not asker.citizen:
            repository.follow(work.session, row.id, asker.conversation_id, now)
        return Found(case, self._progress(case, now), self._judge(work, case, asker, now), linked)

    def _judge(self, work: UnitOfWork, case: Case, asker: Asker, now: datetime) -> str | None:
        finished = finished_at(case)
        if finished is None or not now - ANSWERABLE_FOR < finished <= now:
            return None
        change = next(change for change in reversed(changes(None, case)) if change.kind == "finished")
        return self._writer.ask(work, case, change, asker.citizen)

    def _knows(self, work: UnitOfWork, row: CaseRow, asker: Asker, now: datetime) -> bool:
        if asker.citizen is not None:
            return asker.citizen in repository.citizens_of(work.session, row.id)
        return bool(asker.conversation_id) and repository.followed_since(
            work.session, row.id, asker.conversation_id or "", now - SHOWN_AGAIN
        )

    def _attempt_keys(self, number: str, asker: Asker) -> dict[Scope, str]:
        origin = asker.citizen or asker.origin or asker.conversation_id or asker.channel
        parts: dict[Scope, tuple[str, ...]] = {"origin": (origin,), "number": (number,), "pair": (number, origin)}
        return {scope: self.sealer.attempt_key(scope, *part) for scope, part in parts.items()}

    def _count_failures(self, work: UnitOfWork, keys: Mapping[Scope, str], now: datetime) -> None:
        # always in the same order of keys, so that two transactions never wait for each other
        for key, scope in sorted((key, scope) for scope, key in keys.items()):
            row = repository.counted(work.session, key, now)
            after = after_failure(Count(row.failures, row.locked_until, row.updated_at), self._locks[scope], now)
            row.failures, row.locked_until, row.updated_at = after.failures, after.locked_until, after.updated_at

    @staticmethod
    def _audit(work: UnitOfWork, action: str, number: str, asker: Asker, **more: str) -> None:
        details = {"channel": asker.channel, **more}
        work.audit("citizen", action, f"case:{number}"[:120], details)
