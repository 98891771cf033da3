"""Homes to measure in: a folder with a catalogue imported the way an operator would."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bot.matters.indexing import CACHE
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


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command said and what it cost: seconds by the clock and of processor time, megabytes at its peak."""

    output: str
    seconds: float
    cpu_seconds: float
    peak_mb: float


def wenban(settings: Settings, *arguments: str) -> Ran:
    """Runs a ``wenban`` command over the home. Raises CalledProcessError when it fails."""
    variables = {**os.environ, **environment(settings)}
    started = time.perf_counter()
    process = subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, arguments, output)
    return Ran(output, time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def import_guides(settings: Settings, file: Path) -> Ran:
    """Imports ``file`` as an operator would."""
    return wenban(settings, "import", "guides", str(file), "--json")


def keep_vectors(settings: Settings, kept: Path) -> None:
    """Lets the home's cache of vectors be the file ``kept``, so that the next run encodes nothing a second time."""
    folder = settings.home / "index"
    folder.mkdir(parents=True, exist_ok=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    if not (folder / CACHE).exists():
        (folder / CACHE).symlink_to(kept)
