"""A GeoReport service request read and written: what a client sends as a filing, a complaint as a client sees it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.clock import ZONE
from bot.complaints.filing import LONGEST_CONTACT, Filing
from bot.complaints.listing import Listed, Wanted
from bot.complaints.model import STATE_NAMES
from bot.errors import InvalidInput, WenbanError
from channels.api.open311.services import Service
from channels.messages import explained

MOST = 1_000
"""GeoReport: a list holds at most so many requests, of at most :data:`DAYS` days."""
DAYS = timedelta(days=90)
PAGE = 50

_POINT = re.compile(r"^(-?\d{1,2}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?)$")
_URL = re.compile(r"https?://[^\s<>\"]{4,400}")


def filing(form: Mapping[str, str], services: Mapping[str, Service]) -> Filing:
    """What the client sent as a complaint. Raises InvalidInput that names the field."""
    service = services.get(form.get("service_code", ""))
    if service is None:
        raise refused("service_code", "service_unknown")
    text = form.get("description", "").strip()
    if not text:
        raise refused("description", "description_missing")
    media = form.get("media_url", "").strip()
    if media:
        if not _URL.fullmatch(media):
            raise refused("media_url", "media_url_invalid")
        text = f"{text}\n（图片：{media}）"
    contact = " ".join(filter(None, (form.get(name, "").strip() for name in _CONTACT)))
    if len(contact) > LONGEST_CONTACT:
        raise refused("phone", "contact_too_long")
    location = _location(form)
    return Filing(text, location=location, contact=contact or None, anonymous=not contact, category=service.category)


_CONTACT = ("last_name", "first_name", "phone", "email")


def _location(form: Mapping[str, str]) -> str | None:
    """The place in words where there are any, else the point."""
    words = form.get("address_string", "").strip()
    lat, long = form.get("lat", "").strip(), form.get("long", "").strip()
    if not lat and not long:
        if not words:
            raise refused("lat", "place_missing")
        return words
    try:
        point = (float(lat), float(long))
    except ValueError:
        raise refused("lat", "point_invalid") from None
    if not all(map(math.isfinite, point)) or not (-90 <= point[0] <= 90 and -180 <= point[1] <= 180):
        raise refused("lat", "point_invalid")
    return words or f"{point[0]:.6f},{point[1]:.6f}"


def wanted(query: Mapping[str, str], services: Mapping[str, Service], now: datetime) -> Wanted:
    """Which requests a client lists. Raises InvalidInput."""
    numbers = _words(query, "service_request_id")
    codes = _words(query, "service_code")
    unknown = [code for code in codes if code not in services]
    if unknown:
        raise refused("service_code", "service_unknown")
    states = _words(query, "status")
    if set(states) - {"open", "closed"}:
        raise refused("status", "status_invalid")
    since, until = _moment(query, "start_date"), _moment(query, "end_date")
    if not numbers:  # GeoReport: without dates the last ninety days, never more at once
        until = until or now
        since = max(since or until - DAYS, until - DAYS)
    return Wanted(
        numbers=numbers,
        categories=[services[code].category for code in codes],
        done=None if len(set(states)) != 1 else states[0] == "closed",
        since=since,
        until=until,
        updated_since=_moment(query, "updated_after"),
    )


def paging(query: Mapping[str, str]) -> tuple[int, int]:
    """How many requests, and how many before them. Raises InvalidInput."""
    try:
        page, size = int(query.get("page") or 1), int(query.get("page_size") or PAGE)
    except ValueError:
        page = size = 0
    if not (1 <= page <= 10_000 and 1 <= size <= MOST):
        raise refused("page_size", "page_invalid", most=MOST)
    return size, (page - 1) * size


def _words(query: Mapping[str, str], name: str) -> list[str]:
    found = [word.strip() for word in query.get(name, "").split(",") if word.strip()]
    if len(found) > MOST:
        raise refused(name, "list_too_long", most=MOST)
    return found


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "+"))
    except ValueError:
        raise refused(name, "moment_invalid") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZONE)


def shown(complaint: Listed) -> dict[str, Any]:
    """The complaint in GeoReport's fields."""
    point = _POINT.match(complaint.location or "")
    service = Service(complaint.category)
    return {
        "service_request_id": complaint.number,
        "status": "closed" if complaint.done else "open",
        "status_notes": complaint.answer or STATE_NAMES[complaint.state],
        "service_name": str(service.as_dict()["service_name"]),
        "service_code": service.code,
        "description": complaint.text,
        "agency_responsible": complaint.department,
        "service_notice": None,
        "requested_datetime": complaint.filed_at.isoformat(timespec="seconds"),
        "updated_datetime": complaint.updated_at.isoformat(timespec="seconds"),
        "expected_datetime": complaint.due_at.isoformat(timespec="seconds"),
        "address": None if point else complaint.location,
        "address_id": None,
        "zipcode": None,
        "lat": float(point[1]) if point else None,
        "long": float(point[2]) if point else None,
        "media_url": None,
    }


def refused(field: str, key: str, **values: Any) -> WenbanError:
    """A request that cannot be taken, by the field that is at fault."""
    text, remedy = explained(f"open311_{key}", **values)
    return InvalidInput(text, code=key, remedy=remedy, details=[{"field": field}])
