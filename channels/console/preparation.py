"""What must be in place before the processes start: folders, schema, a trained Rasa, the sample city, accounts."""

from __future__ import annotations

import shutil
from pathlib import Path

from bot.clock import SystemClock
from bot.people.demo import create_demo_accounts, refuse_demo_accounts
from bot.settings import Settings
from channels.console import parts
from channels.console.dialogue import runs_own_rasa, trained_model
from channels.console.output import SAY, step
from channels.console.processes import ROOT
from channels.console.sample_complaints import load_sample_complaints
from channels.console.samples import load_sample_cases
from channels.learning import labelled_file

SAMPLE_CITY = ROOT / "catalogue"
SAMPLE_CASES = "cases.jsonl"
SAMPLE_QUESTIONS = "questions/development.jsonl"
SAMPLE_COMPLAINTS = "complaints/sample.jsonl"


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
            today = SystemClock().now().date()
            load_sample_cases(parts.casework(settings).keeper, SAMPLE_CITY / SAMPLE_CASES, today, settings.home / "tmp")
            load_sample_complaints(settings, SAMPLE_CITY / SAMPLE_COMPLAINTS, SystemClock().now())
        if settings.environment == "development":
            create_demo_accounts(parts.people(settings), settings)
    return model


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
    labelled = labelled_file(settings)
    if not labelled.exists():  # on which editors' drafts are judged
        shutil.copyfile(SAMPLE_CITY / SAMPLE_QUESTIONS, labelled)
