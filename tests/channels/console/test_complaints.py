"""``wenban file`` and ``wenban eval complaints``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.gateway import write_rows

POWERS = Path(__file__).resolve().parents[3] / "catalogue" / "powers.jsonl"
Wenban = Callable[..., tuple[int, str, str]]


def _import(wenban: Wenban, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in POWERS.read_text("utf-8").splitlines()]
    few = [row for row in rows if row["department"] in {"云山供水有限公司", "云山市林业局"}]
    assert wenban("import", "powers", str(write_rows(tmp_path / "powers.jsonl", few)))[0] == 0


def test_complaints_are_filed_once_and_scored(wenban: Wenban, tmp_path: Path) -> None:
    _import(wenban, tmp_path)
    text = "自来水管爆了，路面喷水没人来抢修"
    status, out, _ = wenban("file", text, "--key", "1", "--json")
    first = json.loads(out)
    assert (status, first["department"]) == (0, "云山供水有限公司")
    again = json.loads(wenban("file", text, "--key", "1", "--json")[1])
    assert again["number"] == first["number"]
    rows = [{"text": text, "department": "云山供水有限公司", "kind": "求助", "urgent": False, "duplicate_of": None}]
    report = tmp_path / "report.json"
    status, out, _ = wenban("eval", "complaints", str(write_rows(tmp_path / "c.jsonl", rows)), "--json", str(report))
    assert status == 0
    assert "承办单位一次对" in out
    assert json.loads(report.read_text("utf-8"))["scores"]["department_first"]["share"] == 1.0


def test_without_a_list_the_evaluation_says_what_to_import(wenban: Wenban, tmp_path: Path) -> None:
    file = write_rows(tmp_path / "c.jsonl", [{"text": "水管爆了", "department": "x"}])
    status, _, err = wenban("eval", "complaints", str(file))
    assert status != 0
    assert "wenban import powers" in err


def test_without_a_list_an_operator_decides(wenban: Wenban) -> None:
    status, out, _ = wenban("file", "自来水管爆了，路面喷水没人来抢修", "--json")
    filed = json.loads(out)
    assert (status, filed["state"], filed["department"], filed["candidates"]) == (0, "filed", None, [])


def test_an_unknown_kind_is_refused(wenban: Wenban) -> None:
    status, _, err = wenban("file", "自来水管爆了", "--kind", "闲聊")
    assert status != 0
    assert "投诉" in err


def test_relearning_says_that_there_is_nothing_to_learn_from_yet(wenban: Wenban, tmp_path: Path) -> None:
    _import(wenban, tmp_path)
    report = tmp_path / "relearn.json"
    status, out, _ = wenban("eval", "relearn", "--json", str(report))
    assert status == 0
    assert "什么也没有改" in out
    value = json.loads(report.read_text("utf-8"))
    assert (value["decisions"], value["gains"], value["in_force"]) == (0, False, None)
    status, _, err = wenban("eval", "relearn", "--apply")
    assert status != 0
    assert "至少要有 30 件" in err
    status, _, err = wenban("eval", "relearn", "--undo")
    assert status != 0
    assert "不用撤销" in err
    assert wenban("eval", "relearn", "--apply", "--undo")[0] != 0
