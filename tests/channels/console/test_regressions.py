"""``wenban eval regressions``: what editors decided is asked again over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from bot.clock import ZONE
from bot.learning.model import Act, Change
from bot.learning.regressions import keep_regressions
from bot.matters.additions import AdditionKind
from bot.settings import load_settings
from channels.console import parts
from tests.gateway import Gateway, sunday

Wenban = Callable[..., tuple[int, str, str]]


def change(act: Act, code: str, text: str) -> Change:
    at = sunday().now().astimezone(ZONE)
    return Change(1, act, AdditionKind(act.value), code, text, None, (), None, "lin", at)


def test_nothing_to_ask_is_no_fault(wenban: Wenban) -> None:
    status, out, _ = wenban("eval", "regressions")
    assert (status, "还没有回归题" in out) == (0, True)


def test_what_does_not_hold_is_named(gateway: Gateway, wenban: Wenban, home: Path, tmp_path: Path) -> None:
    guides = list(gateway.services.matters.guides())[:3]
    kept, other, third = (guide.code for guide in guides)
    settings = load_settings(home=home)
    parts.upgrade(settings)
    changes = [
        change(Act.QUESTION, kept, guides[0].name),
        change(Act.QUESTION, other, guides[0].name + "呀"),
        change(Act.NOT, third, guides[2].name),
    ]
    with parts.store(settings).write() as work:
        keep_regressions(work.session, changes, "20261122.1", "lin", sunday().now())
    report = tmp_path / "report.json"
    status, out, err = wenban("eval", "regressions", "--server", gateway.url, "--json", str(report))
    assert status == 1, err
    assert "回归题 3 道" in out
    found = json.loads(report.read_text("utf-8"))
    scores = {(row["text"], row["never"]): row["score"] for row in found["cases"]}
    assert scores[guides[0].name, None] == 1
    assert scores[guides[2].name, third] == 0
    assert found["broken"] == 2
