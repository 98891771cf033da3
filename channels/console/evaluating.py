"""``wenban eval questions``: puts labelled questions to the assistant as citizens would, over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import httpx

from bot.errors import TooManyRequests
from channels.console.asking import ApiError, take_turn
from channels.console.output import Meter
from index.evaluation.questions import Question
from index.evaluation.scoring import Answer, Record

PATIENCE = 8
"""How often a turn that was refused for its rate is sent again, after a pause that doubles from half a second."""

FAILED = Answer("error", None, (), (), None, 0.0)


async def put(url: str, questions: Sequence[Question], clients: int, meter: Meter) -> list[Record]:
    """The record of each question, in the order of ``questions``; each is asked in a conversation of its own."""
    waiting = iter(enumerate(questions))
    records: dict[int, Record] = {}

    async def work(client: httpx.AsyncClient) -> None:
        for number, question in waiting:
            records[number] = Record(question, await _answer(client, question))
            meter.advance(len(records), len(questions))

    async with httpx.AsyncClient(base_url=url, trust_env=False) as client, asyncio.TaskGroup() as group:
        for _ in range(max(1, clients)):
            group.create_task(work(client))
    return [records[number] for number in range(len(questions))]


async def _answer(client: httpx.AsyncClient, question: Question) -> Answer:
    conversation: str | None = None
    try:
        for text in question.context:
            reply, _ = await _turn(client, text, conversation)
            conversation = reply["conversation_id"]
        reply, seconds = await _turn(client, question.text, conversation)
    except ApiError:
        return FAILED  # a turn the assistant could not take is scored as an error, not passed over
    return read_reply(reply, seconds)


def read_reply(reply: dict[str, Any], seconds: float) -> Answer:
    """The scored parts of a chat reply."""
    return Answer(
        outcome=reply["outcome"],
        matter=reply.get("matter"),
        candidates=tuple(candidate["code"] for candidate in reply.get("candidates", ())),
        facets=tuple(reply.get("facets", ())),
        confidence=reply.get("confidence"),
        seconds=seconds,
    )


async def _turn(client: httpx.AsyncClient, text: str, conversation: str | None) -> tuple[dict[str, Any], float]:
    """One reply and the seconds it took; waits where the server's rate limit asks for it."""
    pause = 0.5
    for attempt in range(PATIENCE + 1):
        started = time.perf_counter()
        try:
            return await take_turn(client, text, conversation), time.perf_counter() - started
        except ApiError as error:
            if error.code != TooManyRequests.default_code or attempt == PATIENCE:
                raise
        await asyncio.sleep(pause)
        pause *= 2
    raise AssertionError("unreachable: the last attempt returns or raises")
