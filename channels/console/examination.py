"""The commands under ``eval``: choose the assistant and the catalogue, put the questions, report."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from bot.errors import InvalidInput, NotFound
from bot.settings import Settings, load_settings
from channels.console import parts
from channels.console.evaluating import put
from channels.console.output import OUT, SAY, step
from channels.console.preparation import SAMPLE_CITY
from channels.console.reporting import report_tables
from channels.console.service import temporary, until_searchable
from index.evaluation.questions import Question, QuestionsFaulty, read_questions
from index.evaluation.scoring import Record, Report, described, report

FAMILIES_HELD_OUT = ("development", "test")
ELSEWHERE = ("check", "unseen", "blind")
HELD_OUT = (*FAMILIES_HELD_OUT, *ELSEWHERE)
REPORTED = ("test", *ELSEWHERE)
"""What took part in no training; the shipped models have seen development questions."""


async def eval_questions(
    file: Path, json_file: Path | None, wrong_file: Path | None, clients: int, server: str | None
) -> None:
    """Scores the questions of ``file`` against the published catalogue and shows the report."""
    settings = load_settings()
    questions = questions_of(file)
    parts.upgrade(settings)
    if not server and parts.matters(settings).current_version() is None:
        raise NotFound(
            f"{settings.home} 里还没有已发布的目录。",
            code="no_catalogue",
            remedy="先用 wenban import guides 文件 导入办事指南，或用 --server 指定一个正在运行的服务。",
        )
    records = await records_of(settings, questions, clients, server)
    made = report(records, sibling_sizes(settings))
    show(made)
    if json_file:
        write_report(json_file, made, file)
    if wrong_file:
        wrong = (json.dumps(described(record), ensure_ascii=False) + "\n" for record in made.wrong)
        wrong_file.write_text("".join(wrong), encoding="utf-8")


def eval_held_out(part: str, clients: int, *, write_docs: bool) -> None:
    """Scores ``part``'s questions in a home of its own that holds only guides kept out of all training.

    ``development`` and ``test`` ask about families of the sample city, the others about other cities by other authors.
    """
    if part not in HELD_OUT:
        raise InvalidInput(f"没有“{part}”这一组问题。", remedy=f"可用的有：{'、'.join(HELD_OUT)}。")
    if write_docs and part not in REPORTED:
        raise InvalidInput(
            f"“{part}”参与过训练，它的数字不写进文档。",
            code="not_for_docs",
            remedy=f"可以写的有：{'、'.join(REPORTED)}。",
        )
    file = SAMPLE_CITY / (f"elsewhere/{part}/questions.jsonl" if part in ELSEWHERE else f"questions/{part}.jsonl")
    kept = load_settings()
    with tempfile.TemporaryDirectory(prefix="wenban-eval-") as folder:
        home = Path(folder)
        settings = kept.model_copy(update={"home": home, "database_url": f"sqlite:///{home / 'wenban.db'}"})
        (kept.home / "rasa").mkdir(parents=True, exist_ok=True)
        (home / "rasa").symlink_to(
            kept.home / "rasa"
        )  # the trained dialogue is the same; only the catalogue is another
        parts.upgrade(settings)
        guides = city_elsewhere(part) if part in ELSEWHERE else held_out_guides()
        catalogue = home / "held-out.jsonl"
        catalogue.write_text("".join(json.dumps(g, ensure_ascii=False) + "\n" for g in guides), encoding="utf-8")
        with step(f"导入训练从未见过的 {len(guides)} 个事项") as meter:
            parts.matters(settings).import_guides(catalogue, progress=meter.phase)
        records = asyncio.run(records_of(settings, questions_of(file), clients, None))
        made = report(records, sibling_sizes(settings))
    show(made)
    result = kept.home / "evaluation" / f"{part}.json"
    result.parent.mkdir(parents=True, exist_ok=True)
    write_report(result, made, file)
    SAY.print(f"报告：{result}")
    if write_docs:
        from channels.console.pages import write_evaluation

        write_evaluation(part, made, len(guides))


def city_elsewhere(name: str) -> list[dict[str, Any]]:
    """All guides of a city that nothing was trained on."""
    file = SAMPLE_CITY / "elsewhere" / name / "guides.jsonl"
    return list(map(json.loads, file.read_text(encoding="utf-8").splitlines()))


def held_out_guides() -> list[dict[str, Any]]:
    """The sample city's guides whose families are held out of all training."""
    families = json.loads((SAMPLE_CITY / "questions" / "families.json").read_text(encoding="utf-8"))
    guides = map(json.loads, (SAMPLE_CITY / "guides.jsonl").read_text(encoding="utf-8").splitlines())
    return [guide for guide in guides if families.get(guide.get("catalog_code")) in FAMILIES_HELD_OUT]


def questions_of(file: Path) -> list[Question]:
    """The questions of ``file``. Raises InvalidInput with every faulty line."""
    try:
        questions = read_questions(file)
    except OSError as error:
        raise InvalidInput(f"读不到文件 {file}：{error.strerror}。", remedy="请检查路径。") from error
    except QuestionsFaulty as error:
        raise InvalidInput(
            f"{file} 有 {len(error.faults)} 行不是可评测的问题，没有开始评测。",
            code="questions_faulty",
            remedy="每行应为 {text, matter, facet, context?, matter_any?}，说明见 docs/evaluation.md。",
            details=[{"line": f.line, "field": f.field, "reason": f.reason} for f in error.faults],
        ) from error
    if not questions:
        raise InvalidInput(f"{file} 里没有问题。", remedy="请给出至少一行问题。")
    return questions


async def records_of(
    settings: Settings, questions: Sequence[Question], clients: int, server: str | None
) -> list[Record]:
    """Puts ``questions`` to ``server``, or to one that is started for them."""
    title = f"提问 {len(questions)} 个"
    async with _at(server) if server else temporary(settings) as url:
        await until_searchable(url)
        with step(title) as meter:
            return await put(url, questions, clients, meter)


@contextlib.asynccontextmanager
async def _at(server: str) -> AsyncIterator[str]:
    yield server.rstrip("/")


def sibling_sizes(settings: Settings) -> dict[str, int]:
    """How many published matters share each matter's basic-catalogue number, by the matter's code."""
    families = {guide.code: guide.catalog_code for guide in parts.matters(settings).guides()}
    sizes = Counter(families.values())
    return {code: sizes[family] if family else 1 for code, family in families.items()}


def show(made: Report) -> None:
    """Prints the report."""
    for table in report_tables(made):
        OUT.print(table)
        OUT.print()
    if errors := made.outcomes.get("error", 0):
        OUT.print(f"[bold red]其中 {errors} 个问题没有得到回答（出错），按出错计分：请看网关日志。[/]")
    OUT.print(f"答错或误答的共 {len(made.wrong)} 个：用 --wrong 文件 或 --json 文件 逐个查看。")


def write_report(target: Path, made: Report, questions: Path) -> None:
    """Writes the JSON form of the report."""
    value = {"questions_file": questions.name, **made.to_dict()}
    target.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
