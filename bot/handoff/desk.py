"""The desk of a city as ``desk.toml`` describes it: queues with their hours, rules, canned replies, numbers."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from bot.errors import ConfigurationError
from bot.handoff.hours import Hours
from bot.handoff.model import Canned, Limits, Rule

_MINUTES = {
    "first_reply": "first_reply_minutes",
    "silent": "silent_minutes",
    "give_up": "give_up_minutes",
    "gone": "gone_minutes",
    "alone": "alone_minutes",
    "expected": "expected_minutes",
}
_OUTCOMES = frozenset({"answered", "clarify", "unknown", "case", "complaint", "error"})


@dataclass(frozen=True, slots=True)
class Queue:
    """Where calls wait. ``departments``: questions about their matters come here; ``operators``: whose skill it is, by
    username, empty for everybody.
    """

    name: str
    title: str
    hours: Hours
    departments: frozenset[str]
    operators: frozenset[str] = frozenset()

    def serves(self, username: str) -> bool:
        """Whether calls of this queue are for that operator."""
        return not self.operators or username in self.operators


@dataclass(frozen=True, slots=True)
class Desk:
    """The whole of it. ``queues``: at least one, the first being everybody's."""

    limits: Limits
    queues: tuple[Queue, ...]
    rules: tuple[Rule, ...]
    canned: tuple[Canned, ...]
    tags: tuple[str, ...] = ()

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Desk:
        """The desk in ``values``; raises ValueError (in Chinese)."""
        unknown = set(values) - {"limits", "hours", "queue", "rule", "canned", "tags"}
        if unknown:
            raise ValueError(f"没有 {min(unknown)} 这一项")
        hours = {name: Hours.parse(part) for name, part in values.get("hours", {}).items()}
        queues = tuple(_queue(part, hours) for part in values.get("queue", ()))
        if not queues:
            raise ValueError("至少要有一个 [[queue]]")
        if len({queue.name for queue in queues}) < len(queues):
            raise ValueError("两个队列同名")
        try:
            canned = tuple(Canned(str(part["title"]), str(part["text"])) for part in values.get("canned", ()))
        except KeyError as error:
            raise ValueError(f"常用语缺少 {error}") from None
        tags = tuple(str(each) for each in values.get("tags", ()))
        rules = tuple(_rule(part) for part in values.get("rule", ()))
        return cls(_limits(values.get("limits", {})), queues, rules, canned, tags)

    def queue(self, name: str) -> Queue:
        """The queue of that name; the first one where a queue was taken out of the file meanwhile."""
        return next((queue for queue in self.queues if queue.name == name), self.queues[0])

    def queue_for(self, department: str | None) -> Queue:
        """Where a question about a matter of ``department`` waits."""
        return next((queue for queue in self.queues if department in queue.departments), self.queues[0])

    def called_by_rule(self, matter: str | None, department: str | None, outcome: str) -> bool:
        """Whether a rule calls a person after this answer."""
        return any(rule.applies(matter, department, outcome) for rule in self.rules)


def load_desk(own: Path | None = None) -> Desk:
    """The city's own file, else the shipped one. Raises ConfigurationError that names the file and the fault."""
    if own is None:
        return Desk.parse(tomllib.loads(files("bot.handoff").joinpath("desk.toml").read_text("utf-8")))
    try:
        return Desk.parse(tomllib.loads(own.read_text("utf-8")))
    except (ValueError, OSError) as error:
        raise ConfigurationError(
            f"坐席台文件 {own} 无法使用：{error}",
            code="desk_file_invalid",
            remedy="请对照 docs/desk.md 改正 WENBAN_DESK_FILE 指向的文件，或去掉这个设置。",
        ) from error


def _limits(values: Mapping[str, Any]) -> Limits:
    try:
        numbers = {field: float(values[name]) for field, name in _MINUTES.items()}
        parallel, message = int(values["parallel"]), float(values["message_hours"])
        offer = float(values.get("offer_seconds", 30))
    except KeyError as error:
        raise ValueError(f"[limits] 缺少 {error}") from None
    except TypeError:
        raise ValueError("[limits] 里都应是数字") from None
    if min(*numbers.values(), message) <= 0 or parallel < 1 or offer < 0:
        raise ValueError("[limits] 里的数都应大于零（offer_seconds 可以是零）")
    times = {field: timedelta(minutes=number) for field, number in numbers.items()}
    return Limits(parallel=parallel, message=timedelta(hours=message), offer=timedelta(seconds=offer), **times)


def _queue(part: Mapping[str, Any], hours: Mapping[str, Hours]) -> Queue:
    name = str(part.get("name", ""))
    if not 0 < len(name) <= 40:
        raise ValueError("队列要有名称 name，最多 40 个字")
    if part.get("hours") not in hours:
        raise ValueError(f"队列 {name} 的办公时间“{part.get('hours')}”没有定义")
    departments = frozenset(str(each) for each in part.get("departments", ()))
    operators = frozenset(str(each) for each in part.get("operators", ()))
    return Queue(name, str(part.get("title") or name), hours[part["hours"]], departments, operators)


def _rule(part: Mapping[str, Any]) -> Rule:
    said = part.get("outcome", ["answered"])
    outcomes = frozenset([said] if isinstance(said, str) else said)
    if not outcomes or outcomes - _OUTCOMES:
        raise ValueError(f"规则的 outcome 应为 {'、'.join(sorted(_OUTCOMES))} 中的几个")
    if not part.get("matter") and not part.get("department"):
        raise ValueError("规则要写明 matter 或 department")
    return Rule(outcomes, part.get("matter"), part.get("department"))
