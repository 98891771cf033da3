"""``wenban eval relearn``: what learning from the decisions of people would change, doing it, undoing it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from bot.complaints import numbers
from bot.complaints.relearning import LEAST_LESSONS, Otherwise, Review, Score
from bot.errors import InvalidInput, NotFound
from bot.settings import load_settings
from channels.console import parts
from channels.console.complaints import complaints_of
from channels.console.output import OUT, step, table
from channels.console.reporting import interval, percent
from index.evaluation.rates import Rate

ACTOR = "terminal"
SHOWN = 30
"""Complaints that are listed; the JSON report holds all of them."""
LONGEST = 40


def relearn(json_file: Path | None, *, apply: bool, undo: bool) -> None:
    """Shows what re-learning would change; with ``apply`` learns it, with ``undo`` goes back to what was before."""
    if apply and undo:
        raise InvalidInput("--apply 和 --undo 不能一起用。", remedy="先撤销，看一看，再决定要不要学。")
    settings = load_settings()
    parts.upgrade(settings)
    complaints = complaints_of(settings)
    if undo:
        number = complaints.relearning.undo(ACTOR)
        OUT.print(f"✓ 已撤销第 {number} 次学习，新的诉求照撤销后的派。")
        return
    if not complaints.matters.powers():
        raise NotFound(
            f"{settings.home} 里还没有权责清单。",
            code="no_powers",
            remedy="先用 wenban import powers 文件 导入权责清单。",
        )
    with step("对照坐席与单位做过的决定"):
        review = complaints.relearning.apply(ACTOR) if apply else complaints.relearning.review()
    _show(review)
    if json_file:
        json_file.write_text(json.dumps(_value(review), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if apply:
        OUT.print("✓ 已学会，几秒内生效。要退回，用 wenban eval relearn --undo。")
    elif review.gains:
        OUT.print("什么也没有改。要照此派，加 --apply；随时可以 --undo。")
    elif review.decisions < LEAST_LESSONS:
        OUT.print(f"决定太少（至少 {LEAST_LESSONS} 件），还看不出什么。什么也没有改。")
    else:
        OUT.print("学了不会更准，不建议学。什么也没有改。")


def _show(review: Review) -> None:
    rows = [
        *_score_rows("全部", review.before, review.after),
        *_score_rows("其中坐席定的、单位退的", review.before_triaged, review.after_triaged),
    ]
    title = f"{review.decisions} 件有人定过的诉求，其中 {review.triaged} 件由坐席选定或被单位退回"
    OUT.print(table(["", "指标", "现在%", "学了以后%（交叉验证）", "95% 区间", "题数（件）"], rows, title=title))
    if review.in_force is not None:
        OUT.print(f"正用着第 {review.in_force} 次学习；“现在”不算它，是随附的模型自己。")
    if review.otherwise:
        listed = sorted(review.otherwise, key=lambda each: (each.better is not False, each.better is not True))[:SHOWN]
        title = f"会派得不一样的 {len(review.otherwise)} 件"
        if len(listed) < len(review.otherwise):
            title += f"，列出 {len(listed)} 件"
        columns = ["", "编号", "诉求", "现在派", "学了以后派", "最后由谁办"]
        OUT.print(table(columns, [_otherwise(each) for each in listed], title=title))


def _score_rows(name: str, before: Score, after: Score) -> list[list[object]]:
    if not before.of:
        return []
    pairs = [
        ("单位一次对", Rate(before.first, before.of), Rate(after.first, after.of)),
        ("在前三个里", Rate(before.three, before.of), Rate(after.three, after.of)),
        ("直接派出", Rate(before.sent, before.of), Rate(after.sent, after.of)),
        ("直接派出的，单位对", Rate(before.sent_right, before.sent), Rate(after.sent_right, after.sent)),
    ]
    return [[name, title, percent(old.share), percent(new.share), interval(new), new.of] for title, old, new in pairs]


def _otherwise(each: Otherwise) -> list[object]:
    mark = {True: "改对", False: "改错", None: ""}[each.better]
    said = each.text if len(each.text) <= LONGEST else each.text[: LONGEST - 1] + "…"
    return [mark, numbers.aloud(each.number), said, each.before or "", each.after or "", each.right or "（退回后未定）"]


def _value(review: Review) -> dict[str, object]:
    value = asdict(review)
    value["until"] = review.until.isoformat()
    return {"format": 1, "gains": review.gains, **value}
