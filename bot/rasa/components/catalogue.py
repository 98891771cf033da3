"""Adds the catalogue's training questions to the examples written in `nlu_data/`.

The questions have one home, `catalogue/questions/`, from which the search index learns too; copying them here would
let the copies drift apart. The files held out for development and testing are never named in `config.yml`.
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


class CatalogueImporter(RasaFileImporter):
    """`questions`: JSON Lines files, relative to the working folder; `importance`: how much one of them counts."""

    def __init__(
        self,
        config_file: str | None = None,
        domain_path: str | None = None,
        training_data_paths: list[str] | str | None = None,
        questions: list[str] | None = None,
        importance: float = 1.0,
    ) -> None:
        super().__init__(config_file, domain_path, training_data_paths)
        self._questions = [Path(path) for path in questions or []]
        self._importance = importance
        self._read_once: dict[str | None, TrainingData] = {}

    def get_nlu_data(self, language: str | None = "en") -> TrainingData:
        """The examples of `nlu_data/` and every question of the files; Rasa asks several times, reading is slow."""
        if language not in self._read_once:
            examples = [message for path in self._questions for message in self._read(path)]
            written = super().get_nlu_data(language)
            self._read_once[language] = written.merge(TrainingData(training_examples=examples))
        return self._read_once[language]

    def _read(self, path: Path) -> list[Message]:
        with path.open(encoding="utf-8") as lines:
            return [self._message(json.loads(line)) for line in lines if line.strip()]

    def _message(self, row: dict[str, Any]) -> Message:
        recorded = {"facets": row.get("facets") or [], "importance": self._importance}
        intent = INTENT_OF_CHANGE.get(row.get("change", ""), "ask_guide")
        return Message(data={TEXT: row["text"], INTENT: intent, "metadata": {"example": recorded}})
