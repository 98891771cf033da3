"""Reading cases from a view of the business system's own database: incrementally, and never writing there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from pydantic import ValidationError
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from bot.cases.form import CASES
from bot.cases.keeping import CaseKeeper
from bot.cases.model import EARLIEST, Case
from bot.clock import ZONE
from bot.errors import ConfigurationError
from bot.matters.faults import Notes
from bot.matters.rows import Row
from bot.matters.validation import validated
from bot.settings import Settings

log = structlog.get_logger("wenban.feed")

BATCH = 500
_LISTS = ("stages", "pauses")
_APPLICANT = ("name", "id_number", "phone")


class CaseFeed:
    """One view. Rows come by ``updated_at``; those of the latest moment are read again, for more may share it."""

    def __init__(self, engine: Engine, query: str, source: str, keeper: CaseKeeper) -> None:
        self._engine = engine
        self._query = text(query)
        self._source = source
        self._keeper = keeper
        self._said = ""

    def read(self, now: datetime) -> None:  # noqa: ARG002  (the signature of a job)
        """Takes what changed since the last reading. What is faulty is left out and written down, with the reason."""
        cursor = self._keeper.cursor(self._source)
        latest, taken = cursor, 0
        trouble: dict[str, str] = {}
        try:
            with self._engine.connect() as connection:
                since = (cursor or EARLIEST).astimezone(ZONE).replace(tzinfo=None)
                result = connection.execution_options(yield_per=BATCH).execute(self._query, {"since": since})
                for rows in result.mappings().partitions(BATCH):
                    cases: list[Case] = []
                    for row in rows:
                        case = self._case(row, trouble)
                        if case is not None:
                            cases.append(case)
                    trouble |= self._keeper.put_many(cases, self._source)
                    taken += len(cases)
                    moments = [case.updated_at for case in cases if case.updated_at is not None]
                    latest = max([*moments, *([latest] if latest else [])], default=latest)
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0][:300]
            if reason != self._said:
                log.error("case_view_unreadable", source=self._source, reason=reason)
            self._said = reason
            trouble = {"*": reason}
        else:
            self._said = ""
        self._keeper.record_reading(self._source, latest, taken, trouble)

    def close(self) -> None:
        self._engine.dispose()

    def _case(self, row: Mapping[Any, Any], trouble: dict[str, str]) -> Case | None:
        values = {str(key).lower(): value for key, value in row.items()}
        number = str(values.get("number") or "?")
        try:
            found = validated(Row(0, _nested(values)), CASES, Case, Notes())
        except (ValueError, ValidationError) as error:
            trouble[number] = str(error)[:200]
            return None
        if isinstance(found, list):
            trouble[number] = str(found[0])[:200]
            return None
        if found.updated_at is None:
            trouble[number] = "缺少更新时间 updated_at，无法增量读取"
            return None
        return found


def make_feed(settings: Settings, keeper: CaseKeeper) -> CaseFeed | None:
    """The feed of the settings; None where there is none. Raises ConfigurationError where only half of it is there."""
    url, query = settings.case_view_url, settings.case_view_query
    if url is None and query is None:
        return None
    if url is None or query is None or ":since" not in query:
        name = "WENBAN_CASE_VIEW_URL" if url is None else "WENBAN_CASE_VIEW_QUERY"
        raise ConfigurationError(
            f"办件视图没有配全：{name} 缺少或没有 :since。",
            code="case_view_settings",
            remedy="两个设置要同时给；查询形如 SELECT … FROM 视图 WHERE updated_at >= :since ORDER BY updated_at。",
            details=[{"setting": name}],
        )
    try:
        engine = create_engine(url.get_secret_value(), pool_pre_ping=True, pool_size=1)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise ConfigurationError(
            "设置 WENBAN_CASE_VIEW_URL 不是可用的数据库地址。",
            code="case_view_settings",
            remedy="请用 SQLAlchemy 的写法，并安装对应的数据库驱动。",
            details=[{"setting": "WENBAN_CASE_VIEW_URL"}],
        ) from error
    return CaseFeed(engine, query, settings.case_view_source, keeper)


def _nested(values: dict[str, Any]) -> dict[str, Any]:
    """A flat row in the exchange format: lists as JSON text, ``applicant_…`` and ``promised_…`` drawn together.

    Raises ValueError where a list is no JSON.
    """
    for key in _LISTS:
        given = values.get(key)
        if isinstance(given, str | bytes):
            try:
                values[key] = orjson.loads(given) if given else []
            except orjson.JSONDecodeError:
                raise ValueError(f"{key} 不是 JSON 列表") from None
        elif given is None:
            values[key] = []
    values["applicant"] = {part: values.pop(f"applicant_{part}", None) for part in _APPLICANT}
    value, unit = values.pop("promised_value", None), values.pop("promised_unit", None)
    if value is not None:
        values["promised_limit"] = {"value": value, "unit": unit or "工作日"}
    for key in ("updated_at", "closed_at"):
        moment = values.get(key)
        if isinstance(moment, datetime) and moment.tzinfo is UTC:
            values[key] = moment.astimezone(ZONE)
    return values
