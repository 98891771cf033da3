"""A case as a value, in the keys of the exchange format (docs/cases.md). What follows from it: ``progress.py``."""

from __future__ import annotations

from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from bot.cases.numbers import folded, folded_code
from bot.clock import ZONE
from bot.matters.model import Limit, OptionalLine, OptionalProse, OptionalWords, Value

STAGES = ("申请", "受理", "审查", "决定", "送达")
"""Stages of a case in their order (行政许可法第四章); a case may come back to an earlier one."""
StageName = Literal["申请", "受理", "审查", "决定", "送达"]

PauseKind = Literal["补正", "听证", "检验", "检测", "检疫", "鉴定", "专家评审", "公示"]
"""What stops the clock: a request for correction, and what 行政许可法第四十五条 takes out of the limit."""

Outcome = Literal["准予", "不予", "不予受理", "撤回", "终止"]

SHORTEST_NUMBER = 4
EARLIEST = datetime(1990, 1, 1, tzinfo=ZONE)
LATEST = datetime(2100, 1, 1, tzinfo=ZONE)


class CaseState(StrEnum):
    """Where a case stands, for machines."""

    APPLIED = "applied"  # handed in, not yet accepted
    REVIEWING = "reviewing"  # accepted and being looked at
    DECIDING = "deciding"
    PAUSED = "paused"  # the clock stands still: correction, hearing, inspection …
    DELIVERING = "delivering"  # decided; the result is on its way
    CLOSED = "closed"


def _moment(value: Any) -> Any:
    """A date or a time without a zone is Chinese time; what is no time is left for validation to refuse."""
    if isinstance(value, str):
        text = value.strip().replace("/", "-")
        if not text:
            return None
        try:
            value = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"“{text[:40]}”不是时间，应形如 2026-01-31 或 2026-01-31T09:30:00+08:00") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        return value
    value = value.replace(tzinfo=ZONE) if value.tzinfo is None else value.astimezone(ZONE)
    if not EARLIEST <= value < LATEST:
        raise ValueError(f"“{value:%Y-%m-%d}”不在 1990 至 2099 年之间")
    return value


def _blank(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _long_enough(number: str) -> str:
    if len(folded(number)) < SHORTEST_NUMBER:
        raise ValueError(f"太短：去掉符号后至少要有 {SHORTEST_NUMBER} 个字母、数字或汉字")
    return number


def _number(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Moment = Annotated[datetime, BeforeValidator(_moment)]
OptionalMoment = Annotated[datetime | None, BeforeValidator(_moment)]
_Number = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\s/\\?#%]+$"),
    AfterValidator(_long_enough),
    BeforeValidator(_number),
]
_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
_Code = Annotated[
    Annotated[str, StringConstraints(strip_whitespace=True, max_length=32)] | None,
    BeforeValidator(lambda value: _blank(_number(value))),
]
_Personal = Annotated[
    Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] | None,
    BeforeValidator(lambda value: _blank(_number(value))),
]


class Stage(Value):
    """One stage. ``end`` None: it is going on."""

    stage: StageName
    unit: OptionalLine = None
    person: OptionalLine = None
    start: Moment
    end: OptionalMoment = None
    result: OptionalLine = None
    note: OptionalProse = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.end is not None and self.end < self.start:
            raise ValueError("结束时间早于开始时间")
        return self


class Pause(Value):
    """A time that does not count. ``note`` says what the applicant must bring or what is examined; ``due``: by when."""

    kind: PauseKind
    start: Moment
    end: OptionalMoment = None
    due: OptionalMoment = None
    note: OptionalProse = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.end is not None and self.end < self.start:
            raise ValueError("结束时间早于开始时间")
        return self


class Applicant(Value):
    """Who applied. Kept sealed; shown masked."""

    name: _Personal = None
    id_number: _Personal = None
    phone: _Personal = None


class Case(Value):
    """One application. At least one way to ask for it must be there: query code, identity number or phone."""

    number: _Number
    query_code: _Code = None
    matter: OptionalLine = None
    matter_name: _Line
    department: _Line
    applicant: Applicant = Applicant()
    promised_limit: Annotated[Limit | None, BeforeValidator(_blank)] = None
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=100)]
    pauses: Annotated[tuple[Pause, ...], Field(max_length=100)] = ()
    outcome: Annotated[Outcome | None, BeforeValidator(_blank)] = None
    closed_at: OptionalMoment = None
    delivery: OptionalLine = None
    tracking: OptionalWords = None
    updated_at: OptionalMoment = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if not any(folded_code(code) for code in self.secrets if len(folded_code(code)) >= 4):
            raise ValueError("查询码、证件号码、手机至少要有一项（4 位以上），否则本人无法查询")
        for earlier, later in zip(self.stages, self.stages[1:], strict=False):
            if later.start < earlier.start:
                raise ValueError(f"环节应按时间先后排列：{later.stage}早于{earlier.stage}")
            if earlier.end is None:
                raise ValueError(f"{earlier.stage}还没有结束时间，后面又有{later.stage}")
        if self.closed_at is not None and self.outcome is None:
            raise ValueError("有办结时间却没有办理结果")
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        """What the applicant knows and may be asked for."""
        applicant = self.applicant
        return tuple(word for word in (self.query_code, applicant.id_number, applicant.phone) if word)
