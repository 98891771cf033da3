"""``make bench``: measures the parts asked for, prints tables, writes JSON under var/bench/.

    python -m bench --parts all|sizes,turns,… --sizes 150,3307,45031 --clients 1,4,16,64 --turns 400

Parts: ``sizes`` (import, index, retrieval at each size), ``turns`` (end to end at the largest size), ``rivals`` (the
same questions looked up by BM25, a bare encoder and our index), ``versus`` (ours and a plain Rasa assistant over the
held-out matters, in turn), ``cases`` (a large file of cases imported and looked up, wrong codes tried), ``wechat`` (the
Official Account under retries and kills, posts a second beside WeRoBot), ``filing`` (fifty citizens file while the
gateway is killed ten times), ``supervision`` (a million complaints looked up and watched), ``desk`` (two gateway
workers, a thousand open conversations, a hundred operators' streams).
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

from bench import cases, desk, filing, plain, rivals, sizes, supervision, tables, turns, versus, wechat
from bench.homes import import_guides, settings_for
from bench.measuring import machine
from bot.clock import ZONE
from bot.errors import WenbanError
from bot.settings import Settings, load_settings
from channels.console.examination import held_out_guides, questions_of
from channels.console.output import OUT, SAY, show_error, step
from channels.console.preparation import SAMPLE_CITY
from channels.console.processes import RASA_PYTHON

PARTS = ("sizes", "turns", "rivals", "versus", "cases", "wechat", "filing", "supervision", "desk")


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
        """End to end at the largest size."""
        size = max(self.options.sizes)
        with step(f"整轮对话：{size} 个事项，{self.options.clients} 个同时提问者"):
            measured = turns.measure(self._largest(), self.texts, self.options.clients, self.options.turns)
        self.found["turns"] = {str(size): measured}

    def rivals(self) -> None:
        """The same questions by others."""
        with step("同样的问题由其他方法检索"):
            self.found["rivals"] = rivals.measure(held_out_guides(), self.questions, self.options.bare_encoder)

    def versus(self) -> None:
        """Ours and a plain Rasa assistant over the held-out matters, in turn."""
        if not RASA_PYTHON.exists():
            SAY.print("[yellow]![/] 没有 Rasa 环境（.venv-rasa），不比较普通 Rasa 助手。")
            return
        settings = settings_for(self.folder / "home-held-out")
        guides = self._written(settings.home)
        import_guides(settings, guides)
        with step("训练普通 Rasa 助手（DIET 与 ResponseSelector；同一目录只训练一次）"):
            project, seconds = plain.trained(self.folder.parent / "plain-rasa", guides, self.options.epochs)
        with step(f"问办与普通 Rasa 助手轮流回答，{self.options.clients} 个同时提问者"):
            measured = versus.measure(settings, project, self.questions, self.options.clients, self.options.turns)
        measured["plain_rasa"] |= {"epochs": self.options.epochs, "training_seconds": seconds}
        self.found["versus"] = measured

    def wechat(self) -> None:
        """The Official Account as the platform loads it."""
        with step(f"公众号：{self.options.citizens} 人 {self.options.seconds} 秒，强杀两次；推送吞吐与 WeRoBot 对照"):
            self.found["wechat"] = wechat.measure(
                self.folder / "wechat",
                citizens=self.options.citizens,
                seconds=self.options.seconds,
                kills=2,
                number=self.options.posts,
            )

    def cases(self) -> None:
        """Cases imported, looked up and guessed at."""
        with step(f"办件：{self.options.cases} 件，导入、查询、猜码"):
            self.found["cases"] = cases.measure(
                self.folder, load_settings(), self.options.cases, self.options.look_ups, self.options.wrong
            )

    def filing(self) -> None:
        """Complaints filed by many at once while the gateway is killed."""
        options = self.options
        self.found["filing"] = []
        (self.folder / "filing").mkdir(exist_ok=True)
        for name, url in cases.databases(self.folder / "filing"):
            if url is None:
                continue
            settings = settings_for(self.folder / f"filing-{name}").model_copy(update={"database_url": url})
            with step(f"登记诉求（{name}）：{options.filers} 人，{options.seconds} 秒，强杀 {options.kills} 次"):
                measured = filing.measure(
                    settings, citizens=options.filers, seconds=options.seconds, kills=options.kills
                )
            self.found["filing"].append({"database": name, **measured})

    def supervision(self) -> None:
        """A large city's complaints looked up and watched; nothing where no PostgreSQL answers."""
        with step(f"督办：{self.options.complaints} 件诉求，查询、看板、{self.options.deadlines} 个时限到期"):
            found = supervision.measure(
                self.folder / "supervision", self.options.complaints, self.options.deadlines, self.options.look_ups
            )
        if found is not None:
            self.found["supervision"] = found

    def desk(self) -> None:
        """The operators' desk: two workers, every stream open."""
        options = self.options
        self.found["desk"] = []
        (self.folder / "desk").mkdir(exist_ok=True)
        for name, url in cases.databases(self.folder / "desk"):
            if url is None:
                continue
            settings = settings_for(self.folder / f"desk-{name}").model_copy(update={"database_url": url})
            with step(f"坐席台（{name}）：{options.conversations} 个对话、{options.operators} 位坐席、两个网关"):
                measured = desk.measure(
                    settings,
                    conversations=options.conversations,
                    operators=options.operators,
                    words=options.words,
                    rate=options.rate,
                )
            self.found["desk"].append({"database": name, **measured})

    def _written(self, folder: Path) -> Path:
        file = folder / "guides.jsonl"
        file.write_text("".join(json.dumps(g, ensure_ascii=False) + "\n" for g in held_out_guides()), encoding="utf-8")
        return file

    def _largest(self) -> Settings:
        """The home of the largest size, imported here when ``sizes`` did not run."""
        settings = sizes.home_of(self.folder, max(self.options.sizes))
        if not (settings.home / "wenban.db").exists():
            import_guides(settings, settings.home / "guides.jsonl")
        return settings

    def write(self, target: Path) -> None:
        """Writes what was found so far."""
        target.write_text(json.dumps(self.found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Runs the parts; 0 when all of them could be measured."""
    options = _options()
    try:
        run = Run(options)
        shutil.rmtree(run.folder, ignore_errors=True)
        run.folder.mkdir(parents=True)
        target = run.folder.parent / f"{datetime.now(ZONE):%Y%m%d-%H%M%S}.json"
        for part in options.parts:
            measure: Callable[[], None] = getattr(run, part)
            measure()
            run.write(target)  # after each part: hours may lie between the first and one that fails
    except WenbanError as error:
        show_error(error)
        return 1
    for table in tables.tables(run.found):
        OUT.print(table)
        OUT.print()
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
    parser.add_argument("--citizens", type=int, default=200, help="公众号：同时说话的人数")
    parser.add_argument("--seconds", type=int, default=60, help="公众号、登记诉求：多少秒")
    parser.add_argument("--filers", type=int, default=50, help="登记诉求：同时登记的人数")
    parser.add_argument("--kills", type=int, default=10, help="登记诉求：强杀网关几次")
    parser.add_argument("--posts", type=int, default=5000, help="公众号：测吞吐的推送数")
    parser.add_argument("--bare-encoder", type=Path, default=None, help="未经微调的编码器目录；不给则不比较")
    parser.add_argument("--cases", type=int, default=100_000, help="办件数")
    parser.add_argument("--look-ups", type=int, default=2_000, help="查询办件的次数")
    parser.add_argument("--wrong", type=int, default=10_000, help="试错码的次数")
    parser.add_argument("--complaints", type=int, default=1_000_000, help="督办：诉求数（PostgreSQL）")
    parser.add_argument("--deadlines", type=int, default=10_000, help="督办：一分钟内到期的时限数")
    parser.add_argument("--conversations", type=int, default=1_000, help="坐席台：打开的对话数")
    parser.add_argument("--operators", type=int, default=100, help="坐席台：坐席数")
    parser.add_argument("--words", type=int, default=300, help="坐席台：两个方向各发多少句")
    parser.add_argument("--rate", type=float, default=10.0, help="坐席台：每秒发几句")
    parser.add_argument("--epochs", type=int, default=100, help="普通 Rasa 助手的训练轮数")
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
