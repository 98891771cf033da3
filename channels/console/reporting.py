"""An evaluation's report for people: tables in the terminal, Markdown for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from channels.console.output import table
from index.evaluation.rates import Rate
from index.evaluation.scoring import Report, Scores

NAMES: Mapping[str, str] = {
    "answered_right": "一次答对事项",
    "within_three": "答对，或在至多三个选项中",
    "answered_wrong": "答成别的事项",
    "unanswerable": "无答案的问题未给出指南内容（澄清算一半）",
    "facet": "事项答对时，所问要素答到",
    "facet_exact": "事项答对时，要素不多不少",
    "follow_up_right": "追问一次答对",
    "follow_up_within_three": "追问答对，或在三个选项中",
}
GROUPS: Mapping[str, str] = {"siblings": "有相近事项", "single": "无相近事项"}


def report_tables(report: Report) -> list[Table]:
    """The report as tables: figures, calibration, latency and outcomes, by facet, by sibling group."""
    tables = [table(["指标", "比例%", "95% 区间", "题数（个）"], score_rows(report.scores), title="准确")]
    bins = [
        [f"{b.low:.1f}–{b.high:.1f}", b.count, percent(b.confidence), percent(b.right)]
        for b in report.calibration.bins
        if b.count
    ]
    title = f"置信度校准（期望误差 {percent(report.calibration.error)}%）"
    tables.append(table(["置信度", "回答（个）", "平均置信度%", "答对%"], bins, title=title))
    latency = [[name, "–" if ms is None else f"{ms:.0f}"] for name, ms in report.latency.items()]
    tables.append(table(["每轮耗时", "（毫秒）"], latency))
    tables.append(table(["结果", "（个）"], list(report.outcomes.items())))
    tables.append(group_table("按要素", report.by_facet))
    if report.by_siblings:
        tables.append(group_table("按相近事项", report.by_siblings))
    return tables


def score_rows(scores: Scores) -> list[list[object]]:
    """A row a figure: name, share, interval, number of questions; figures without questions are left out."""
    return [[NAMES[name], percent(r.share), interval(r), r.of] for name, r in scores.rates().items() if r.of]


def group_table(title: str, groups: Mapping[str, Scores]) -> Table:
    """The main figures of each group."""
    rows: list[Sequence[object]] = []
    for name, scores in groups.items():
        figures = [scores.answered_right, scores.within_three, scores.answered_wrong, scores.facet]
        rows.append([GROUPS.get(name, name), scores.questions, *(percent(figure.share) for figure in figures)])
    return table(["", "题数（个）", "一次答对%", "三个之内%", "答错%", "要素%"], rows, title=title)


def percent(share: float | None) -> str:
    """``share`` in percent with one decimal, or a dash."""
    return "–" if share is None else f"{100 * share:.1f}"


def interval(rate: Rate) -> str:
    """The 95 % interval in percent, or a dash."""
    bounds = rate.interval
    return "–" if bounds is None else f"{percent(bounds[0])}–{percent(bounds[1])}"
