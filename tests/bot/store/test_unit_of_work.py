"""Units of work: all or nothing, one writer at a time, full and busy databases explained."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import StatementError

from bot.clock import ZONE
from bot.errors import StorageFull, Unavailable
from bot.store import Store, make_engine
from bot.store.audit import AuditHead, AuditRow, first_break
from bot.store.outbox import OutboxMessage


def _messages(store: Store) -> int:
    with store.read() as session:
        return session.scalar(select(func.count()).select_from(OutboxMessage)) or 0


def test_change_message_and_audit_are_written_together(any_store: Store) -> None:
    with any_store.write() as work:
        work.emit("case.changed", "C1", {"state": "受理"})
        work.audit("zhang", "case.accept", "C1", {"note": "窗口"})
    with any_store.read() as session:
        assert session.scalars(select(OutboxMessage.key)).all() == ["C1"]
        row = session.scalars(select(AuditRow)).one()
        assert (row.number, row.actor, row.details) == (1, "zhang", {"note": "窗口"})


def test_postgresql_compiles_no_query(any_store: Store) -> None:
    with any_store.read() as session:
        if session.get_bind().dialect.name == "postgresql":
            assert session.execute(text("SHOW jit")).scalar_one() == "off"


def test_an_error_takes_everything_back(any_store: Store) -> None:
    def fail_halfway() -> None:
        with any_store.write() as work:
            work.emit("t", "k", {})
            work.audit("a", "b", "c")
            work.session.flush()
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert _messages(any_store) == 0
    with any_store.read() as session:
        assert session.get_one(AuditHead, 1).number == 0


def test_many_writers_lose_nothing_and_keep_the_chain_whole(any_store: Store) -> None:
    def write(name: str) -> None:
        for n in range(5):
            with any_store.write() as work:
                before = work.session.scalar(select(func.count()).select_from(OutboxMessage))
                work.emit("t", f"{name}-{n}", {"before": before})
                work.audit(name, "write", str(n))

    threads = [threading.Thread(target=write, args=(f"w{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _messages(any_store) == 40
    with any_store.read() as session:
        assert first_break(session) is None
        assert session.get_one(AuditHead, 1).number == 40


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit SET actor = 'nobody' WHERE number = 2",
        "DELETE FROM audit WHERE number = 2",
        "UPDATE audit SET details = '{}' WHERE number = 2",
    ],
)
def test_tampering_with_the_audit_trail_shows(any_store: Store, tampering: str) -> None:
    for n in range(3):
        with any_store.write() as work:
            work.audit("zhang", "look", f"C{n}", {"n": n})
    with any_store.write() as work:
        work.session.execute(text(tampering))
    with any_store.read() as session:
        assert first_break(session) == 2


def test_cutting_off_the_end_of_the_audit_trail_shows(any_store: Store) -> None:
    for n in range(3):
        with any_store.write() as work:
            work.audit("zhang", "look", f"C{n}")
    with any_store.write() as work:
        work.session.execute(text("DELETE FROM audit WHERE number = 3"))
    with any_store.read() as session:
        assert first_break(session) == 3


def test_moments_come_back_in_chinese_time_and_naive_ones_are_refused(any_store: Store) -> None:
    with any_store.write() as work:
        work.emit("t", "k", {})
    with any_store.read() as session:
        moment = session.scalars(select(OutboxMessage.created_at)).one()
    assert moment == any_store.clock.now()
    assert moment.utcoffset() == timedelta(hours=8)
    naive = datetime(2026, 11, 22)  # noqa: DTZ001
    with pytest.raises(StatementError, match="time zone"), any_store.write() as work:
        work.session.execute(
            insert(OutboxMessage).values(topic="t", key="k", payload={}, created_at=naive, due_at=naive)
        )


def test_a_reading_session_refuses_to_write(store: Store) -> None:
    now = datetime(2026, 11, 22, tzinfo=ZONE)
    with pytest.raises(AssertionError), store.read() as session:
        session.add(OutboxMessage(topic="t", key="k", payload={}, created_at=now, due_at=now))


def test_a_full_database_is_said_to_be_full_and_keeps_what_it_had(store: Store) -> None:
    with store.write() as work:
        work.emit("t", "first", {})
    with store.write() as work:
        pages = work.session.scalar(text("PRAGMA page_count"))
        work.session.execute(text(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(StorageFull, match="磁盘空间不足") as raised, store.write() as work:
        work.emit("t", "second", {"text": "x" * 200_000})
    assert raised.value.remedy
    assert _messages(store) == 1


def test_a_database_locked_by_another_process_is_said_to_be_busy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.engine.BUSY_SECONDS", 0.05)
    impatient = make_engine(str(store.engine.url))
    try:
        with store.write(), pytest.raises(Unavailable, match="正忙"), Store(impatient).write():
            pass
    finally:
        impatient.dispose()
