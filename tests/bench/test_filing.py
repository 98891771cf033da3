"""The benchmark of filing, small: the gateway is killed in earnest, and what was acknowledged is what is stored."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import Engine, select

from bench import filing
from bot.complaints.categories import CATEGORIES
from bot.complaints.tables import ComplaintRow
from bot.store import Store
from tests.channels.staff import WATER
from tests.gateway import CATALOGUE, settings_for, write_rows


def test_what_was_acknowledged_is_stored_once_and_what_is_not_is_seen(any_engine: Engine, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, database_url=any_engine.url.render_as_string(hide_password=False))
    categories = [{"name": "公用事业", "children": [{"name": "供水供电"}, {"name": "路灯"}]}]
    (tmp_path / CATEGORIES.file).write_text(json.dumps(categories), "utf-8")
    rows = map(json.loads, (CATALOGUE.parent / "powers.jsonl").read_text("utf-8").splitlines())
    powers = write_rows(tmp_path / "powers.jsonl", [row for row in rows if row["department"] == WATER])
    found = filing.measure(settings, citizens=4, seconds=2, kills=1, powers=powers)
    assert found["acknowledged"] == found["stored"] == found["answer_ms"]["count"] >= 4
    faults = ("missing", "doubled", "unasked", "incomplete", "told_otherwise", "audit_broken")
    assert {name: found[name] for name in faults} == dict.fromkeys(faults, 0)
    # A number that nobody was told, in place of one that somebody was, would have been seen.
    store = Store(any_engine)
    with store.write() as work:
        rows_there = work.session.scalars(select(ComplaintRow)).all()
        told = [row.number for row in rows_there]
        rows_there[0].number = "TS0000000000000"
    seen = filing.stored(settings, [*told, told[1]])
    assert (seen["missing"], seen["unasked"], seen["doubled"], seen["incomplete"]) == (1, 1, 1, 2)
