"""Judging rows: a valid guide or power, or every fault of the row worded for whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.matters.faults import Fault, Notes, Path
from bot.matters.form import Form
from bot.matters.model import DELIVERIES, FORMS, NECESSITIES, Guide
from bot.matters.rows import Row

Model = TypeVar("Model", bound=BaseModel)

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MAY_HAVE_CONTROL = re.compile(rb"\\(u00[01]|[bf])|\x7f")
"""In the JSON of a row: a cheap look before the walk through all its values."""

_PATTERNS = {
    "division": "应为 6 位数字",
    "online_url": "应为以 http:// 或 https:// 开头的网址",
    "template_url": "应为以 http:// 或 https:// 开头的网址",
    "code": "不能含空格和 / \\ ? # %",
    "number": "不能含空格和 / \\ ? # %",
}
_REASONS = {
    "missing": "缺少这一项",
    "string_type": "应为文字",
    "string_too_short": "不能为空",
    "string_too_long": "超过 {max_length} 个字符",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "too_short": "至少要有 {min_length} 项",
    "tuple_type": "应为列表",
    "model_type": "应为一组“名称: 值”",
    "model_attributes_type": "应为一组“名称: 值”",
    "date_type": "不是日期，应形如 2026-01-31",
    "date_parsing": "不是日期，应形如 2026-01-31",
    "date_from_datetime_parsing": "不是日期，应形如 2026-01-31",
    "date_from_datetime_inexact": "只写日期，不写时间，应形如 2026-01-31",
}


def validated(row: Row, form: Form, model: type[Model], notes: Notes) -> Model | list[Fault]:
    """The value of ``row``, or all its faults. What is odd but usable goes to ``notes``."""
    faults: list[Fault] = []
    if _MAY_HAVE_CONTROL.search(orjson.dumps(row.values)):
        faults = [row.fault(form, path, "含有看不见的控制字符，请删去") for path in _control_characters(row.values)]
    try:
        value = model.model_validate(row.values)
    except ValidationError as error:
        seen = {fault.field for fault in faults}
        found = [row.fault(form, tuple(detail["loc"]), _reason(detail)) for detail in _own(error)]
        return faults + [fault for fault in found if fault.field not in seen]
    if faults:
        return faults
    for path, reason in _odd(row.values, value):
        notes.add(row.fault(form, path, reason))
    return value


def _own(error: ValidationError) -> list[ErrorDetails]:
    """The errors without those that only follow from others: a list short of the items that are faulty themselves."""
    details = error.errors(include_url=False)
    inner = {detail["loc"][:depth] for detail in details for depth in range(1, len(detail["loc"]))}
    return [detail for detail in details if detail["type"] != "too_short" or detail["loc"] not in inner]


def _reason(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    given = detail.get("input")
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    if kind == "literal_error":
        allowed = "、".join(re.findall(r"'([^']*)'", str(context.get("expected", ""))))
        return f"“{_short(given)}”不是允许的取值，应为：{allowed}"
    if kind == "string_pattern_mismatch":
        field = next((step for step in reversed(detail["loc"]) if isinstance(step, str)), "")
        return f"“{_short(given)}”格式不对，{_PATTERNS.get(field, '请检查')}"
    reason = _REASONS.get(kind)
    if reason is None:
        return f"“{_short(given)}”格式不对"
    reason = reason.format(**context)
    shows_value = given is not None and kind.startswith(("int_", "date_", "greater", "less"))
    return f"“{_short(given)}”{reason}" if shows_value else reason


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:40] + "…"


def _control_characters(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, str):
        if _CONTROL.search(value):
            yield path
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _control_characters(inner, (*path, key))
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for place, inner in enumerate(value):
            yield from _control_characters(inner, (*path, place))


def _odd(given: Mapping[str, Any], value: BaseModel) -> Iterator[tuple[Path, str]]:
    for key in given:
        if key not in type(value).model_fields:
            yield (key,), "不认识这个字段，已忽略"
    if isinstance(value, Guide):
        yield from _odd_in_guide(value)


def _odd_in_guide(guide: Guide) -> Iterator[tuple[Path, str]]:
    if guide.promised_limit is None:
        yield ("promised_limit",), "没有承诺办结时限，市民问时限时会如实说没有"
    options = guide.options
    for place, material in enumerate(guide.materials):
        if material.form:
            yield from _unusual(material.form, FORMS, ("materials", place, "form"))
        if material.necessity:
            yield from _unusual(material.necessity, NECESSITIES, ("materials", place, "necessity"))
        if material.applies_when and material.applies_when not in options:
            yield ("materials", place, "applies_when"), "“情形”里没有这个选项，只能按文字说明"
    for place, delivery in enumerate(guide.result.delivery if guide.result else ()):
        yield from _unusual(delivery, DELIVERIES, ("result", "delivery", place))


def _unusual(word: str, usual: Collection[str], path: Path) -> Iterator[tuple[Path, str]]:
    if word not in usual:
        yield path, f"“{_short(word)}”不是常用取值（{'、'.join(usual)}），按原文保留"
