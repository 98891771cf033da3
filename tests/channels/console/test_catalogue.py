"""Import and export as an operator types them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

Wenban = Callable[..., tuple[int, str, str]]
SAMPLE = Path(__file__).parents[3] / "catalogue" / "guides.jsonl"


@pytest.fixture
def guides() -> list[dict[str, Any]]:
    return [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()[:3]]


def written(folder: Path, guides: list[dict[str, Any]]) -> Path:
    file = folder / "guides.jsonl"
    file.write_text("".join(json.dumps(guide, ensure_ascii=False) + "\n" for guide in guides), encoding="utf-8")
    return file


def test_guides_are_imported_and_exported_again(tmp_path: Path, wenban: Wenban, guides: list[dict[str, Any]]) -> None:
    status, out, _ = wenban("import", "guides", str(written(tmp_path, guides)))
    assert status == 0
    assert "新增 3" in out
    assert "已发布目录版本" in out
    target = tmp_path / "out.jsonl"
    assert wenban("export", "guides", str(target))[0] == 0
    exported = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [guide["code"] for guide in exported] == [guide["code"] for guide in guides]


def test_an_exported_workbook_can_be_imported_unchanged(
    tmp_path: Path, wenban: Wenban, guides: list[dict[str, Any]]
) -> None:
    wenban("import", "guides", str(written(tmp_path, guides)))
    workbook = tmp_path / "guides.xlsx"
    assert wenban("export", "guides", str(workbook))[0] == 0
    status, out, _ = wenban("import", "guides", str(workbook), "--dry-run", "--json")
    assert status == 0
    assert json.loads(out)["unchanged"] == 3


def test_every_fault_is_told_with_its_line_and_nothing_is_imported(
    tmp_path: Path, wenban: Wenban, guides: list[dict[str, Any]]
) -> None:
    del guides[1]["name"]
    guides[2]["code"] = guides[0]["code"]
    status, out, err = wenban("import", "guides", str(written(tmp_path, guides)))
    assert status == 1
    assert "什么都没有导入" in err
    assert "原因" in err
    assert "怎么办" in err
    assert out == ""
    status, out, _ = wenban("import", "guides", str(tmp_path / "guides.jsonl"), "--json")
    assert status == 1
    report = json.loads(out)
    assert report["error"] == "import_faulty"
    assert sorted(detail["line"] for detail in report["details"]) == [2, 3]


def test_a_dry_run_publishes_nothing(tmp_path: Path, wenban: Wenban, guides: list[dict[str, Any]], home: Path) -> None:
    status, out, _ = wenban("import", "guides", str(written(tmp_path, guides)), "--dry-run")
    assert status == 0
    assert "没有发布" in out
    assert wenban("index", "info")[0] == 1


def test_a_missing_file_is_said_so(wenban: Wenban) -> None:
    status, _, err = wenban("import", "guides", "nirgends.jsonl")
    assert status == 1
    assert "找不到文件" in err


def test_the_empty_form_has_the_headers_of_the_exchange_format(tmp_path: Path, wenban: Wenban) -> None:
    form = tmp_path / "form.xlsx"
    assert wenban("export", "guides", str(form), "--empty")[0] == 0
    headers = [cell.value for cell in next(openpyxl.load_workbook(form).worksheets[0].iter_rows(max_row=1))]
    assert {"实施编码", "事项名称", "事项类型"} <= set(headers)


def test_an_unknown_format_is_refused(tmp_path: Path, wenban: Wenban) -> None:
    status, _, err = wenban("export", "guides", str(tmp_path / "guides.csv"))
    assert status == 1
    assert ".xlsx" in err


def test_the_index_is_described_and_rebuilt(tmp_path: Path, wenban: Wenban, guides: list[dict[str, Any]]) -> None:
    wenban("import", "guides", str(written(tmp_path, guides)))
    before = json.loads(wenban("index", "info", "--json")[1])
    assert before["matters"] == 3
    status, out, _ = wenban("index", "rebuild")
    assert status == 0
    assert "已重建" in out
    after = json.loads(wenban("index", "info", "--json")[1])
    assert after["rows"] == before["rows"]
    assert after["encoded"] == 0
