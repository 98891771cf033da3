"""``wenban file`` and ``wenban eval complaints``: complaints from the terminal, through the services that serve."""

from __future__ import annotations

import json
import time
from pathlib import Path

from rich.markup import escape

from bot.answers.phrases import Phrases
from bot.clock import SystemClock
from bot.complaints import numbers
from bot.complaints.examining import Examined, examine, read_labelled
from bot.complaints.filing import Asker, Filing
from bot.complaints.model import Kind
from bot.conversations.danger import GENERAL
from bot.errors import InvalidInput, NotFound
from bot.judgements.service import JudgementService
from bot.notifications.service import NotificationService
from bot.settings import Settings, load_settings
from bot.store.sealed import load_sealer
from bot.workdays import load_calendar
from channels.complaints import Complaints
from channels.console import parts
from channels.console.output import OUT, print_json, step, table
from channels.console.reporting import interval, percent
from index.encoder import open_encoder
from index.incident import Incidents

NAMES = {
    "department_first": "承办单位一次对",
    "department_within_three": "承办单位在前三个里",
    "power": "单位对时，权力事项也对",
    "sent_without_asking": "直接派出（其余由坐席定）",
    "sent_right": "直接派出的，单位对",
    "kind": "诉求类型对",
    "category": "小类对",
    "category_upper": "大类对",
    "urgent_found": "紧急的认出来",
    "urgent_false_alarms": "不紧急的误作紧急",
    "duplicates_found": "同一件事的认出来",
    "duplicates_right": "认作同一件事的，确实是",
}


def complaints_of(settings: Settings) -> Complaints:
    """The services over ``settings``."""
    encoder = open_encoder(settings.encoder, threads=settings.encoder_threads)
    store, clock, sealer = parts.store(settings), SystemClock(), load_sealer(settings)
    return Complaints(
        settings,
        store,
        clock,
        sealer,
        load_calendar(settings.home / "calendar"),
        parts.matters(settings),
        lambda: encoder,
        NotificationService(store, clock, sealer, settings),
        JudgementService(store, clock, sealer),
    )


def eval_complaints(file: Path, json_file: Path | None) -> None:
    """Scores the complaints of ``file`` over the published responsibility list and shows the report."""
    labelled = read_labelled(file)
    settings = load_settings()
    parts.upgrade(settings)
    complaints = complaints_of(settings)
    units = frozenset(power.department for power in complaints.matters.powers())
    if not units:
        raise NotFound(
            f"{settings.home} 里还没有权责清单。",
            code="no_powers",
            remedy="先用 wenban import powers 文件 导入权责清单。",
        )
    decisions, seconds = [], []
    with step(f"判断 {len(labelled)} 件诉求") as meter:
        for complaint in labelled:
            begun = time.perf_counter()
            decisions.append(complaints.decider.decide(complaint.text, place=complaint.location))
            seconds.append(time.perf_counter() - begun)
            meter.advance(len(decisions), len(labelled))
    made = examine(labelled, decisions, units, Incidents.beside(complaints.decider.encoder))
    _show(made, sorted(seconds)[len(seconds) // 2])
    if json_file:
        value = {"complaints_file": file.name, "units": len(units), **made.to_dict()}
        json_file.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _show(made: Examined, median: float) -> None:
    rows = [[NAMES[name], percent(r.share), interval(r), r.of] for name, r in made.rates.items() if r.of]
    OUT.print(table(["指标", "比例%", "95% 区间", "题数（件）"], rows, title="诉求"))
    bins = [
        [f"{b.low:.1f}–{b.high:.1f}", b.count, percent(b.confidence), percent(b.right)]
        for b in made.calibration.bins
        if b.count
    ]
    title = f"置信度校准（期望误差 {percent(made.calibration.error)}%）"
    OUT.print(table(["置信度", "诉求（件）", "平均置信度%", "单位对%"], bins, title=title))
    OUT.print(f"每件判断用时（中位数）{1000 * median:.0f} 毫秒。")
    if made.outside:
        OUT.print(f"[bold red]{made.outside} 件的承办单位不在已发布的权责清单里，按判错计。[/]")


def file_complaint(
    text: str, kind: str | None, place: str | None, contact: str | None, key: str | None, *, as_json: bool
) -> None:
    """Files one complaint and prints its number and query code."""
    if kind is not None and kind not in set(Kind):
        raise InvalidInput(f"没有“{kind}”这种诉求类型。", remedy=f"可用的有：{'、'.join(Kind)}。")
    settings = load_settings()
    parts.upgrade(settings)
    filing = Filing(text, Kind(kind) if kind else None, place, contact)
    shown = complaints_of(settings).service.file(filing, Asker("terminal", "terminal"), key)
    if as_json:
        from channels.api.complaints import body

        print_json(body(shown, Phrases(settings.city_name, settings.hotline)))
        return
    if shown.urgent:
        phrases = Phrases(settings.city_name, settings.hotline)
        advice = phrases.say(f"emergency.{shown.danger or GENERAL}")
        OUT.print(f"[bold red]{escape(advice)}[/]")
    rows = [
        ["编号", numbers.aloud(shown.number)],
        ["查询码", shown.query_code],
        ["类型", f"{shown.kind} · {shown.category}"],
        ["承办单位", shown.department or "由坐席确定"],
        ["依据", (shown.candidates[0]["basis"] if shown.department else "")],
        ["办结期限", f"{shown.due_at:%Y-%m-%d %H:%M}"],
    ]
    if shown.duplicate_of:
        rows.append(["同一件事", numbers.aloud(shown.duplicate_of)])
    OUT.print(table(["", ""], rows))
