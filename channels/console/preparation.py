"""What must be in place before the processes start: folders, schema, a trained Rasa, the sample city, accounts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bot.errors import Unavailable
from bot.people.demo import create_demo_accounts, refuse_demo_accounts
from bot.rasa.train import model_path
from bot.settings import Settings
from channels.console import parts
from channels.console.output import SAY, step
from channels.console.processes import RASA_PYTHON, ROOT, rasa_environment

SAMPLE_CITY = ROOT / "catalogue"
KEPT_LINES = 15


def prepare(settings: Settings, *, sample_city: bool) -> Path | None:
    """Makes everything ready; the path of Rasa's model, or None where Rasa does not run here.

    Each part is passed over in a moment when it is already there. Raises WenbanError.
    """
    parts.upgrade(settings)
    refuse_demo_accounts(parts.people(settings), settings)
    model = trained_model(settings) if runs_own_rasa(settings) else None
    if sample_city:
        load_sample_city(settings)
        if settings.environment == "development":
            create_demo_accounts(parts.people(settings), settings)
    return model


def runs_own_rasa(settings: Settings) -> bool:
    """Whether Rasa is ours to start: not when configured elsewhere, not when its environment is missing (said)."""
    if not rasa_is_local(settings):
        return False
    if RASA_PYTHON.exists():
        return True
    SAY.print("[yellow]![/] 没有 Rasa 环境（.venv-rasa）：网关将自行从索引回答，对话能力受限。运行 make setup 可安装。")
    return False


def rasa_is_local(settings: Settings) -> bool:
    """Whether Rasa is to be reached on this machine's configured port, where we start it."""
    return settings.rasa_url == f"http://127.0.0.1:{settings.rasa_port}"


def trained_model(settings: Settings) -> Path:
    """Trains Rasa unless a model of the present content is there; the model's path. Raises Unavailable."""
    model = model_path(settings.home)
    if not model.exists():
        with step("训练 Rasa（只在内容变化后第一次，约一分钟）"):
            _train(settings.home)
    return model


def _train(home: Path) -> None:
    command = [str(RASA_PYTHON), "-m", "bot.rasa.train", "--home", str(home)]
    run = subprocess.run(  # noqa: S603 - our own program
        command, cwd=ROOT, env={**os.environ, **rasa_environment()}, capture_output=True, text=True, check=False
    )
    if run.returncode:
        said = "\n".join((run.stdout + run.stderr).splitlines()[-KEPT_LINES:])
        raise Unavailable(
            f"Rasa 训练失败。最后的输出：\n{said}",
            code="training_failed",
            remedy="请检查 nlu_data/、domain.yml、config.yml 的改动；若环境损坏，删除 .venv-rasa 后运行 make setup。",
        )


def load_sample_city(settings: Settings) -> None:
    """Imports the imaginary city 云山市 into an empty catalogue; a catalogue with guides is left alone."""
    matters = parts.matters(settings)
    if matters.current_version() is not None:
        return
    with step("导入示例城市云山市的办事指南（虚构）") as meter:
        report = matters.import_guides(SAMPLE_CITY / "guides.jsonl", progress=meter.phase)
    SAY.print(f"  {report.added} 个事项，目录版本 {report.version}")
    with step("导入示例权责清单") as meter:
        matters.import_powers(SAMPLE_CITY / "powers.jsonl", progress=meter.phase)
