"""Use cases around operators being there: coming, going, the heartbeat of an open desk."""

from __future__ import annotations

from collections.abc import Callable

from bot.clock import Clock
from bot.errors import InvalidInput
from bot.handoff import repository
from bot.handoff.calling import DESK
from bot.handoff.model import Presence
from bot.handoff.staff import LEASE
from bot.handoff.tables import PresenceRow
from bot.people.model import Account
from bot.store import Store
from bot.store.inserting import insert_new

LONGEST_REASON = 80


class Presences:
    """Who of the operators is there, in the store."""

    def __init__(self, store: Store, clock: Clock, announce: Callable[[str], None] = lambda _: None) -> None:
        self._store = store
        self._clock = clock
        self._announce = announce

    def set(self, operator: Account, presence: str, reason: str = "") -> None:
        """The operator says whether he takes conversations; ``reason`` is for colleagues. Raises InvalidInput."""
        try:
            state = Presence(presence)
        except ValueError:
            raise InvalidInput("没有这种状态。", code="presence_unknown", remedy="请选在线、暂离或离线。") from None
        now = self._clock.now()
        why = reason.strip()[:LONGEST_REASON]
        values = {"state": state.value, "reason": why, "since": now, "until": now + LEASE}
        with self._store.write() as work:
            if not insert_new(work.session, PresenceRow, {"account_id": operator.id, **values}):
                row = repository.presence(work.session, operator.id, lock=True)
                if row is not None:
                    row.state, row.reason, row.since, row.until = state.value, why, now, now + LEASE
            work.audit(operator.username, "presence", operator.username, {"state": state, "reason": why})
        self._announce(DESK)

    def beat(self, operator: Account) -> None:
        """His desk is open. Who opens it for the first time counts as away until he says that he is there."""
        now = self._clock.now()
        values = {"state": Presence.AWAY.value, "reason": "", "since": now, "until": now + LEASE}
        with self._store.write() as work:
            if insert_new(work.session, PresenceRow, {"account_id": operator.id, **values}):
                return
            row = repository.presence(work.session, operator.id, lock=True)
            if row is not None:
                row.until = max(row.until, now + LEASE)
