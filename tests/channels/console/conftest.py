from collections.abc import Callable
from pathlib import Path

import pytest

from channels import cli

Wenban = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, named by the environment as an operator would."""
    folder = tmp_path / "home"
    monkeypatch.setenv("WENBAN_HOME", str(folder))
    monkeypatch.delenv("WENBAN_DATABASE_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return folder


@pytest.fixture
def wenban(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Wenban:
    """Runs a ``wenban`` command in this process: its status, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["wenban", *arguments])
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = int(end.code or 0)
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run
