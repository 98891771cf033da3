"""The WeChat channel alone, for the driver of :mod:`bench.wechat`: real inbox, turns and store, a set speed.

    python -m bench.wechat_server HOME PORT API_BASE SLOWEST

The seconds an answer takes lie between 0 and SLOWEST, by the text's digest: the same text always takes the same. With
SLOWEST 0 answers are made without a conversation; with -1 nothing is stored either: what is left is reading, checking,
decrypting and answering a post, as a library does that promises nothing about repeats and restarts.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import uvicorn
from fastapi import FastAPI

from actions.base import packed
from bot.answers.phrases import Phrases
from bot.attachments.service import AttachmentService
from bot.clock import SystemClock
from bot.conversations.assistant import Assistant
from bot.conversations.model import Focus, Reply
from bot.conversations.service import ConversationService
from bot.settings import load_settings
from bot.store import Store, make_engine
from bot.store.migrate import upgrade
from bot.store.sealed import load_sealer
from bot.wechat.model import Answer, Message
from channels.metrics import Metrics
from channels.security import Bounds, RateLimiter
from channels.turns import Turns
from channels.wechat import routes
from channels.wechat.account import account_of
from channels.wechat.adapter import Adapter
from channels.wechat.answering import Conversing
from channels.wechat.batching import Batches
from channels.wechat.client import WeChatClient
from channels.wechat.receiver import Answerer
from channels.wechat.service import assembled

AT_ONCE = 400
"""Answers at a time: they only wait here, so that nothing but the set speed makes them slow."""


class SlowDialogue:
    """Stands where Rasa stands: answers each text with itself, after its own time."""

    def __init__(self, slowest: float) -> None:
        self._slowest = slowest

    async def turn(self, conversation_id: str, text: str, metadata: Mapping[str, Any]) -> list[dict[str, Any]]:  # noqa: ARG002
        await asyncio.sleep(self._slowest * int(hashlib.sha256(text.encode()).hexdigest()[:4], 16) / 0xFFFF)
        reply = Reply("smalltalk", ({"kind": "text", "text": f"答：{text}"},))
        return [packed(reply, Focus(), metadata["turn_id"])]


class NoAssistant:
    """Stands where our own answers come from when Rasa fails: here nothing may fail."""

    def anticipate(self, text: str, focus: Focus, today: date) -> None:
        """Nothing to prepare."""

    def answer(self, *_: object) -> tuple[Reply, Focus]:
        raise AssertionError("the dialogue answers everything")


class Echo:
    """Answers at once, as a rival's handler does in the same run."""

    async def answer(self, message: Message, key: str) -> Answer:  # noqa: ARG002
        return Answer((f"答：{message.fields['Content']}",))


class Unkept:
    """The channel without its inbox."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter

    async def post(self, query: Mapping[str, str], body: bytes, arrived: float) -> bytes:  # noqa: ARG002
        """The answer to one post, forgotten at once."""
        now = SystemClock().now()
        envelope = self._adapter.open(query, body, now)
        return self._adapter.sealed(envelope, f"答：{envelope.message.fields['Content']}", now)


def create(home: Path, api_base: str, slowest: float) -> FastAPI:
    """The application; ``slowest`` as said above."""
    settings = load_settings(home=home, wechat_api_base=api_base, rate_limit="off")
    clock, metrics = SystemClock(), Metrics()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(upgrade, settings)
        store = Store(make_engine(settings), clock)
        account = account_of(settings)
        assert account is not None
        if slowest < 0:
            app.state.services = SimpleNamespace(wechat=Unkept(account.adapter(encrypted_only=False)))
            yield
            return
        client = WeChatClient(account, store, load_sealer(settings), clock)
        batches = Batches(store)
        answerer: Answerer = Echo()
        if slowest:
            conversations = ConversationService(store, clock, settings)
            phrases = Phrases(settings.city_name, settings.hotline)
            turns = Turns(conversations, cast(Assistant, NoAssistant()), SlowDialogue(slowest), clock, phrases)
            attachments = AttachmentService(store, clock, home / "attachments")
            answerer = Conversing(turns, batches, attachments, None, clock, RateLimiter(False), phrases, None)
        wechat = assembled(settings, account, client, batches, answerer, clock, metrics, at_once=AT_ONCE)
        app.state.services = SimpleNamespace(wechat=wechat)
        wechat.start()
        yield
        await wechat.close()

    app = FastAPI(lifespan=lifespan)
    app.include_router(routes.router)
    app.add_middleware(Bounds)
    return app


if __name__ == "__main__":
    folder, port, base, seconds = sys.argv[1:]
    uvicorn.run(
        create(Path(folder), base, float(seconds)), port=int(port), log_level="warning", access_log=False, backlog=4096
    )
