"""``make bench``: measures the parts asked for, prints tables, writes JSON under var/bench/.

    python -m bench --parts all|sizes,turns,rivals --sizes 150,3307,45031 --clients 1,4,16,64 --turns 400

Parts: ``sizes`` (import, index, retrieval at each size), ``turns`` (end to end on the held-out matters and at the
largest size), ``rivals`` (the same questions by BM25, a bare encoder, a plain Rasa assistant).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import plain, rivals, sizes, tables, turns
from bench.generate import write
from bench.homes import import_guides, settings_for
from bench.measuring import machine
from bot.clock import ZONE
from bot.errors import WenbanError
from bot.settings import Settings, load_settings
from channels.console.examination import held_out_guides, questions_of
from channels.console.output import OUT, SAY, show_error, step
from channels.console.preparation import SAMPLE_CITY
from channels.console.processes import RASA_PYTHON

PARTS = ("sizes", "turns", "rivals")


class Run:
    """One benchmark run: its folder, what it measures with, and what it found so far."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.folder = load_settings().home / "bench" / "work"
        self.questions = questions_of(SAMPLE_CITY / "questions" / "test.jsonl")[: options.questions]
        self.texts = [question.text for question in self.questions]
        self.found: dict[str, Any] = {"started_at": datetime.now(ZONE).isoformat(), "machine": machine()}

    def sizes(self) -> None:
        """Import, index and retrieval at each size."""
        with step(f"导入、索引、检索：{self.options.sizes} 个事项"):
            self.found["sizes"] = sizes.measure(self.folder, self.options.sizes, self.texts[:500])

    def turns(self) -> None:
        """End to end over the held-out matters and at the largest size."""
        self.found["turns"] = {}
        for settings, name in ((self._held_out(), "held_out"), (self._largest(), str(max(self.options.sizes)))):
            with step(f"整轮对话：{name}，{self.options.clients} 个同时提问者"):
                measured = turns.measure(settings, self.texts, self.options.clients, self.options.turns)
            self.found["turns"][name] = measured

    def rivals(self) -> None:
        """The same questions by others."""
        with step("同样的问题由其他方法回答"):
            self.found["rivals"] = rivals.measure(held_out_guides(), self.questions, self.options.bare_encoder)
        if not RASA_PYTHON.exists():
            SAY.print("[yellow]![/] 没有 Rasa 环境（.venv-rasa），不比较普通 Rasa 助手。")
            return
        folder = self.folder / "plain-rasa"
        folder.mkdir(parents=True, exist_ok=True)
        guides = self._written(folder)
        with step("训练普通 Rasa 助手（DIET 与 ResponseSelector）"):
            plain.build(folder / "project", guides, self.options.epochs)
        with step("普通 Rasa 助手回答同样的问题"):
            measured = plain.measure(folder / "project", self.questions, self.options.clients, self.options.turns)
        self.found["plain_rasa"] = measured

    def _held_out(self) -> Settings:
        settings = settings_for(self.folder / "home-held-out")
        import_guides(settings, self._written(settings.home))
        return settings

    def _written(self, folder: Path) -> Path:
        file = folder / "guides.jsonl"
        file.write_text("".join(json.dumps(g, ensure_ascii=False) + "\n" for g in held_out_guides()), encoding="utf-8")
        return file

    def _largest(self) -> Settings:
        """The home of the largest size, made here when ``sizes`` did not run."""
        size = max(self.options.sizes)
        settings = settings_for(self.folder / f"home-{size}")
        file = settings.home / "guides.jsonl"
        if not file.exists():
            write(file, size)
            import_guides(settings, file)
        return settings


def main() -> int:
    """Runs the parts; 0 when all of them could be measured."""
    options = _options()
    try:
        run = Run(options)
        shutil.rmtree(run.folder, ignore_errors=True)
        for part in options.parts:
            measure: Callable[[], None] = getattr(run, part)
            measure()
    except WenbanError as error:
        show_error(error)
        return 1
    for table in tables.tables(run.found):
        OUT.print(table)
        OUT.print()
    target = run.folder.parent / f"{datetime.now(ZONE):%Y%m%d-%H%M%S}.json"
    target.write_text(json.dumps(run.found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    OUT.print(f"JSON：{target}")
    shutil.rmtree(run.folder, ignore_errors=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="问办的基准测试")
    parser.add_argument("--parts", type=_parts, default=PARTS, help=f"all 或其中几个：{','.join(PARTS)}")
    parser.add_argument("--sizes", type=_numbers, default=(150, 3307, 45031), help="事项数")
    parser.add_argument("--clients", type=_numbers, default=(1, 4, 16, 64), help="同时提问的人数")
    parser.add_argument("--turns", type=int, default=400, help="每种人数下的提问数")
    parser.add_argument("--questions", type=int, default=None, help="只用前几个问题")
    parser.add_argument("--bare-encoder", type=Path, default=None, help="未经微调的编码器目录；不给则不比较")
    parser.add_argument("--epochs", type=int, default=40, help="普通 Rasa 助手的训练轮数")
    return parser.parse_args()


def _parts(text: str) -> tuple[str, ...]:
    parts = PARTS if text == "all" else tuple(text.split(","))
    if unknown := set(parts) - set(PARTS):
        raise argparse.ArgumentTypeError(f"没有 {'、'.join(sorted(unknown))}；可用 all 或 {','.join(PARTS)}")
    return parts


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
