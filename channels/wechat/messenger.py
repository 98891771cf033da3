"""Notifications to citizens in WeChat: by subscription notice, else by message while one is allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from sqlalchemy.orm import Session

from bot.clock import Clock
from bot.notifications.ports import Delivery, Later, Outgoing, Refused, Sent, Unsure
from bot.settings import Settings
from bot.store import Store
from bot.store.sealed import Sealer
from bot.wechat import inbox
from bot.wechat.inbox import LONGEST_PART
from channels.wechat.account import account_of
from channels.wechat.client import WeChatClient
from channels.wechat.faults import CLOSED, GONE, InDoubt, NotDone, Rejected
from channels.wechat.notices import DoesNotFit, Notice, filled, load_notices, page_of
from channels.wechat.rendering import plain, split

T = TypeVar("T")
log = structlog.get_logger("wenban.wechat")

PAUSE = timedelta(minutes=1)
NOT_WANTED = 43101
"""The citizen has not accepted notices of this template."""


class WeChatMessenger:
    """Delivers to openids. See :class:`bot.notifications.ports.Messenger`. Belongs to one event loop."""

    channel = "wechat"

    def __init__(self, client: WeChatClient, store: Store, notices: Mapping[str, Notice]) -> None:
        self._client = client
        self._store = store
        self._notices = notices

    async def deliver(self, address: str, outgoing: Outgoing, now: datetime) -> Delivery:
        """By subscription notice where a template is set up and the citizen takes it, else as a message."""
        notice = self._notices.get(outgoing.template)
        if notice is not None:
            ended = await self._attempted(lambda: self._notify(address, notice, outgoing), address, now)
            if not isinstance(ended, Refused) or ended.code == "not_a_follower":
                return ended
        if not await self._stored(lambda session: inbox.spend(session, address, now)):
            return Refused("window_closed", "对方 48 小时内没有发过消息，也没有可用的订阅通知")
        ended = await self._attempted(lambda: self._say(address, outgoing), address, now)
        if isinstance(ended, Later):
            await self._stored(lambda session: inbox.refund(session, address, now))
        return ended

    async def close(self) -> None:
        """Gives the connections to the platform back."""
        await self._client.close()

    async def _notify(self, address: str, notice: Notice, outgoing: Outgoing) -> Delivery:
        try:
            data = filled(notice, outgoing.values)
        except DoesNotFit as error:
            log.error("wechat_notice_does_not_fit", template=outgoing.template, reason=str(error))
            return Refused("bad_notice", f"订阅通知的内容放不进模板：{error}")
        await self._client.send_notice(address, notice.template_id, data, page_of(notice, outgoing.values))
        return Sent()

    async def _say(self, address: str, outgoing: Outgoing) -> Delivery:
        await self._client.send_text(address, next(split(plain(outgoing.text), LONGEST_PART)))
        return Sent()

    async def _attempted(self, attempt: Callable[[], Awaitable[Delivery]], address: str, now: datetime) -> Delivery:
        try:
            return await attempt()
        except NotDone as error:
            return Later(error.message, now + PAUSE)
        except InDoubt as error:
            return Unsure(error.message)
        except Rejected as error:
            if error.errcode in CLOSED | GONE:
                followed = False if error.errcode in GONE else None
                await self._stored(lambda session: inbox.close_windows(session, address, now, followed=followed))
            if error.errcode != NOT_WANTED:
                log.warning("wechat_notice_refused", errcode=error.errcode, reason=error.remedy)
            return Refused("not_a_follower" if error.errcode in GONE else f"wechat_{error.errcode}", error.message)

    async def _stored(self, step: Callable[[Session], T]) -> T:
        def run() -> T:
            with self._store.write() as work:
                return step(work.session)

        return await asyncio.to_thread(run)


def make_messenger(settings: Settings, store: Store, sealer: Sealer, clock: Clock) -> WeChatMessenger | None:
    """The messenger; None where no account is set that may send. Raises ConfigurationError."""
    account = account_of(settings)
    if account is None or not account.can_send:
        return None
    return WeChatMessenger(WeChatClient(account, store, sealer, clock), store, load_notices(settings))
