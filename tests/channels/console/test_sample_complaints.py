"""The sample city's complaints are loaded, whatever the models of today decide on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.clock import ZONE
from bot.complaints.tables import ComplaintRow
from bot.settings import load_settings
from channels.console import parts
from channels.console.sample_complaints import load_sample_complaints
from tests.gateway import write_rows

CATALOGUE = Path(__file__).resolve().parents[3] / "catalogue"
SAMPLE = CATALOGUE / "complaints" / "sample.jsonl"
NOW = datetime(2026, 12, 1, 11, 9, tzinfo=ZONE)
Wenban = Callable[..., tuple[int, str, str]]


def _loaded(file: Path) -> list[ComplaintRow]:
    settings = load_settings()
    parts.upgrade(settings)
    load_sample_complaints(settings, file, NOW)
    with parts.store(settings).read() as session:
        return list(session.scalars(select(ComplaintRow)))


@pytest.fixture
def listed(wenban: Wenban) -> None:
    assert wenban("import", "powers", str(CATALOGUE / "powers.jsonl"))[0] == 0


@pytest.mark.usefixtures("listed")
def test_all_of_them_are_loaded_in_every_state() -> None:
    states = Counter(row.state for row in _loaded(SAMPLE))
    assert states.total() >= 75  # a few are of later this week
    assert states["closed"] > 20
    assert len(states) >= 4


@pytest.mark.usefixtures("listed")
def test_a_story_that_today_s_decision_does_not_allow_ends_there(tmp_path: Path) -> None:
    filed = NOW - timedelta(days=90)
    late = [
        {"at": (filed + timedelta(days=days)).isoformat(), "act": act, "note": "材料还在路上"}
        for days, act in ((1, "sign"), (80, "ask_extension"), (81, "answer"))
    ]
    rows: list[dict[str, Any]] = [
        {"at": filed.isoformat(), "text": "自来水管爆了，路面喷水没人来抢修", "kind": "投诉", "steps": late},
        {"at": (filed + timedelta(days=82)).isoformat(), "text": "楼下烧烤店油烟太大，窗户不敢开", "kind": "投诉"},
    ]
    first, second = sorted(_loaded(write_rows(tmp_path / "sample.jsonl", rows)), key=lambda row: row.filed_at)
    assert (first.state, second.text[:5]) == ("signed", "楼下烧烤店")
