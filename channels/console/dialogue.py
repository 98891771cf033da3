"""Rasa as the terminal sees it: whether it is ours to start, and its model, trained when its content has changed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bot.errors import Unavailable
from bot.rasa.train import model_path
from bot.settings import Settings
from channels.console.output import SAY, step
from channels.console.processes import RASA_PYTHON, ROOT, rasa_environment

KEPT_LINES = 15


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
