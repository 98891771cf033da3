"""What a citizen's turn costs end to end, with gateway, Rasa and index together, and the memory of each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx

from bench.measuring import Asked, load, memory
from bot.settings import Settings
from channels.console.asking import take_turn
from channels.console.dialogue import runs_own_rasa, trained_model
from channels.console.service import private, started, until_searchable

WARM_UP = 200
"""Turns before anything is measured: an assistant that has served for a while is what citizens meet."""


class Limited(Exception):
    """A turn was answered without the dialogue understanding: cheaper, not what is measured, so it counts as failed."""


@contextlib.asynccontextmanager
async def ours(
    settings: Settings, texts: Sequence[str], most_clients: int, matters: dict[int, str | None] | None = None
) -> AsyncIterator[Asked]:
    """Our assistant over ``settings``, to be asked ``texts`` over and over, each in a conversation of its own.

    ``matters`` gets the matter that each text was answered about.
    """
    model = trained_model(settings) if runs_own_rasa(settings) else None
    async with started(private(settings), model, worker=True) as running:
        await until_searchable(running.url)
        limits = httpx.Limits(max_connections=most_clients, max_keepalive_connections=most_clients)
        async with httpx.AsyncClient(base_url=running.url, trust_env=False, limits=limits) as client:

            async def ask(number: int) -> None:
                reply = await take_turn(client, texts[number % len(texts)])
                if reply.get("limited"):
                    raise Limited
                if matters is not None:
                    answered = reply["outcome"] == "answered"
                    matters[number % len(texts)] = reply["matter"] if answered else None

            yield Asked(ask, running.process_ids)


def measure(settings: Settings, texts: Sequence[str], clients: Sequence[int], turns: int) -> dict[str, Any]:
    """Latency, processor time and throughput at each number of clients, and megabytes of each process afterwards."""
    return asyncio.run(_measure(settings, texts, clients, turns))


async def _measure(settings: Settings, texts: Sequence[str], clients: Sequence[int], turns: int) -> dict[str, Any]:
    async with ours(settings, texts, max(clients)) as assistant:
        await load(assistant, 2, WARM_UP)
        rows = [(await load(assistant, count, turns)).row(count) for count in clients]
        return {"rows": rows, "memory_mb": memory(assistant.processes())}
