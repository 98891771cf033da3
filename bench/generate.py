"""Catalogues of any size, made from the sample city: its matters as other districts and other applicants have them.

Deterministic: the n-th matter is the same in every catalogue that is large enough. Names, aliases, conditions and
frequent questions all carry the variation, so that nothing is saved by texts that repeat.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).resolve().parent.parent / "catalogue" / "guides.jsonl"

DISTRICTS = ("云城", "青溪", "白石", "松江口", "柳河", "南屏", "北岭", "东湾", "西河", "临港", "高新", "开发")
APPLICANTS = ("", "个体户", "外地户籍", "港澳居民", "退役军人", "残疾人", "老年人", "未成年人", "小微企业", "外资企业")


def sample() -> list[dict[str, Any]]:
    """The sample city's guides."""
    return [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]


def catalogue(guides: Sequence[Mapping[str, Any]], size: int) -> Iterator[dict[str, Any]]:
    """``size`` guides: first ``guides`` as they are, then their variations, round after round."""
    for number in range(size):
        lap, place = divmod(number, len(guides))
        yield variation(guides[place], lap)


def variation(guide: Mapping[str, Any], lap: int) -> dict[str, Any]:
    """The ``lap``-th variation of ``guide``; the 0th is the guide itself."""
    made = dict(guide)
    if lap == 0:
        return made
    district, applicant = _place(lap)
    given = district + applicant
    made["code"] = f"{guide['code']}-{lap:03d}"
    made["name"] = f"{guide['name']}（{given}）"
    made["aliases"] = [f"{given}{alias}" for alias in guide.get("aliases") or ()]
    made["department"] = f"{district}{guide['department']}"
    if guide.get("catalog_code"):
        made["catalog_code"] = f"{guide['catalog_code']}-{lap:03d}"
    if guide.get("conditions"):
        made["conditions"] = f"{given}：{guide['conditions']}"
    if guide.get("faq"):
        made["faq"] = [{**entry, "q": f"{given}{entry['q']}"} for entry in guide["faq"]]
    if guide.get("questions"):
        made["questions"] = [f"{given}{question}" for question in guide["questions"]]
    return made


def label(lap: int) -> str:
    """What the texts of the ``lap``-th variation say besides those of the guide itself; 0 has none."""
    return "".join(_place(lap)) if lap else ""


def _place(lap: int) -> tuple[str, str]:
    """District and kind of applicant of the ``lap``-th variation."""
    round_, within = divmod(lap - 1, len(DISTRICTS) * len(APPLICANTS))
    district = DISTRICTS[within % len(DISTRICTS)] + ("" if round_ == 0 else f"{round_}") + "区"
    return district, APPLICANTS[within // len(DISTRICTS)]


def write(target: Path, size: int) -> None:
    """Writes a catalogue of ``size`` matters as JSON Lines."""
    with target.open("w", encoding="utf-8") as file:
        for guide in catalogue(sample(), size):
            file.write(json.dumps(guide, ensure_ascii=False) + "\n")
