"""Silent conversations lose what was said; those in which somebody waits do not."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from bot.clock import FixedClock
from bot.conversations.retention import ConversationRetention
from bot.conversations.tables import ConversationRow, EventRow, TurnRow
from bot.store import Store


def put(store: Store, clock: FixedClock, name: str, holder: str = "bot") -> None:
    now = clock.now()
    with store.write() as work:
        work.session.add(
            ConversationRow(
                id=name, channel="web", citizen="wechat:o1", origin="d", created_at=now, updated_at=now,
                focus={"matter": "11"}, turns=1, last_event=1, holder=holder,
            )
        )  # fmt: skip
        work.session.flush()
        work.session.add(TurnRow(id=f"t{name}", conversation_id=name, digest="d", created_at=now))
        work.session.add(
            EventRow(conversation_id=name, number=1, kind="citizen", at=now, payload={"text": "我叫王小明"})
        )


def test_the_silent_ones_are_emptied_once(any_store: Store, clock: FixedClock) -> None:
    put(any_store, clock, "old")
    put(any_store, clock, "waiting", "waiting")
    clock.advance(timedelta(days=40))
    put(any_store, clock, "fresh")
    retention = ConversationRetention(any_store, clock, 30)
    assert retention.tidy() == 1
    assert retention.tidy() == 0
    with any_store.read() as session:
        assert set(session.scalars(select(EventRow.conversation_id))) == {"waiting", "fresh"}
        assert set(session.scalars(select(TurnRow.conversation_id))) == {"waiting", "fresh"}
        old = session.get_one(ConversationRow, "old")
        assert (old.citizen, old.origin, old.focus, old.last_event) == (None, None, {}, 1)


def test_zero_days_keep_for_ever(any_store: Store, clock: FixedClock) -> None:
    put(any_store, clock, "old")
    clock.advance(timedelta(days=10_000))
    assert ConversationRetention(any_store, clock, 0).tidy() == 0
