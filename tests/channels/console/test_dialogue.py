from pathlib import Path

import pytest

from bot.settings import load_settings
from channels.console import dialogue


def test_without_rasas_environment_nothing_is_started_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dialogue, "RASA_PYTHON", tmp_path / "none" / "python")

    assert not dialogue.runs_own_rasa(load_settings(home=tmp_path))

    told = "".join(capsys.readouterr().err.split())
    assert "没有Rasa环境" in told
    assert "makesetup" in told
