"""Homes to measure in: a folder with a catalogue imported the way an operator would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bot.settings import Settings, load_settings
from channels.console.processes import ROOT, environment

COMMAND = [sys.executable, "-c", "from channels.cli import main; main()"]


def settings_for(home: Path) -> Settings:
    """The settings of this environment with everything under ``home``; the trained Rasa is shared."""
    kept = load_settings()
    home.mkdir(parents=True, exist_ok=True)
    models = kept.home / "rasa"
    models.mkdir(parents=True, exist_ok=True)
    if not (home / "rasa").exists():
        (home / "rasa").symlink_to(models)
    return kept.model_copy(update={"home": home, "database_url": f"sqlite:///{home / 'wenban.db'}"})


def wenban(settings: Settings, *arguments: str) -> str:
    """Runs a ``wenban`` command over the home; its standard output. Raises CalledProcessError when it fails."""
    variables = {**os.environ, **environment(settings)}
    run = subprocess.run([*COMMAND, *arguments], cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True, check=True)
    return run.stdout


def import_guides(settings: Settings, file: Path) -> dict[str, Any]:
    """Imports ``file``; the command's report."""
    report: dict[str, Any] = json.loads(wenban(settings, "import", "guides", str(file), "--json"))
    return report
