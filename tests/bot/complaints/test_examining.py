"""The evaluation: what it counts, what it refuses, and the shipped models on units and complaints never seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.complaints.deciding import Decider
from bot.complaints.examining import Examined, examine, read_labelled
from bot.errors import InvalidInput
from bot.matters.model import Power
from index.encoder import Encoder
from index.incident import Incidents
from tests.bot.complaints.conftest import CATALOGUE
from tests.bot.complaints.deciders import decider_over

COMPLAINTS = CATALOGUE / "complaints"


@pytest.fixture(scope="module")
def unseen(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Examined:
    """The test units' complaints over the list of these units alone."""
    split = json.loads((COMPLAINTS / "departments.json").read_text("utf-8"))
    rows = map(json.loads, (CATALOGUE / "powers.jsonl").read_text("utf-8").splitlines())
    powers = [Power.model_validate(row) for row in rows if split[row["department"]] == "test"]
    decider = decider_over(encoder, powers, tmp_path_factory.mktemp("unseen"))
    labelled = read_labelled(COMPLAINTS / "test.jsonl")
    decisions = [decider.decide(each.text, place=each.location) for each in labelled]
    return examine(labelled, decisions, frozenset(power.department for power in powers), Incidents.beside(encoder))


@pytest.mark.parametrize(
    ("name", "floor"),
    [("department_first", 0.85), ("department_within_three", 0.95), ("sent_right", 0.93), ("duplicates_found", 0.80)],
)
def test_units_never_seen_are_found(unseen: Examined, name: str, floor: float) -> None:
    share = unseen.rates[name].share
    assert share is not None
    assert share >= floor


def test_few_false_alarms_and_a_calibrated_confidence(unseen: Examined) -> None:
    alarms = unseen.rates["urgent_false_alarms"].share
    assert alarms is not None
    assert alarms < 0.05
    assert unseen.calibration.error is not None
    assert unseen.calibration.error < 0.08
    assert unseen.outside == 0


def test_what_tells_of_one_incident_counts_through_others(encoder: Encoder, decider: Decider, tmp_path: Path) -> None:
    rows = [
        {"text": "人民路药材公司门口水管爆了，喷得老高", "department": "云山供水有限公司", "duplicate_of": None},
        {"text": "药材公司门口的水管爆了，人民路都淹了", "department": "云山供水有限公司", "duplicate_of": 0},
        {"text": "人民路药材公司门口水管爆了还在喷", "department": "云山供水有限公司", "duplicate_of": 1},
        {"text": "老板拖欠工资四个月", "department": "别处的局", "urgent": False, "kind": "投诉"},
    ]
    file = tmp_path / "complaints.jsonl"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    labelled = read_labelled(file)
    decisions = [decider.decide(each.text) for each in labelled]
    made = examine(labelled, decisions, frozenset(["云山供水有限公司"]), Incidents.beside(encoder))
    assert made.rates["duplicates_found"].of == 2
    assert made.outside == 1
    assert made.rates["department_first"].of == 4
    assert made.rates["kind"].of == 1
    assert made.to_dict()["scores"]["department_first"]["of"] == 4


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('{"text": ""}', "text"),
        ('{"text": "a", "kind": "闲聊"}', "kind"),
        ('{"text": "a", "urgent": "yes"}', "urgent"),
        ('{"text": "a", "duplicate_of": 7}', "duplicate_of"),
        ('{"text": "a", "department_any": "x"}', "department_any"),
        ("[]", ""),
        ("{", ""),
    ],
)
def test_faulty_rows_are_named(tmp_path: Path, line: str, field: str) -> None:
    file = tmp_path / "complaints.jsonl"
    file.write_text('{"text": "好的一行"}\n' + line + "\n", "utf-8")
    with pytest.raises(InvalidInput) as refused:
        read_labelled(file)
    assert refused.value.details[0]["line"] == 2
    assert refused.value.details[0]["field"] == field


def test_an_empty_or_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        read_labelled(tmp_path / "nothing.jsonl")
    (tmp_path / "empty.jsonl").write_text("", "utf-8")
    with pytest.raises(InvalidInput):
        read_labelled(tmp_path / "empty.jsonl")
