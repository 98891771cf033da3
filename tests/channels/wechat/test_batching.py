"""Steps that share a transaction: nobody waits for one that can no longer run."""

from __future__ import annotations

import asyncio

import pytest

from bot.store import Store
from channels.wechat.batching import Batches


async def test_a_step_after_the_end_is_refused_rather_than_waited_for(store: Store) -> None:
    batches = Batches(store)
    assert await batches.run(lambda _: 7) == 7
    await batches.close()
    async with asyncio.timeout(5):
        with pytest.raises(RuntimeError):
            await batches.run(lambda _: 8)
