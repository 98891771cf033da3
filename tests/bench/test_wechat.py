"""The driver of the WeChat benchmark counts real answers: each of a few citizens gets every one, over a kill."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.wechat import Driver


def test_the_driver_hears_every_answer_once(tmp_path: Path) -> None:
    found = asyncio.run(Driver(tmp_path, citizens=4, seconds=8, seed=3).run(kills=1))
    assert found["messages"] > 4
    assert found["by_reply"] + found["by_message"] == found["messages"]
    assert (found["lost"], found["doubled"], found["later_than_5_s"]) == (0, 0, 0)
