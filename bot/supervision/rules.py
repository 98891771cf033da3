"""The rule tables of supervision: ladder, lights, hours, after-care. Shipped, or the city's own file under the home."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

from bot.handoff.hours import Hours
from bot.rule_file import RuleFile, Table
from bot.supervision.model import FORMAL, Clock, Level, Recipient, Step, Yellow

OWN_FILE = "supervision.toml"
"""Under the home: a city's own rules in place of the shipped ones."""
MOST_DAYS = 250
MOST_HOURS = 1_000

_LEVELS = {level.name.lower(): level for level in Level}
_PARTS = {"gather_minutes", "hours", "lights", "step", "rectification", "callback", "closing"}


@dataclass(frozen=True, slots=True)
class AftercareRules:
    """What follows an answer; all in working days. ``answer_callback`` 0: only bad judgements are called about."""

    rectification: int
    poor_callback: int
    answer_callback: int
    attempts: int
    close_reviewed: int
    close_answered: int


@dataclass(frozen=True, slots=True)
class Rules:
    """All of it. ``ladder``: the steps of each clock, the mildest first."""

    gather: timedelta
    hours: Hours
    yellow: Mapping[Clock, Yellow]
    ladder: Mapping[Clock, tuple[Step, ...]]
    aftercare: AftercareRules

    def step(self, clock: Clock, level: Level) -> Step | None:
        """The rung of that level, where the clock has one."""
        return next((step for step in self.ladder[clock] if step.level is level), None)

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Rules:
        """The rules in ``values``; raises ValueError (in Chinese) that names the faulty part."""
        _known(values, _PARTS, "规则")
        steps = values.get("step", [])
        if not isinstance(steps, list) or not steps:
            raise ValueError("至少要有一个 [[step]]")
        ladder: dict[Clock, list[Step]] = {clock: [] for clock in Clock}
        for number, part in enumerate(steps, 1):
            with _named(f"第 {number} 个 [[step]]"):
                step = _step(_table(part))
                for clock in _several(part, "clocks", {clock.value: clock for clock in Clock}):
                    ladder[clock].append(step)
        for clock, found in ladder.items():
            _check_ladder(clock, found)
        with _named("[hours]"):
            hours = Hours.parse(_table(values.get("hours", {})))
        return cls(
            gather=timedelta(minutes=_number(values, "gather_minutes", 1, 120)),
            hours=hours,
            yellow=_lights(_table(values.get("lights", {}))),
            ladder={clock: tuple(sorted(found, key=lambda step: step.level)) for clock, found in ladder.items()},
            aftercare=_aftercare(values),
        )


def shipped_text() -> str:
    """The rules that ship, as text to begin from."""
    return files("bot.supervision").joinpath("rules.toml").read_text("utf-8")


TABLE = Table(
    name="supervision_rules",
    title="督办规则",
    file=OWN_FILE,
    page="docs/supervision.md",
    shipped=shipped_text,
    parse=lambda text: Rules.parse(tomllib.loads(text)),
)


def parse_text(text: str) -> Rules:
    """The rules in the text of a file. Raises InvalidInput that says what is wrong and where."""
    return TABLE.checked(text)


class RulesFile(RuleFile[Rules]):
    """The rules of supervision in force."""

    def __init__(self, home: Path, on_change: Callable[[Rules], None] = lambda _: None) -> None:
        super().__init__(home, TABLE, on_change)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Puts the name of the part in front of what was wrong in it."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{name}：{error}") from None


def _known(values: Mapping[str, Any], names: set[str], what: str) -> None:
    if unknown := set(values) - names:
        raise ValueError(f"{what}里没有 {min(unknown)} 这一项")


def _table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("应是一节设置")
    return value


def _number(values: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = values.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} 应为 {least} 到 {most} 的整数")
    return value


def _hours(values: Mapping[str, Any], name: str) -> float:
    value = values.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= MOST_HOURS:
        raise ValueError(f"{name} 应为 0 到 {MOST_HOURS} 的数")
    return float(value)


def _several(values: Mapping[str, Any], name: str, known: Mapping[str, Any]) -> list[Any]:
    said = values.get(name)
    if not isinstance(said, list) or not said or any(each not in known for each in said):
        raise ValueError(f"{name} 应是 {'、'.join(known)} 中的几个")
    if len(set(said)) < len(said):
        raise ValueError(f"{name} 里有重复")
    return [known[each] for each in said]


def _step(part: Mapping[str, Any]) -> Step:
    _known(
        part,
        {"level", "clocks", "to", "days_left", "days_over", "hours_left", "hours_over", "answer_days"},
        "这一步",
    )
    level = _LEVELS.get(str(part.get("level")))
    if level is None:
        raise ValueError(f"level 应为 {'、'.join(_LEVELS)} 之一")
    timed = [name for name in ("days_left", "days_over", "hours_left", "hours_over") if name in part]
    wanted = {"days_left", "hours_left"} if level < Level.OVERDUE else {"days_over", "hours_over"}
    if level is Level.OVERDUE and timed:
        raise ValueError("overdue 在到期时发出，不写天数或小时")
    if level is not Level.OVERDUE and (not timed or set(timed) - wanted):
        raise ValueError(f"{part['level']} 要写 {'、'.join(sorted(wanted))}（至少一个）")
    days: int | None = None
    hours: float | None = None
    if "days_left" in part:
        days = _number(part, "days_left", 0, MOST_DAYS)
    if "days_over" in part:
        days = -_number(part, "days_over", 1, MOST_DAYS)
    if "hours_left" in part:
        hours = _hours(part, "hours_left")
    if "hours_over" in part:
        hours = -_hours(part, "hours_over")
    answer = None
    if "answer_days" in part:
        if level not in FORMAL:
            raise ValueError(f"{part['level']} 不用答复，不写 answer_days")
        answer = _number(part, "answer_days", 1, MOST_DAYS)
    recipients = tuple(_several(part, "to", {role.value: role for role in Recipient}))
    return Step(level, recipients, days, hours, answer)


def _check_ladder(clock: Clock, steps: Sequence[Step]) -> None:
    """Every level once; the graver never before the milder."""
    ordered = sorted(steps, key=lambda step: step.level)
    for first, second in pairwise(ordered):
        if first.level is second.level:
            raise ValueError(f"时钟 {clock.value} 有两个 {first.level.name.lower()}")
    for unit in ("days", "hours"):
        times = [(step.level, 0 if step.level is Level.OVERDUE else getattr(step, unit)) for step in ordered]
        for (milder, left), (graver, later) in pairwise([each for each in times if each[1] is not None]):
            if later > left or (later == left and Level.OVERDUE not in (milder, graver)):
                raise ValueError(f"时钟 {clock.value} 的 {graver.name.lower()} 应晚于 {milder.name.lower()}（{unit}）")


def _lights(values: Mapping[str, Any]) -> dict[Clock, Yellow]:
    with _named("[lights]"):
        _known(values, {"days", "hours", "clock"}, "信号灯")
        usual = {"days": values.get("days"), "hours": values.get("hours")}
        own = _table(values.get("clock", {}))
        _known(own, {clock.value for clock in Clock}, "时钟")
        found = {}
        for clock in Clock:
            part = _table(own.get(clock.value, {}))
            _known(part, {"days", "hours"}, clock.value)
            merged = {**usual, **part}
            found[clock] = Yellow(_number(merged, "days", 0, MOST_DAYS), _hours(merged, "hours"))
        return found


def _aftercare(values: Mapping[str, Any]) -> AftercareRules:
    parts = {name: _table(values.get(name, {})) for name in ("rectification", "callback", "closing")}
    with _named("[rectification]"):
        _known(parts["rectification"], {"days"}, "整改")
        rectification = _number(parts["rectification"], "days", 1, MOST_DAYS)
    with _named("[callback]"):
        _known(parts["callback"], {"poor_days", "answer_days", "attempts"}, "回访")
        poor = _number(parts["callback"], "poor_days", 1, MOST_DAYS)
        answer = _number(parts["callback"], "answer_days", 0, MOST_DAYS)
        attempts = _number(parts["callback"], "attempts", 1, 20)
    with _named("[closing]"):
        _known(parts["closing"], {"reviewed_days", "answered_days"}, "办结")
        reviewed = _number(parts["closing"], "reviewed_days", 0, MOST_DAYS)
        answered = _number(parts["closing"], "answered_days", 1, MOST_DAYS)
    return AftercareRules(rectification, poor, answer, attempts, reviewed, answered)
