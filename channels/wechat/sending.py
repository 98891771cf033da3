"""Sends what is left of an answer by customer-service messages: each part once, in order, within the windows."""

from __future__ import annotations

from functools import partial

import structlog

from bot.clock import Clock
from bot.wechat import inbox
from bot.wechat.inbox import Taken
from bot.wechat.model import Answer
from channels.metrics import Metrics
from channels.wechat.batching import Batches
from channels.wechat.client import WeChatClient
from channels.wechat.faults import CLOSED, GONE, InDoubt, NotDone, Rejected
from channels.wechat.rendering import menu

log = structlog.get_logger("wenban.wechat")


class Sender:
    """Sends answers for one process, ``owner``."""

    def __init__(self, batches: Batches, client: WeChatClient, clock: Clock, owner: str, metrics: Metrics) -> None:
        self._batches = batches
        self._client = client
        self._clock = clock
        self._owner = owner
        self._metrics = metrics

    async def send(self, taken: Taken) -> None:
        """Sends the parts of ``taken`` that are still to be sent. Never raises for what the platform does."""
        answer = taken.answer
        if answer is None or taken.delivery == "held":
            return
        for part in range(taken.parts_sent, len(answer.parts)):
            begin = partial(inbox.begin_part, row_id=taken.id, owner=self._owner, part=part, now=self._clock.now())
            if not await self._batches.run(begin) or not await self._sent(taken, answer, part):
                return

    async def _sent(self, taken: Taken, answer: Answer, part: int) -> bool:
        """Whether to go on with the next part."""
        try:
            await self._send_part(taken.openid, answer, part)
        except NotDone as error:
            log.warning("wechat_not_sent", row=taken.id, reason=error.message)
            step = partial(inbox.put_off, row_id=taken.id, owner=self._owner, fault=error.code, now=self._clock.now())
            await self._batches.run(step)
            return self._counted("later", go_on=False)
        except Rejected as error:
            log.warning("wechat_refused_message", row=taken.id, errcode=error.errcode, reason=error.remedy)
            if error.errcode in CLOSED | GONE:
                followed = False if error.errcode in GONE else None
                close = partial(inbox.close_windows, openid=taken.openid, now=self._clock.now(), followed=followed)
                await self._batches.run(close)
            await self._end(taken, sent=False, fault=str(error.errcode))
            return self._counted("refused", go_on=False)
        except InDoubt as error:
            log.warning("wechat_message_in_doubt", row=taken.id, reason=error.message)
            await self._end(taken, sent=True, fault="unsure")
            return self._counted("unsure", go_on=True)
        await self._end(taken, sent=True, fault=None)
        return self._counted("sent", go_on=True)

    async def _send_part(self, openid: str, answer: Answer, part: int) -> None:
        pressable = menu(answer) if len(answer.parts) == 1 else None
        if pressable is None:
            await self._client.send_text(openid, answer.parts[part])
        else:
            await self._client.send_menu(openid, pressable)

    async def _end(self, taken: Taken, *, sent: bool, fault: str | None) -> None:
        step = partial(
            inbox.end_part, row_id=taken.id, owner=self._owner, sent=sent, fault=fault, now=self._clock.now()
        )
        await self._batches.run(step)

    def _counted(self, outcome: str, *, go_on: bool) -> bool:
        self._metrics.wechat_messages.labels(outcome).inc()
        return go_on
