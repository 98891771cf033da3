"""Files that are refused: every fault is named with its place, and nothing is imported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.errors import InvalidInput
from bot.matters.service import MatterService
from tests.bot.matters.examples import guide, power, write_lines


def _refusal(matters: MatterService, path: Path) -> InvalidInput:
    with pytest.raises(InvalidInput) as raised:
        matters.import_guides(path)
    assert raised.value.message
    assert raised.value.remedy
    assert matters.current_version() is None
    assert matters.counts().guides == 0
    return raised.value


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": ""}, "name", "不能为空"),
        ({"name": 5}, "name", "应为文字"),
        ({"code": "A/B"}, "code", "不能含空格"),
        ({"kind": "许可"}, "kind", "行政许可、行政处罚"),
        ({"audience": []}, "audience", "至少要有 1 项"),
        ({"audience": ["外星人"]}, "audience[0]", "不是允许的取值"),
        ({"division": "4599"}, "division", "6 位数字"),
        ({"promised_limit": {"value": "很快", "unit": "工作日"}}, "promised_limit.value", "应为整数"),
        ({"promised_limit": {"value": 5, "unit": "年"}}, "promised_limit.unit", "工作日、自然日"),
        ({"promised_limit": {"value": -1, "unit": "工作日"}}, "promised_limit.value", "不能小于 0"),
        ({"materials": "身份证"}, "materials", "应为列表"),
        ({"materials": [{"form": "原件"}]}, "materials[0].name", "缺少这一项"),
        ({"online_url": "javascript:alert(1)"}, "online_url", "https://"),
        ({"valid_from": "2026年1月"}, "valid_from", "不是日期"),
        ({"valid_to": "2025-12-31"}, None, "失效日期早于生效日期"),
        ({"conditions": "有\u0000控制字符"}, "conditions", "控制字符"),
        ({"faq": [{"q": "问", "a": "答\x1b"}]}, "faq[0].a", "控制字符"),
    ],
)
def test_a_faulty_value_is_named_with_line_field_and_reason(
    matters: MatterService, tmp_path: Path, changes: dict[str, Any], field: str | None, words: str
) -> None:
    path = write_lines(tmp_path / "g.jsonl", [guide(1), "", guide(2, **changes)])
    refusal = _refusal(matters, path)
    assert refusal.code == "import_faulty"
    (detail,) = refusal.details
    assert (detail["line"], detail["field"]) == (3, field)
    assert words in detail["reason"]


@pytest.mark.parametrize(
    "key", ["code", "name", "kind", "department", "audience", "materials", "fees", "promised_limit"]
)
def test_every_required_key_is_missed(matters: MatterService, tmp_path: Path, key: str) -> None:
    values = guide(1)
    del values[key]
    (detail,) = _refusal(matters, write_lines(tmp_path / "g.jsonl", [values])).details
    assert (detail["field"], detail["reason"]) == (key, "缺少这一项")
    assert detail["label"] != key


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"code": "A", ', "不是一个完整的 JSON 对象"),
        ("[1, 2]", "应为一个 JSON 对象"),
        ("申请书", "不是一个完整的 JSON 对象"),
    ],
)
def test_a_line_that_is_no_object_is_named(matters: MatterService, tmp_path: Path, line: str, words: str) -> None:
    (detail,) = _refusal(matters, write_lines(tmp_path / "g.jsonl", [guide(1), line])).details
    assert detail["line"] == 2
    assert words in detail["reason"]


def test_another_encoding_is_named(matters: MatterService, tmp_path: Path) -> None:
    path = tmp_path / "g.jsonl"
    path.write_bytes(json.dumps(guide(1), ensure_ascii=False).encode("gb18030"))
    assert "UTF-8" in _refusal(matters, path).details[0]["reason"]


def test_two_matters_with_one_code(matters: MatterService, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "g.jsonl", [guide(1), guide(2), guide(3, code=" YS000001")])
    (detail,) = _refusal(matters, path).details
    assert (detail["line"], detail["field"]) == (3, "code")
    assert "与第 1 行重复" in detail["reason"]


def test_all_faults_of_all_rows_are_reported_at_once(matters: MatterService, tmp_path: Path) -> None:
    rows = [guide(1, name="", kind="?"), guide(2), "{", guide(4, fees=None), guide(2)]
    details = _refusal(matters, write_lines(tmp_path / "g.jsonl", rows)).details
    assert [(d["line"], d["field"]) for d in details] == [
        (1, "name"),
        (1, "kind"),
        (3, None),
        (4, "fees"),
        (5, "code"),
    ]


def test_one_fault_among_45_031_rows(matters: MatterService, tmp_path: Path) -> None:
    row = json.dumps(guide(1, materials=[], fees=[], situations=[]), ensure_ascii=False)
    rows = [row.replace("YS000001", f"YS{n:06d}") for n in range(1, 45_032)]
    rows[31_414] = rows[31_414].replace("行政许可", "行政的许可")
    (detail,) = _refusal(matters, write_lines(tmp_path / "g.jsonl", rows)).details
    assert (detail["line"], detail["field"]) == (31_415, "kind")


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_file_is_refused_even_with_replace(matters: MatterService, tmp_path: Path, content: str) -> None:
    path = tmp_path / "g.jsonl"
    path.write_text(content)
    with pytest.raises(InvalidInput, match="没有一条") as raised:
        matters.import_guides(path, replace=True)
    assert raised.value.code == "import_empty"


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read(matters: MatterService, tmp_path: Path, name: str) -> None:
    assert _refusal(matters, tmp_path / name).code == "file_unreadable"


def test_a_faulty_power_is_named(matters: MatterService, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "p.jsonl", [power(1, responsibilities=[{"step": "受理"}])])
    with pytest.raises(InvalidInput) as raised:
        matters.import_powers(path)
    (detail,) = raised.value.details
    assert (detail["field"], detail["label"]) == ("responsibilities[0].text", "责任事项第1项·责任事项")


def test_odd_but_usable_values_are_noted_and_kept(matters: MatterService, tmp_path: Path) -> None:
    odd = guide(
        1,
        materials=[{"name": "表", "form": "纸质", "applies_when": "没有这个选项"}],
        remarks="x",
        promised_limit=None,
        online_url="",
    )
    report = matters.import_guides(write_lines(tmp_path / "g.jsonl", [odd, odd | {"code": "B"}]))
    assert {note.field for note in report.notes} == {
        "remarks",
        "promised_limit",
        "materials[0].form",
        "materials[0].applies_when",
    }
    assert all("共 2 处" in note.reason and note.line == 1 for note in report.notes)
    published = matters.get_any("B")
    assert published is not None
    assert published.guide.materials[0].form == "纸质"
    assert published.guide.online_url is None
