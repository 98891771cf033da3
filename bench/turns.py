"""What a citizen's turn costs end to end, with gateway, Rasa and index together, and the memory of each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx

from bench.measuring import load, memory
from bot.settings import Settings
from channels.console.asking import take_turn
from channels.console.dialogue import runs_own_rasa, trained_model
from channels.console.service import private, started

WARM_UP = 30


class Limited(Exception):
    """A turn was answered without the dialogue understanding: cheaper, not what is measured, so it counts as failed."""


def measure(settings: Settings, texts: Sequence[str], clients: Sequence[int], turns: int) -> dict[str, Any]:
    """Latency and throughput at each number of clients, and megabytes of each process afterwards."""
    return asyncio.run(_measure(settings, texts, clients, turns))


async def _measure(settings: Settings, texts: Sequence[str], clients: Sequence[int], turns: int) -> dict[str, Any]:
    model = trained_model(settings) if runs_own_rasa(settings) else None
    alone = private(settings)
    async with started(alone, model, worker=True) as running:
        limits = httpx.Limits(max_connections=max(clients), max_keepalive_connections=max(clients))
        async with httpx.AsyncClient(base_url=running.url, trust_env=False, limits=limits) as client:

            async def ask(number: int) -> None:
                reply = await take_turn(client, texts[number % len(texts)])
                if reply.get("limited"):
                    raise Limited

            await load(ask, 1, WARM_UP)
            rows = [await load(ask, count, turns) for count in clients]
        return {"rows": rows, "memory_mb": memory(running.process_ids())}
