"""How much a pair of characters says in spoken questions: 请问, 怎么 and 一下 say nothing, 户口 and 过户 do.

The weights are counted by :mod:`index.training.speech` over training questions of many families of matters: a token
heard in many families carries no matter. Tokens never heard weigh full.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

SHIPPED = Path(__file__).parent / "models" / "speech.json"


@cache
def _weights() -> dict[str, float]:
    stored: dict[str, float] = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return stored


def content_weight(token: str) -> float:
    """0 (filler) to 1 (content)."""
    return _weights().get(token, 1.0)
