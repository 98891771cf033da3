"""The benchmark of cases, small: what it writes can be imported, looked up and not be guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import cases
from bot.settings import load_settings


def test_a_small_run_measures_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "POSTGRES", "postgresql+psycopg://nobody@127.0.0.1:9/none")
    [row] = cases.measure(tmp_path, load_settings(home=tmp_path / "home"), 60, 20, 40)
    assert 0 < row["look_up_statements"] < 10
    assert row["bare_commit_ms"]["count"] == 20
    assert (row["database"], row["cases"], row["look_up_ms"]["count"]) == ("SQLite", 60, 20)
    assert (row["wrong_found"], row["wrong_checked"], row["wrong_locked"]) == (0, 5, 35)
