"""Adds the catalogue's training questions and complaints to the examples written in `nlu_data/`.

They have one home, `catalogue/`, from which the search index learns too; copying them here would let the copies drift
apart. The files held out for development and testing are never named in `config.yml`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

INTENT_OF_CHANGE = {"situation": "give_situation", "correction": "correct_self"}
"""What a follow-up does, by the change it makes; every other question asks for a guide."""

ONLY_ASKS = "咨询"
"""The kind of those rows among the complaints that complain of nothing."""


class CatalogueImporter(RasaFileImporter):
    """`questions`, `asking` and `complaints`: JSON Lines files, relative to the working folder; `importance`: how much
    one of their rows counts.

    `asking` are questions to other cities and of no city. They teach which facets are asked for and no intent: as
    further questions about guides they made no intent surer and outweighed a few dangers.
    """

    def __init__(
        self,
        config_file: str | None = None,
        domain_path: str | None = None,
        training_data_paths: list[str] | str | None = None,
        questions: list[str] | None = None,
        asking: list[str] | None = None,
        complaints: list[str] | None = None,
        importance: float = 1.0,
    ) -> None:
        super().__init__(config_file, domain_path, training_data_paths)
        self._questions = [Path(path) for path in questions or []]
        self._asking = [Path(path) for path in asking or []]
        self._complaints = [Path(path) for path in complaints or []]
        self._importance = importance
        self._read_once: dict[str | None, TrainingData] = {}

    def get_nlu_data(self, language: str | None = "en") -> TrainingData:
        """The examples of `nlu_data/` and every row of the files; Rasa asks several times, reading is slow."""
        if language not in self._read_once:
            examples = [self._question(row) for path in self._questions for row in _rows(path)]
            asking = [row for path in self._asking for row in _rows(path)]
            examples += [self._message(row["text"], None, row["facets"]) for row in asking if row.get("facets")]
            complaints = [row for path in self._complaints for row in _rows(path)]
            examples += [self._complaint(row) for row in complaints if complains(row)]
            written = super().get_nlu_data(language)
            self._read_once[language] = written.merge(TrainingData(training_examples=examples))
        return self._read_once[language]

    def _question(self, row: dict[str, Any]) -> Message:
        intent = INTENT_OF_CHANGE.get(row.get("change", ""), "ask_guide")
        return self._message(row["text"], intent, row.get("facets") or [])

    def _complaint(self, row: dict[str, Any]) -> Message:
        return self._message(row["text"], "file_complaint", [])

    def _message(self, text: str, intent: str | None, facets: list[str]) -> Message:
        recorded = {"facets": facets, "importance": self._importance}
        message = Message(data={TEXT: text, "metadata": {"example": recorded}})
        if intent is not None:
            message.set(INTENT, intent)
        return message


def complains(row: dict[str, Any]) -> bool:
    """Whether a row teaches what complaints sound like: danger to life is heard apart, and some rows only ask.

    Of rows without a kind those that name a place tell of something that happened there.
    """
    if row["kind"] is None:
        return not row["urgent"] and row.get("location") is not None
    return not row["urgent"] and row["kind"] != ONLY_ASKS


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]
