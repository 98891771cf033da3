"""Entities: codes, amounts and dates by rule; places, persons and situations from the lists of `nlu_data/lookups/`.

A list line is `word` or `word=value`; the longest word wins. The list's name gives the entity and, after a dot, the
role: `place.local`, `person.applicant`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.codes import find_codes
from bot.rasa.components.features import LONGEST_TEXT
from bot.rasa.components.quantities import find_quantities
from bot.rasa.components.trained import TrainedComponent

Lists = dict[str, dict[str, str]]
"""Name of the list → word → value."""


class WordLists:
    """Finds the words of several lists in one pass."""

    def __init__(self, lists: Lists) -> None:
        self.lists = lists
        self._known = {word: (name, value) for name, words in lists.items() for word, value in words.items()}
        longest_first = sorted(self._known, key=lambda word: (-len(word), word))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def found(self, text: str) -> list[dict[str, Any]]:
        """Entities of the text, from left to right, none overlapping."""
        entities = []
        for match in self._pattern.finditer(text) if self._pattern else ():
            name, value = self._known[match.group()]
            kind, _, role = name.partition(".")
            entity = {"entity": kind, "value": value, "start": match.start(), "end": match.end()}
            entities.append({**entity, "role": role} if role else entity)
        return entities


def read_lists(lookup_tables: list[dict[str, Any]]) -> Lists:
    """The lists of the training data; a word without `=` is its own value."""
    lists: Lists = {}
    for table in lookup_tables:
        words = lists.setdefault(table["name"], {})
        for line in table["elements"]:
            word, _, value = line.partition("=")
            words[word.strip()] = value.strip() or word.strip()
    return lists


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class RuleEntityExtractor(TrainedComponent):
    """Sets `entities`; values are in one spelling, places refer to the text as sent."""

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        super().__init__(config, storage, resource)
        self._words = WordLists({})

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Nothing to set: what is known lies in the lists."""
        return {}

    def _learn(self, training_data: TrainingData) -> None:
        """Take over the word lists."""
        self._words = WordLists(read_lists(training_data.lookup_tables))

    def _write(self, folder: Path) -> None:
        (folder / "lists.json").write_text(json.dumps(self._words.lists, ensure_ascii=False), encoding="utf-8")

    def _read(self, folder: Path) -> None:
        self._words = WordLists(json.loads((folder / "lists.json").read_text(encoding="utf-8")))

    def _understand(self, message: Message, text: str) -> None:
        """Add what is found to what a `/intent{...}` message brought along."""
        found = self._found(text[:LONGEST_TEXT])
        message.set(ENTITIES, [*message.get(ENTITIES, []), *found], add_to_output=True)

    def _found(self, text: str) -> list[dict[str, Any]]:
        codes = [{"entity": c.kind, "value": c.value, "start": c.start, "end": c.end} for c in find_codes(text)]
        taken = list(codes)
        for quantity in find_quantities(text):
            entity = {"entity": quantity.kind, "value": quantity.value, "start": quantity.start, "end": quantity.end}
            if _free(entity, codes):
                taken.append({**entity, "unit": quantity.unit} if quantity.unit else entity)
        taken += [entity for entity in self._words.found(text) if _free(entity, codes)]
        return sorted(taken, key=lambda entity: entity["start"])


def _free(entity: dict[str, Any], taken: list[dict[str, Any]]) -> bool:
    return not any(entity["start"] < other["end"] and other["start"] < entity["end"] for other in taken)
