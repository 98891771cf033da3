"""Guides and powers to import, as mappings of the exchange format, and files of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def guide(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A plain valid guide; ``changes`` on top (None removes a key)."""
    values: dict[str, Any] = {
        "code": f"YS{number:06d}",
        "name": f"第{number}号许可证核发",
        "aliases": [f"办{number}号证"],
        "kind": "行政许可",
        "department": "云山市行政审批局",
        "audience": ["自然人"],
        "conditions": "在本市常住的公民。",
        "materials": [
            {"name": "居民身份证", "form": "原件", "copies": 1, "necessity": "必要"},
            {"name": "委托书", "form": "原件", "copies": 1, "necessity": "必要", "applies_when": "委托他人办理"},
        ],
        "situations": [{"question": "谁来办理", "options": ["本人办理", "委托他人办理"]}],
        "fees": [{"item": "工本费", "amount": "10", "unit": "证"}],
        "promised_limit": {"value": 5, "unit": "工作日"},
        "result": {"name": "许可证", "delivery": ["窗口领取", "邮寄"]},
        "version": "2026.1",
        "valid_from": "2026-01-01",
    }
    values |= changes
    return {key: value for key, value in values.items() if value is not None or key == "promised_limit"}


def power(number: int = 1, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "code": f"P{number:06d}",
        "name": f"对第{number}种噪声的处罚",
        "kind": "行政处罚",
        "department": "云山市公安局",
        "legal_basis": [{"title": "噪声污染防治法", "article": "第八十七条"}],
        "responsibilities": [{"step": "受理责任", "text": "及时登记核对。", "accountability": "不登记的。"}],
        "topics": ["楼上吵", "广场舞"],
    }
    return values | changes


def write_lines(path: Path, items: Iterable[Any]) -> Path:
    """A JSON Lines file; strings are written as they are."""
    with path.open("w", encoding="utf-8") as file:
        for item in items:
            file.write(item if isinstance(item, str) else json.dumps(item, ensure_ascii=False))
            file.write("\n")
    return path
