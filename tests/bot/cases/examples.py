"""Cases for these tests, and a calendar that knows 2026."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.cases.model import Case
from bot.clock import ZONE


def at(text: str) -> datetime:
    """``11-16 09:00`` of 2026, Chinese time."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)


def stage(name: str, start: str, end: str | None = None, **more: Any) -> dict[str, Any]:
    values = {"stage": name, "unit": "云山市公安局出入境科", "person": "李敏", "start": at(start).isoformat()}
    return {**values, **({"end": at(end).isoformat()} if end else {}), **more}


def pause(kind: str, start: str, end: str | None = None, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "start": at(start).isoformat(), **({"end": at(end).isoformat()} if end else {}), **more}


APPLIED = stage("申请", "11-13 15:00", "11-13 15:10")
ACCEPTED = stage("受理", "11-13 15:10", "11-16 10:00", result="予以受理")
REVIEWING = stage("审查", "11-16 10:00")


def row(**values: Any) -> dict[str, Any]:
    """A case in the exchange format, in review since Monday, 16 November 2026."""
    return {
        "number": "YS2611130042",
        "query_code": "830271",
        "matter": "YS00103",
        "matter_name": "居民身份证丢失补领",
        "department": "云山市公安局",
        "applicant": {"name": "王小明", "id_number": "459900199003071239", "phone": "13900001234"},
        "promised_limit": {"value": 10, "unit": "工作日"},
        "stages": [APPLIED, ACCEPTED, REVIEWING],
        "updated_at": at("11-16 10:00").isoformat(),
        **values,
    }


def case(**values: Any) -> Case:
    return Case.model_validate(row(**values))
