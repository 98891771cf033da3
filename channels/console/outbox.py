"""The commands ``outbox``: messages that wait, and those that were given up."""

from __future__ import annotations

from collections.abc import Sequence

from bot.errors import NotFound
from bot.settings import load_settings
from bot.store import Store, outbox
from bot.store.outbox import OutboxState
from channels.console import parts
from channels.console.output import OUT, print_json, table

SHOWN = 200
STATES = {OutboxState.NEW: "等待", OutboxState.CLAIMED: "处理中", OutboxState.FAILED: "已放弃"}


def show(*, failed: bool, as_json: bool) -> None:
    """The messages that are not done, without their payload (it may concern citizens)."""
    with _store().read() as session:
        found = outbox.unfinished(session, OutboxState.FAILED if failed else None, SHOWN)
    if as_json:
        print_json(
            [
                {
                    "id": message.id,
                    "topic": message.topic,
                    "key": message.key,
                    "state": message.state,
                    "attempts": message.attempts,
                    "due_at": message.due_at.isoformat(),
                    "last_error": message.last_error,
                }
                for message in found
            ]
        )
        return
    rows = [
        (
            message.id,
            message.topic,
            message.key,
            STATES[OutboxState(message.state)],
            message.attempts,
            f"{message.due_at:%m-%d %H:%M:%S}",
            message.last_error or "",
        )
        for message in found
    ]
    OUT.print(table(["编号", "主题", "关于", "状态", "次数", "下次", "上次的错误"], rows) if rows else "发件箱是空的。")


def retry(numbers: Sequence[int]) -> None:
    """Makes messages that were given up new again: those of ``numbers``, else all. Raises NotFound."""
    store = _store()
    with store.read() as session:
        wanted = numbers or [message.id for message in outbox.unfinished(session, OutboxState.FAILED, 10_000)]
    revived = 0
    with store.write() as work:
        for number in wanted:
            if outbox.revive(work.session, number, store.clock.now()) is None:
                raise NotFound(
                    f"没有编号为 {number} 的已放弃消息。",
                    code="outbox_message_unknown",
                    remedy="wenban outbox list --failed 列出已放弃的消息。",
                )
            work.audit("terminal", "outbox.retry", str(number))
            revived += 1
    OUT.print(f"{revived} 条消息将重新送出。")


def _store() -> Store:
    settings = load_settings()
    parts.upgrade(settings)
    return parts.store(settings)
