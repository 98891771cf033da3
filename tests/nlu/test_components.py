"""The parts of the components that need no Rasa: codes, amounts and dates, features, the linear model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.codes import find_codes, is_identity_number
from bot.rasa.components.features import LONGEST_TEXT, Cues, asking, asking_clauses, plain, runs, shape
from bot.rasa.components.linear import LinearModel
from bot.rasa.components.quantities import find_quantities, number


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("办件号YS2603120087帮看看", "case_number", "YS2603120087"),
        ("帮我查 ＹＳ２６０３０９００１２", "case_number", "YS2603090012"),
        ("Y S 2 6 0 3 2 0 0 0 3 3", None, None),
        ("查一下进度 459900202603120045", "case_number", "459900202603120045"),
        ("我那个查询码是 8 3 0 2 7 1", "query_code", "830271"),
        ("号码幺二三八零六", "query_code", "123806"),
        ("查询码 b3-9k-2m", "query_code", "B39K2M"),
        ("洞拐四勾二五", "query_code", "074925"),
        ("电话幺三九 零零零零 二二五五", "phone", "13900002255"),
        ("+86 13900003377", "phone", "13900003377"),
        ("0799-8123456", "phone", "07998123456"),
        ("身份证后四位 三四幺叉", "id_last4", "341X"),
        ("9902 这是我身份证后面的", "id_last4", "9902"),
        ("身份证号11010519491231002X", "id_number", "11010519491231002X"),
    ],
)
def test_codes_are_read_as_typed_and_as_spoken(text: str, kind: str | None, value: str | None) -> None:
    found = find_codes(text)

    assert kind is None or (kind, value) in [(code.kind, code.value) for code in found]
    for code in found:
        assert text[code.start : code.end].strip() == text[code.start : code.end]


@pytest.mark.parametrize("text", ["办证要三四天吗", "1953年6月生的", "2026年的标准", "一个月三千块", "二〇一九年交的"])
def test_ordinary_numbers_are_no_codes(text: str) -> None:
    assert find_codes(text) == []


def test_an_identity_number_needs_its_check_digit() -> None:
    assert is_identity_number("11010519491231002X")
    assert not is_identity_number("110105194912310021")
    assert not is_identity_number("11010519491331002X")


@pytest.mark.parametrize(
    ("said", "meant"),
    [("十", 10), ("一百二十", 120), ("三千零五", 3005), ("七十三", 73), ("12.5", 12.5), ("二〇一九", 2019), ("两", 2)],
)
def test_spoken_numbers(said: str, meant: float) -> None:
    assert number(said) == meant


@pytest.mark.parametrize(
    ("text", "kind", "value", "unit"),
    [
        ("我爸七十三岁", "number", "73", "岁"),
        ("面积一百二十平", "number", "120", "平"),
        ("三万块", "number", "30000", "块"),
        ("明天能办吗", "date", "today+1", None),
        ("大后天去", "date", "today+3", None),
        ("下周三上班不", "date", "weekday+1:3", None),
        ("三月十二号到期", "date", "--03-12", None),
        ("2026年12月4日", "date", "2026-12-04", None),
        ("明儿去行不", "date", "today+1", None),
        ("去年办的", "date", "year-1", None),
        ("去年三月拿的房本", "date", "year-1-03", None),
        ("明年3月10号满五年", "date", "year+1-03-10", None),
        ("下个月一号能拿到不", "date", "month+1-01", None),
        ("上个月交的", "date", "month-1", None),
    ],
)
def test_amounts_and_dates(text: str, kind: str, value: str, unit: str | None) -> None:
    assert (kind, value, unit) in [(q.kind, q.value, q.unit) for q in find_quantities(text)]


@given(st.text(max_size=300))
def test_no_text_breaks_the_reading(text: str) -> None:
    for found in (*find_codes(text), *find_quantities(text)):
        assert 0 <= found.start < found.end <= len(text)
    assert len(plain(text)) <= LONGEST_TEXT
    assert shape(text)
    assert runs(text)[0] == "^"
    assert all(run.startswith("ask:") for run in asking(text))


def test_cues_are_named_once() -> None:
    cues = Cues([("money", "多少钱|要钱"), ("place", "哪里")])

    assert cues.found("要钱吗 多少钱") == ["cue:money"]


def test_the_clauses_that_ask_are_told_from_those_that_tell() -> None:
    assert asking_clauses("证丢了，我人在外地，补一张要带啥？几天能拿到") == ["补一张要带啥?", "几天能拿到"]


def test_only_the_clauses_that_ask_count_as_asking() -> None:
    found = asking("材料都交了，钱几天到?在家等着", longest=1)

    assert set("钱几天到") <= {run.removeprefix("ask:") for run in found}
    assert "ask:材" not in found
    assert "ask:家" not in found


def test_exclusive_labels_share_the_probability(tmp_path: Path) -> None:
    weights = np.array([[4, 0, -4]], dtype=np.float32)
    one, nothing = np.ones(1, dtype=np.float32), np.zeros(3, dtype=np.float32)
    model = LinearModel(["a", "b", "c"], {"x": 0}, one, weights, nothing, exclusive=True)
    model.save(tmp_path)
    found = LinearModel.load(tmp_path).probabilities(["x"])

    assert float(found.sum()) == pytest.approx(1)
    assert found[0] / found[1] == pytest.approx(np.exp(4), rel=1e-3)


def test_a_saved_model_answers_as_before(tmp_path: Path) -> None:
    labels = [f"l{place}" for place in range(3)]
    rows = {feature: place for place, feature in enumerate(["a", "b", "cue:c"])}
    random = np.random.default_rng(0)
    model = LinearModel(
        labels,
        rows,
        np.ones(3, dtype=np.float32),
        random.normal(size=(3, 3)).astype(np.float16).astype(np.float32),
        np.zeros(3, dtype=np.float32),
    )
    model.save(tmp_path)

    assert LinearModel.load(tmp_path).ranked(["a", "a", "cue:c", "unknown"]) == model.ranked(["a", "a", "cue:c"])
    assert np.allclose(model.probabilities(["unknown"]), 0.5)
