"""A run's findings as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from channels.console.output import table
from channels.console.reporting import percent


def tables(found: Mapping[str, Any]) -> Iterator[Table]:
    """A table for each part that was measured."""
    if "sizes" in found:
        yield _imports(found["sizes"])
        yield _retrieval(found["sizes"])
    for name, measured in found.get("turns", {}).items():
        yield _turns(name, measured)
    if "rivals" in found:
        yield _rivals(found["rivals"])
    if "plain_rasa" in found:
        right = percent(found["plain_rasa"]["right_first"]["share"])
        yield _turns(f"普通 Rasa 助手，一次答对 {right}%", found["plain_rasa"])
    if "plain_rasa" in found and "turns" in found:
        yield _ratios(found["turns"]["held_out"]["rows"], found["plain_rasa"]["rows"])


def _imports(rows: list[dict[str, Any]]) -> Table:
    keys = ("matters", "texts", "import_seconds", "import_per_second", "unchanged_seconds", "index_seconds", "index_mb")
    columns = ["事项（个）", "文字（条）", "首次（秒）", "（个/秒）", "无改动（秒）", "重建（秒）", "索引（MB）"]
    return table(columns, [[row[key] for key in keys] for row in rows], title="导入与索引")


def _retrieval(rows: list[dict[str, Any]]) -> Table:
    cells = [[r["matters"], *_latency(r["retrieval_ms"]), r["retrieval_ms"]["process_mb"]] for r in rows]
    columns = ["事项（个）", "p50（毫秒）", "p95（毫秒）", "p99（毫秒）", "进程（MB）"]
    return table(columns, cells, title="检索（含编码）")


def _turns(name: str, measured: Mapping[str, Any]) -> Table:
    title = f"整轮对话（{name}）；内存 MB：" + "，".join(f"{k} {v}" for k, v in measured["memory_mb"].items())
    cells = [[row["clients"], row["per_second"], *_latency(row), row["failures"]] for row in measured["rows"]]
    return table(
        ["同时提问", "每秒（轮）", "p50（毫秒）", "p95（毫秒）", "p99（毫秒）", "失败（轮）"], cells, title=title
    )


def _rivals(measured: Mapping[str, Any]) -> Table:
    cells = [
        [name, percent(r["right_first"]["share"]), percent(r["within_three"]["share"]), *_latency(r["latency_ms"])]
        for name, r in measured.items()
    ]
    columns = ["方法", "一次答对%", "三个之内%", "p50（毫秒）", "p95（毫秒）", "p99（毫秒）"]
    return table(columns, cells, title="同样的问题，其他方法")


def _latency(row: Mapping[str, Any]) -> list[Any]:
    return [row["p50"], row["p95"], row["p99"]]


def _ratios(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> Table:
    """Our turn over the plain Rasa assistant's, at the same number of clients over the same catalogue."""
    cells = [
        [mine["clients"], *(_ratio(mine[key], other[key]) for key in ("p50", "p95", "mean", "per_second"))]
        for mine, other in zip(ours, theirs, strict=True)
    ]
    columns = ["同时提问", "p50（倍）", "p95（倍）", "平均（倍）", "每秒轮数（倍）"]
    return table(columns, cells, title="问办 ÷ 普通 Rasa 助手")


def _ratio(mine: float | None, other: float | None) -> str:
    return "–" if mine is None or not other else f"{mine / other:.2f}"
