"""Guides and powers as values, in the terms and keys of the exchange format (docs: the matter guide's elements).

The models are what a validated row *is*; what is wrong with a row is worded in ``validation.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator


class Facet(StrEnum):
    """What of a matter a citizen asks about."""

    MATERIALS = "materials"
    FEES = "fees"
    TIME_LIMIT = "time_limit"
    PROCESS = "process"
    WHERE = "where"
    CONDITIONS = "conditions"
    LEGAL_BASIS = "legal_basis"
    ONLINE = "online"
    RESULT = "result"
    CONTACT = "contact"
    DEPARTMENT = "department"
    OVERVIEW = "overview"


MatterKind = Literal[
    "行政许可",
    "行政处罚",
    "行政强制",
    "行政征收",
    "行政给付",
    "行政检查",
    "行政确认",
    "行政奖励",
    "行政裁决",
    "其他行政权力",
    "公共服务",
]
Level = Literal["国家级", "省级", "市级", "县级", "乡级", "村级"]
Audience = Literal["自然人", "企业法人", "事业法人", "社会组织法人", "非法人企业", "行政机关", "其他组织"]
LimitUnit = Literal["工作日", "自然日", "小时", "月"]

FORMS = ("原件", "复印件", "原件和复印件", "电子")
NECESSITIES = ("必要", "非必要", "容缺后补")
DELIVERIES = ("窗口领取", "邮寄", "网上下载")
"""Usual words for three descriptive fields; another word is kept as written and pointed out at import."""


def _absent_when_blank(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _number_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else value


_Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\s/\\?#%]+$")]
_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
_Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
_Url = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000, pattern=r"^https?://[^\s<>\"]+$")]
_Division = Annotated[str, BeforeValidator(_number_as_text), StringConstraints(pattern=r"^\d{6}$")]
_Words = Annotated[str, BeforeValidator(_number_as_text), StringConstraints(strip_whitespace=True, max_length=2_000)]
_Copies = Annotated[int, Field(ge=0, le=1_000)]
_Visits = Annotated[int, Field(ge=0, le=100)]
_Optional = BeforeValidator(_absent_when_blank)

OptionalLine = Annotated[_Line | None, _Optional]
OptionalProse = Annotated[_Prose | None, _Optional]
OptionalWords = Annotated[_Words | None, _Optional]
OptionalUrl = Annotated[_Url | None, _Optional]
OptionalDate = Annotated[date | None, _Optional]
OptionalDivision = Annotated[_Division | None, _Optional]


class Value(BaseModel):
    """A frozen value; keys it does not know are ignored (the import points them out)."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class LegalBasis(Value):
    title: _Line
    article: OptionalWords = None
    text: OptionalProse = None


class Material(Value):
    """``applies_when`` names an option of a situation; None = always needed."""

    name: _Line
    form: OptionalLine = None
    copies: Annotated[_Copies | None, _Optional] = None
    necessity: OptionalLine = None
    source: OptionalLine = None
    note: OptionalProse = None
    applies_when: OptionalLine = None
    template_url: OptionalUrl = None


class Situation(Value):
    """A question that decides which conditional materials apply, and its possible answers."""

    question: _Line
    options: Annotated[tuple[_Line, ...], Field(min_length=1)]


class Fee(Value):
    """``amount``: yuan as a decimal string, or a range or formula in words."""

    item: OptionalLine = None
    amount: Annotated[_Words, Field(min_length=1)]
    unit: OptionalLine = None
    basis: OptionalProse = None
    reduction: OptionalProse = None

    @property
    def yuan(self) -> Decimal | None:
        """The amount as a number, where it is one."""
        try:
            amount = Decimal(self.amount)
        except InvalidOperation:
            return None
        return amount if amount.is_finite() else None


class Limit(Value):
    """A time limit; ``value`` 0 = on the spot (即办)."""

    value: Annotated[int, Field(ge=0, le=10_000)]
    unit: LimitUnit


class ProcessStep(Value):
    step: _Line
    actor: OptionalLine = None
    limit: OptionalWords = None
    result: OptionalProse = None


class Window(Value):
    name: _Line
    address: OptionalLine = None
    hours: OptionalProse = None
    phone: OptionalWords = None
    division: OptionalDivision = None


class Result(Value):
    name: _Line
    delivery: tuple[_Line, ...] = ()
    validity: OptionalWords = None


class Question(Value):
    q: _Line
    a: _Prose


class Guide(Value):
    """One matter at its finest grain: what one person applies for in one visit."""

    code: _Code
    catalog_code: OptionalLine = None
    name: _Line
    aliases: tuple[_Line, ...] = ()
    questions: tuple[_Line, ...] = ()
    not_questions: tuple[_Line, ...] = ()
    """Questions that sound like this matter and must not be answered by it."""
    kind: MatterKind
    department: _Line
    division: OptionalDivision = None
    level: Annotated[Level | None, _Optional] = None
    audience: Annotated[tuple[Audience, ...], Field(min_length=1)]
    legal_basis: tuple[LegalBasis, ...] = ()
    conditions: OptionalProse = None
    materials: tuple[Material, ...]
    situations: tuple[Situation, ...] = ()
    fees: tuple[Fee, ...]
    statutory_limit: Limit | None = None
    promised_limit: Limit | None
    process: tuple[ProcessStep, ...] = ()
    windows: tuple[Window, ...] = ()
    online_url: OptionalUrl = None
    visits: Annotated[_Visits | None, _Optional] = None
    scope: OptionalProse = None
    result: Result | None = None
    consult_phone: OptionalWords = None
    complaint_phone: OptionalWords = None
    faq: tuple[Question, ...] = ()
    power_code: OptionalLine = None
    version: OptionalWords = None
    valid_from: OptionalDate = None
    valid_to: OptionalDate = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Guide:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("失效日期早于生效日期")
        return self

    def is_valid_on(self, day: date) -> bool:
        """Whether the guide is in force on ``day`` (its last day included)."""
        return in_force(self.valid_from, self.valid_to, day)

    @property
    def options(self) -> frozenset[str]:
        """Every answer that a situation's question offers."""
        return frozenset(option for situation in self.situations for option in situation.options)


class Responsibility(Value):
    step: _Line
    text: _Prose
    accountability: OptionalProse = None


class Power(Value):
    """A power of a unit with what it answers for; ``topics`` are words that point a complaint to the unit."""

    code: _Code
    name: _Line
    kind: _Line
    department: _Line
    legal_basis: tuple[LegalBasis, ...] = ()
    responsibilities: tuple[Responsibility, ...] = ()
    complaint_phone: OptionalWords = None
    topics: tuple[_Line, ...] = ()


@dataclass(frozen=True)
class PublishedGuide:
    """A guide as published: an answer names ``catalogue_version`` beside the guide's own version."""

    guide: Guide
    catalogue_version: str
    published_at: datetime


@dataclass(frozen=True)
class PublishedPower:
    power: Power
    catalogue_version: str
    published_at: datetime


def in_force(valid_from: date | None, valid_to: date | None, day: date) -> bool:
    """Whether ``day`` lies between ``valid_from`` and ``valid_to``; both are included, None = open."""
    return (valid_from is None or valid_from <= day) and (valid_to is None or day <= valid_to)
