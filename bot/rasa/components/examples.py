"""What training examples carry besides their text, and the cues of the training data."""

from __future__ import annotations

from typing import Any

from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.rasa.components.features import Cues


def recorded(example: Message, key: str) -> Any:
    """The metadata `key` of the example itself or else of its block in the YAML file; None where neither has it."""
    metadata = example.get("metadata") or {}
    for level in ("example", "intent"):
        found = metadata.get(level)
        if isinstance(found, dict) and found.get(key):
            return found[key]
    return None


def cues_of(training_data: TrainingData, prefix: str) -> Cues:
    """The regular expressions of the training data whose names begin with `prefix`."""
    return Cues([(r["name"], r["pattern"]) for r in training_data.regex_features if r["name"].startswith(prefix)])
