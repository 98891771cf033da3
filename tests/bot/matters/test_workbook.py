"""Workbooks: the way there and back loses nothing, and faults are named by sheet and row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from bot.errors import InvalidInput
from bot.matters.form import GUIDES, POWERS
from bot.matters.model import Guide
from bot.matters.reading import read_rows
from bot.matters.rows import Row
from bot.matters.service import MatterService
from bot.matters.sheets import GUIDANCE, write_workbook
from tests.bot.matters.examples import guide, power, write_lines

CATALOGUE = Path(__file__).parents[3] / "catalogue"


def _workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]]) -> Path:
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for title, rows in sheets.items():
        page = workbook.create_sheet(title)
        for row in rows:
            page.append(list(row))
    workbook.save(path)
    return path


def _sheets(**changes: Any) -> dict[str, list[list[Any]]]:
    sheets: dict[str, list[list[Any]]] = {
        "事项": [
            ["实施编码", "事项名称", "事项类型", "实施主体", "服务对象", "承诺办结时限"],
            ["A1", "居民身份证换领", "行政确认", "云山市公安局", "自然人", "15个工作日"],
        ],
        "申请材料": [["实施编码", "材料名称", "份数"], ["A1", "居民户口簿", 1]],
        "收费": [["实施编码", "收费标准"], ["A1", 20]],
    }
    return sheets | changes


def _details(matters: MatterService, path: Path) -> list[dict[str, Any]]:
    with pytest.raises(InvalidInput) as raised:
        matters.import_guides(path)
    assert raised.value.remedy
    assert matters.current_version() is None
    return raised.value.details


def _guides(path: Path) -> list[Guide]:
    return [Guide.model_validate(row.values) for row in read_rows(path, GUIDES) if isinstance(row, Row)]


def test_a_plain_workbook_is_imported(matters: MatterService, tmp_path: Path) -> None:
    assert matters.import_guides(_workbook(tmp_path / "g.xlsx", _sheets())).added == 1
    published = matters.get_any("A1")
    assert published is not None
    found = published.guide
    assert found.promised_limit is not None
    assert (found.promised_limit.value, found.promised_limit.unit) == (15, "工作日")
    assert (found.materials[0].name, found.materials[0].copies, found.fees[0].yuan) == ("居民户口簿", 1, 20)


def test_the_sample_city_survives_the_way_to_excel_and_back(matters: MatterService, tmp_path: Path) -> None:
    lines = (CATALOGUE / "guides.jsonl").read_text("utf-8").splitlines()[::10]
    matters.import_guides(write_lines(tmp_path / "g.jsonl", lines))
    items = [item.model_dump(mode="json") for item in matters.guides()]
    assert write_workbook(tmp_path / "g.xlsx", GUIDES, items) == len(lines)
    report = matters.import_guides(tmp_path / "g.xlsx", replace=True)
    assert (report.published, report.unchanged) == (False, len(lines))


def test_powers_survive_the_way_to_excel_and_back(matters: MatterService, tmp_path: Path) -> None:
    matters.import_powers(write_lines(tmp_path / "p.jsonl", [power(n) for n in range(1, 9)]))
    write_workbook(tmp_path / "p.xlsx", POWERS, [item.model_dump(mode="json") for item in matters.powers()])
    assert matters.import_powers(tmp_path / "p.xlsx").unchanged == 8


_line = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12).filter(
    lambda text: text[0] not in "[{" and "_x" not in text and not text.startswith("#") and "|" not in text
)


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    name=_line,
    aliases=st.lists(_line, max_size=3),
    materials=st.lists(st.fixed_dictionaries({"name": _line, "note": _line}), max_size=3),
    options=st.lists(_line, min_size=1, max_size=3),
)
def test_any_words_survive(
    tmp_path: Path, name: str, aliases: list[str], materials: list[dict[str, str]], options: list[str]
) -> None:
    values = guide(name=name, aliases=aliases, materials=materials, situations=[{"question": "问", "options": options}])
    given_guide = Guide.model_validate(values)
    path = tmp_path / "g.xlsx"
    write_workbook(path, GUIDES, [given_guide.model_dump(mode="json")])
    assert _guides(path) == [given_guide]


def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "g.xlsx"
    write_workbook(path, GUIDES, [Guide.model_validate(guide(name="=1+1")).model_dump(mode="json")])
    assert load_workbook(path)["事项"]["C2"].data_type == "s"
    assert _guides(path)[0].name == "=1+1"


def test_the_empty_form_has_every_sheet_and_explains_itself(matters: MatterService, tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    assert write_workbook(path, GUIDES) == 0
    workbook = load_workbook(path)
    assert set(workbook.sheetnames) == {"事项", GUIDANCE, *(sheet.title for sheet in GUIDES.lists)}
    with pytest.raises(InvalidInput, match="没有一条"):
        matters.import_guides(path)


def test_headers_may_be_decorated_moved_and_under_a_title(matters: MatterService, tmp_path: Path) -> None:
    sheets = _sheets()
    sheets["事项"] = [
        ["云山市事项清单"],
        ["事项名称*", "实施编码（必填）", " 事项类型 ", "实施主体", "服务对象", "承诺办结时限", "填表人"],
        ["居民身份证换领", "A1", "行政确认", "云山市公安局", "自然人；企业法人", "即办", "小王"],
    ]
    report = matters.import_guides(_workbook(tmp_path / "g.xlsx", sheets))
    assert [(note.line, note.label) for note in report.notes] == [(2, "填表人")]
    published = matters.get_any("A1")
    assert published is not None
    assert published.guide.audience == ("自然人", "企业法人")
    assert published.guide.promised_limit is not None
    assert published.guide.promised_limit.value == 0


def test_keys_serve_as_headers_and_lists_may_stand_in_a_cell_as_json(matters: MatterService, tmp_path: Path) -> None:
    sheets = _sheets()
    sheets["事项"][0] = ["code", "name", "kind", "department", "audience", "promised_limit"]
    sheets["事项"][1][4:] = ['["自然人"]', json.dumps({"value": 3, "unit": "工作日"})]
    sheets["申请材料"][0] = ["code", "name", "copies"]
    assert matters.import_guides(_workbook(tmp_path / "g.xlsx", sheets)).added == 1


@pytest.mark.parametrize("header", ["事项名称", "承诺办结时限", "服务对象"])
def test_a_missing_column(matters: MatterService, tmp_path: Path, header: str) -> None:
    sheets = _sheets()
    place = sheets["事项"][0].index(header)
    for row in sheets["事项"]:
        del row[place]
    (detail,) = _details(matters, _workbook(tmp_path / "g.xlsx", sheets))
    assert (detail["sheet"], detail["line"], detail["reason"]) == ("事项", 1, f"缺少列“{header}”")


def test_a_missing_sheet_and_a_missing_column_in_a_list(matters: MatterService, tmp_path: Path) -> None:
    sheets = _sheets(申请材料=[["实施编码", "份数"], ["A1", 1]])
    del sheets["收费"]
    reasons = {(d["sheet"], d["reason"]) for d in _details(matters, _workbook(tmp_path / "g.xlsx", sheets))}
    assert ("申请材料", "缺少列“材料名称”") in reasons
    assert any(sheet == "收费" and "缺少工作表" in reason for sheet, reason in reasons)


def test_no_code_column_at_all(matters: MatterService, tmp_path: Path) -> None:
    (detail,) = _details(matters, _workbook(tmp_path / "g.xlsx", {"清单": [["名称"], ["x"]]}))
    assert "没有表头“实施编码”" in detail["reason"]


def test_faults_are_named_by_sheet_and_row(matters: MatterService, tmp_path: Path) -> None:
    sheets = _sheets()
    sheets["事项"].append(["A2", "换领", "行政确认", "云山市公安局", "自然人", "很快"])
    sheets["申请材料"] += [["A2", "照片", "两张"], ["A9", "多余", 1], ["", "无主", 1]]
    sheets["收费"].append(["A2", "#REF!"])
    details = _details(matters, _workbook(tmp_path / "g.xlsx", sheets))
    places = {(d["sheet"], d["line"], d["field"]) for d in details}
    assert ("申请材料", 5, "code") in places  # an item without a code stops before the rows are judged
    sheets["申请材料"].pop()
    details = _details(matters, _workbook(tmp_path / "g.xlsx", sheets))
    assert {(d["sheet"], d["line"], d["field"]) for d in details} >= {
        ("事项", 3, "promised_limit"),
        ("申请材料", 3, "materials[0].copies"),
        ("申请材料", 4, "code"),
    }


def test_two_rows_with_one_code(matters: MatterService, tmp_path: Path) -> None:
    sheets = _sheets()
    sheets["事项"].append(sheets["事项"][1])
    (detail,) = _details(matters, _workbook(tmp_path / "g.xlsx", sheets))
    assert (detail["sheet"], detail["line"]) == ("事项", 3)
    assert "与第 2 行重复" in detail["reason"]


@pytest.mark.parametrize("damage", ["cut", "noise", "not a workbook", "part missing"])
def test_a_corrupt_workbook(matters: MatterService, tmp_path: Path, damage: str) -> None:
    path = _workbook(tmp_path / "g.xlsx", _sheets())
    content = path.read_bytes()
    path.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "noise": content[:300] + bytes(255 - byte for byte in content[300:1500]) + content[1500:],
            "not a workbook": b"PK\x03\x04 nothing else",
            "part missing": content.replace(b"xl/workbook.xml", b"xl/workbooks.xm"),
        }[damage]
    )
    with pytest.raises(InvalidInput) as raised:
        matters.import_guides(path)
    assert raised.value.code == "workbook_corrupt"
    assert "另存为" in raised.value.remedy
    assert matters.current_version() is None


def test_an_old_excel_file(matters: MatterService, tmp_path: Path) -> None:
    path = tmp_path / "g.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(InvalidInput, match="旧版 Excel"):
        matters.import_guides(path)


def test_questions_that_must_not_be_answered_survive(tmp_path: Path) -> None:
    told = guide(1, questions=["一号证咋办、去哪办"], not_questions=["一号线、二号线几点停运", "一号文件讲什么"])
    file = tmp_path / "guides.xlsx"
    write_workbook(file, GUIDES, [Guide.model_validate(told).model_dump(mode="json", exclude_none=True)])
    [read] = _guides(file)
    assert read.not_questions == ("一号线、二号线几点停运", "一号文件讲什么")
    assert read == Guide.model_validate(told)
