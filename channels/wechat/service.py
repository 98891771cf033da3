"""The channel put together: what a gateway needs to answer the platform, made once and closed with it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from bot.answers.phrases import Phrases
from bot.attachments.service import AttachmentService
from bot.clock import Clock
from bot.settings import Settings
from bot.store import Store
from bot.store.sealed import Sealer
from channels.metrics import Metrics
from channels.security import RateLimiter
from channels.wechat.account import Account, account_of
from channels.wechat.adapter import Adapter, Refused
from channels.wechat.answering import Conversing, Turning
from channels.wechat.batching import Batches
from channels.wechat.client import WeChatClient
from channels.wechat.media import Media
from channels.wechat.receiver import AT_ONCE, Answerer, Receiver
from channels.wechat.sending import Sender

log = structlog.get_logger("wenban.wechat")

"""Folder of pictures under the home."""


@dataclass
class WeChat:
    """The channel of one gateway."""

    account: Account
    adapter: Adapter
    receiver: Receiver
    client: WeChatClient | None
    clock: Clock
    metrics: Metrics

    def start(self) -> None:
        self.receiver.start()
        log.info("wechat_on", app_id=self.account.app_id, demo=self.account.demo, can_send=self.account.can_send)

    async def close(self) -> None:
        await self.receiver.close()
        if self.client is not None:
            await self.client.close()

    def verify(self, query: Mapping[str, str]) -> str:
        """What the platform's check of the server URL is answered with. Raises Refused."""
        try:
            return self.adapter.verify(query, self.clock.now())
        except Refused as error:
            self._log(error)
            raise

    async def post(self, query: Mapping[str, str], body: bytes, arrived: float) -> bytes:
        """The answer to one post, within its time; empty for none. Raises Refused."""
        try:
            envelope = self.adapter.open(query, body, self.clock.now())
        except Refused as error:
            self._log(error)
            raise
        text = await self.receiver.receive(envelope.message, arrived)
        return b"" if text is None else self.adapter.sealed(envelope, text, self.clock.now())

    def refused(self, reason: str) -> Refused:
        """The refusal of a post that could not even be read, written down like any other."""
        error = Refused(reason)
        self._log(error)
        return error

    def _log(self, error: Refused) -> None:
        self.metrics.wechat_posts.labels("refused").inc()
        log.warning("wechat_refused", reason=error.reason, remedy=error.remedy)


def make_wechat(
    settings: Settings,
    store: Store,
    sealer: Sealer,
    clock: Clock,
    metrics: Metrics,
    limiter: RateLimiter,
    turns: Turning,
    attachments: AttachmentService,
    complains: Callable[[str], bool] = lambda _: False,
) -> WeChat | None:
    """The channel; None where no account is set. Raises ConfigurationError."""
    account = account_of(settings)
    if account is None:
        return None
    client = WeChatClient(account, store, sealer, clock) if account.can_send else None
    batches = Batches(store)
    phrases = Phrases(settings.city_name, settings.hotline)
    media = Media(client, attachments) if client else None
    answerer = Conversing(turns, batches, attachments, media, clock, limiter, phrases, settings.public_url, complains)
    return assembled(settings, account, client, batches, answerer, clock, metrics)


def assembled(
    settings: Settings,
    account: Account,
    client: WeChatClient | None,
    batches: Batches,
    answerer: Answerer,
    clock: Clock,
    metrics: Metrics,
    *,
    at_once: int = AT_ONCE,
) -> WeChat:
    """The channel around any answerer, which is asked ``at_once`` things at most."""
    owner = secrets.token_hex(8)
    sender = Sender(batches, client, clock, owner, metrics) if client else None
    receiver = Receiver(batches, answerer, sender, clock, metrics, settings.hotline, owner=owner, at_once=at_once)
    adapter = account.adapter(encrypted_only=settings.environment == "production")
    return WeChat(account, adapter, receiver, client, clock, metrics)


def arrived_now() -> float:
    """The moment a post came, by the loop's clock."""
    return asyncio.get_running_loop().time()
