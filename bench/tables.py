"""A run's findings as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from channels.console.output import table
from channels.console.reporting import percent

NAMES = {"wenban": "问办", "plain_rasa": "普通 Rasa 助手"}


def tables(found: Mapping[str, Any]) -> Iterator[Table]:
    """A table for each part that was measured."""
    if "sizes" in found:
        yield _imports(found["sizes"])
        yield _retrieval(found["sizes"])
    for name, measured in found.get("turns", {}).items():
        yield _turns(name, measured)
    if "wechat" in found:
        yield from _wechat(found["wechat"])
    if "desk" in found:
        yield _desk(found["desk"])
    if "cases" in found:
        yield _cases(found["cases"])
    if "filing" in found:
        yield _filing(found["filing"])
    if "supervision" in found:
        yield from _supervision(found["supervision"])
    if "rivals" in found:
        yield _rivals(found["rivals"])
    if "versus" in found:
        yield _accuracy(found["versus"])
        for name, measured in found["versus"].items():
            yield _turns(NAMES[name], measured)
        yield _ratios(found["versus"]["wenban"], found["versus"]["plain_rasa"])


def _desk(rows: list[dict[str, Any]]) -> Table:
    cells = [
        [row["database"], row["conversations"], row["operators"], way, *_latency(row[key]), *bad]
        for row in rows
        for bad in ([row["lost"], row["doubled"], row["out_of_order"]],)
        for key, way in (("to_desk_ms", "市民→坐席"), ("to_citizen_ms", "坐席→市民"))
    ]
    columns = ["数据库", "对话", "坐席", "", "p50（毫秒）", "p95（毫秒）", "p99（毫秒）", "丢失", "重复", "乱序"]
    return table(columns, cells, title="坐席台（两个网关）")


def _imports(rows: list[dict[str, Any]]) -> Table:
    keys = ("matters", "texts", "encoded", "import_seconds", "import_cpu_seconds", "import_peak_mb")
    keys = (*keys, "unchanged_seconds", "index_seconds", "index_mb")
    columns = [
        "事项",
        "文字",
        "其中编码",
        "首次（秒）",
        "CPU（秒）",
        "峰值（MB）",
        "无改动（秒）",
        "重建（秒）",
        "索引（MB）",
    ]
    return table(columns, [[row[key] for key in keys] for row in rows], title="导入与索引")


def _retrieval(rows: list[dict[str, Any]]) -> Table:
    cells = [
        [row["matters"], how, *_latency(row[key]), row[key]["process_mb"]]
        for row in rows
        for key, how in (("retrieval_ms", "检索"), ("second_look_ms", "检索并复核"))
    ]
    columns = ["事项（个）", "", "p50（毫秒）", "p95（毫秒）", "p99（毫秒）", "进程（MB）"]
    return table(columns, cells, title="检索（含编码）")


def _turns(name: str, measured: Mapping[str, Any]) -> Table:
    title = f"整轮对话（{name}）；内存 MB：" + "，".join(f"{k} {v}" for k, v in measured["memory_mb"].items())
    cells = [
        [row["clients"], row["per_second"], *_latency(row), row["cpu_ms"], row["failures"]] for row in measured["rows"]
    ]
    columns = ["同时提问", "每秒（轮）", "p50（毫秒）", "p95（毫秒）", "p99（毫秒）", "CPU（毫秒/轮）", "失败（轮）"]
    return table(columns, cells, title=title)


def _cases(rows: list[dict[str, Any]]) -> Table:
    cells = [
        [
            row["database"],
            row["cases"],
            row["import_seconds"],
            *_latency(row["look_up_ms"]),
            row["look_up_statements"],
            row["bare_commit_ms"]["p95"],
            *(_ratio(row["look_up_ms"][key], row["bare_commit_ms"][key]) for key in ("p50", "p95")),
            f"{row['wrong_found']} / {row['wrong_checked']} / {row['wrong_locked']}",
        ]
        for row in rows
    ]
    latency = ["p50（毫秒）", "p95（毫秒）", "p99（毫秒）"]
    beside = ["语句（条）", "裸提交 p95（毫秒）", "p50 ÷ 裸提交（倍）", "p95 ÷ 裸提交（倍）"]
    columns = ["数据库", "办件（件）", "导入（秒）", *latency, *beside, "错码：查到 / 核对 / 锁定（次）"]
    return table(columns, cells, title="办件查询")


def _filing(rows: list[dict[str, Any]]) -> Table:
    names = {
        "database": "数据库", "citizens": "人", "seconds": "秒", "kills": "强杀（次）", "acknowledged": "得到编号",
        "stored": "库里", "missing": "丢失", "doubled": "重复", "unasked": "多出", "incomplete": "不完整",
        "told_otherwise": "再问不同", "repeated": "重发得到原编号", "unanswered": "没有应答",
    }  # fmt: skip
    cells = [[*(row[key] for key in names), *_latency(row["answer_ms"]), row["until_number_ms"]["p95"]] for row in rows]
    latency = ["p50（毫秒）", "p95（毫秒）", "p99（毫秒）", "连同重启 p95（毫秒）"]
    return table([*names.values(), *latency], cells, title="登记诉求，网关被强杀")


def _supervision(measured: Mapping[str, Any]) -> Iterator[Table]:
    named = {"查询（编号和查询码）": measured["look_up_ms"], "没有到期时看一遍": measured["idle_turn_ms"]}
    rows = [[name, *_latency(row)] for name, row in {**named, **measured["pages_ms"]}.items()]
    size = f"{measured['complaints']} 件诉求，{measured['database_gb']} GB，生成 {measured['fill_seconds']} 秒"
    yield table(["", "p50（毫秒）", "p95（毫秒）", "p99（毫秒）"], rows, title=f"督办（PostgreSQL，{size}）")
    lag = measured["lag_s"]
    outage = [str(measured[f"outage_{name}"]) for name in ("alarms", "seconds", "notices")]
    cells = [
        ["一分钟内到期（个）", measured["deadlines"]],
        ["发出 / 其中不重复 / 事件（条）", f"{measured['raised']} / {measured['raised_once']} / {measured['events']}"],
        ["两个后台进程各发（条）", "，".join(map(str, measured["by_worker"]))],
        ["到期至发出 p50 / p95 / 最长（秒）", f"{lag['p50']} / {lag['p95']} / {lag['longest']}"],
        ["长时间停机后补发（条 / 秒 / 汇总）", " / ".join(outage)],
    ]
    yield table(["", ""], cells, title="时限到期")


def _rivals(measured: Mapping[str, Any]) -> Table:
    cells = [
        [name, percent(r["right_first"]["share"]), percent(r["within_three"]["share"]), *_latency(r["latency_ms"])]
        for name, r in measured.items()
    ]
    columns = ["方法", "一次答对%", "三个之内%", "p50（毫秒）", "p95（毫秒）", "p99（毫秒）"]
    return table(columns, cells, title="同样的问题，其他方法")


def _latency(row: Mapping[str, Any]) -> list[Any]:
    return [row["p50"], row["p95"], row["p99"]]


def _accuracy(measured: Mapping[str, Mapping[str, Any]]) -> Table:
    keys = ("right", "wrong", "answered_unanswerable")
    cells = [[NAMES[name], *(percent(found[key]["share"]) for key in keys)] for name, found in measured.items()]
    columns = ["助手", "当场答对%", "答错%", "目录里没有却作答%"]
    return table(columns, cells, title="同样的问题，整个助手")


def _ratios(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Table:
    """Our turn over the plain Rasa assistant's, at the same number of clients over the same catalogue."""
    cells = [
        [mine["clients"], *(_ratio(mine[key], other[key]) for key in ("p50", "p95", "mean", "cpu_ms", "per_second"))]
        for mine, other in zip(ours["rows"], theirs["rows"], strict=True)
    ]
    columns = ["同时提问", "p50（倍）", "p95（倍）", "平均（倍）", "CPU（倍）", "每秒轮数（倍）"]
    return table(columns, cells, title="问办 ÷ 普通 Rasa 助手")


def _ratio(mine: float | None, other: float | None) -> str:
    return "–" if mine is None or not other else f"{mine / other:.2f}"


def _wechat(measured: Mapping[str, Any]) -> Iterator[Table]:
    driven = measured["driver"]
    names = {
        "messages": "消息（条）", "posts": "推送（次）", "by_reply": "被动回复（条）", "by_message": "客服消息（条）",
        "lost": "丢失（条）", "doubled": "重复（条）", "later_than_5_s": "超过 5 秒（次）",
    }  # fmt: skip
    title = f"公众号：{driven['citizens']} 人同时，{driven['seconds']} 秒，每条推送三次，强杀 {driven['kills']} 次"
    cells = [[*(driven[key] for key in names), *_latency(driven["wait_ms"])]]
    yield table([*names.values(), "p50（毫秒）", "p95（毫秒）", "p99（毫秒）"], cells, title=title)
    rows = [[name, row["per_second"], *_latency(row), row["failures"]] for name, row in measured["throughput"].items()]
    columns = ["服务", "每秒推送（次）", "p50（毫秒）", "p95（毫秒）", "p99（毫秒）", "失败（次）"]
    yield table(
        columns,
        rows,
        title="公众号：即时回答时的推送吞吐（wenban 先存下每条消息再答；adapter 是同样的收发、不存；WeRoBot 不存）",
    )
