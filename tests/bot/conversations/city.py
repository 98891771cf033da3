"""A small city for these tests: a few guides, and a finder that compares character pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from bot.answers.faq import bare, pairs
from bot.clock import ZONE
from bot.matters.model import Guide, PublishedGuide

TODAY = date(2026, 11, 22)


def guide(code: str, name: str, **values: Any) -> Guide:
    """A guide with what must be there; everything else by keyword."""
    return Guide.model_validate(
        {
            "code": code,
            "name": name,
            "kind": "行政确认",
            "department": "云山市公安局",
            "audience": ["自然人"],
            "materials": [],
            "fees": [],
            "promised_limit": {"value": 10, "unit": "工作日"},
            "version": "2026.1",
            **values,
        }
    )


FIRST = guide(
    "YS00101",
    "居民身份证首次申领",
    aliases=["第一次办身份证"],
    materials=[
        {"name": "居民户口簿", "form": "原件", "copies": 1, "necessity": "必要"},
        {"name": "监护人居民身份证", "form": "原件", "copies": 1, "applies_when": "未满16周岁由监护人代为申请"},
    ],
    situations=[{"question": "申请人年龄", "options": ["年满16周岁本人申请", "未满16周岁由监护人代为申请"]}],
    legal_basis=[{"title": "中华人民共和国居民身份证法", "article": "第二条"}],
)
RENEWAL = guide(
    "YS00102",
    "居民身份证有效期满换领",
    aliases=["身份证到期换证"],
    materials=[{"name": "居民身份证(旧证)", "form": "原件", "copies": 1}],
    fees=[{"item": "居民身份证工本费", "amount": "20", "unit": "元/证", "basis": "发改价格〔2003〕2322号"}],
    online_url="https://zwfw.yunshan.example/sfz",
    visits=0,
)
REPLACEMENT = guide(
    "YS00103",
    "居民身份证丢失补领",
    aliases=["身份证丢了补办", "身份证掉了"],
    conditions="居民身份证丢失、被盗的公民，本人到场办理。",
    materials=[
        {"name": "居民户口簿", "form": "原件", "copies": 1, "note": "指纹比对通过的免交"},
        {"name": "监护人居民身份证", "form": "原件", "copies": 1, "applies_when": "丢证人未满16周岁"},
    ],
    situations=[{"question": "丢证人年龄", "options": ["丢证人年满16周岁", "丢证人未满16周岁"]}],
    fees=[{"item": "居民身份证工本费(补领)", "amount": "40", "unit": "元/证", "basis": "发改价格〔2003〕2322号"}],
    windows=[
        {"name": "云城区城东派出所户籍室", "address": "云城区解放东路112号", "phone": "0799-2231110"},
        {"name": "石桥县公安局户政窗口", "address": "石桥县城关镇行政路1号", "phone": "0799-4211110"},
    ],
    consult_phone="0799-2236700",
    complaint_phone="0799-2812367",
    faq=[{"q": "补领期间能坐火车吗", "a": "可以凭临时身份证乘车。"}],
    legal_basis=[{"title": "中华人民共和国居民身份证法", "article": "第十一条"}],
)
EXPIRED = guide("YS00999", "暂住证办理", valid_from="2010-01-01", valid_to="2015-12-31")
GUIDES = (FIRST, RENEWAL, REPLACEMENT, EXPIRED)


class City:
    """The published guides."""

    def __init__(self, guides: Sequence[Guide] = GUIDES) -> None:
        self.guides = {g.code: g for g in guides}

    def get(self, code: str, today: date) -> PublishedGuide | None:
        found = self.guides.get(code)
        if found is None or not found.is_valid_on(today):
            return None
        return PublishedGuide(found, "v3", datetime(2026, 11, 1, tzinfo=ZONE))


@dataclass(frozen=True)
class Candidate:
    code: str
    name: str
    score: float
    text: str


@dataclass(frozen=True)
class Found:
    decision: Literal["answered", "clarify", "unknown"]
    confidence: float
    candidates: tuple[Candidate, ...]
    exact: bool
    kept_focus: bool
    query: str


class PairFinder:
    """Finds by common character pairs of names and aliases: crude, but real, quick and the same every time."""

    def __init__(self, guides: Sequence[Guide] = GUIDES) -> None:
        self.guides = guides

    def find(
        self,
        text: str,
        *,
        turns: Sequence[str] = (),
        focus: str | None = None,
        focus_offered: Sequence[str] = (),
        today: date | None = None,
    ) -> Found:
        for g in self.guides:
            if bare(text) in {bare(n) for n in (g.name, *g.aliases)}:
                return Found("answered", 1.0, (Candidate(g.code, g.name, 1.0, text),), True, g.code == focus, text)
        alone = self._scored(text, focus_offered)
        query = text
        if turns and alone[0].score < 0.9:
            query = f"{turns[-1]}；{text}"
            together = self._scored(query, focus_offered, focus if len(bare(text)) <= 12 else None, text)
            if together[0].score > alone[0].score:
                alone = together
        best, second = alone[0].score, alone[1].score
        decision: Literal["answered", "clarify", "unknown"] = "unknown"
        if best >= 0.3:
            decision = "answered" if best - second >= 0.1 else "clarify"
        kept = decision == "answered" and alone[0].code == focus
        return Found(decision, best, alone, False, kept, query)

    def _scored(
        self, text: str, offered: Sequence[str], focus: str | None = None, latest: str = ""
    ) -> tuple[Candidate, ...]:
        asked = pairs(text)
        rows = []
        for g in self.guides:
            share = max(len(asked & pairs(n)) / max(len(pairs(n)), 1) for n in (g.name, *g.aliases))
            share += 0.1 * (g.code in offered) + 0.2 * (g.code == focus) + 1.2 * len(pairs(latest) & pairs(g.name))
            rows.append(Candidate(g.code, g.name, share, g.name))
        return tuple(sorted(rows, key=lambda c: -c.score))
