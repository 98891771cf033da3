"""The frame of the components that learn: how Rasa makes, trains, keeps and reopens them.

A component says what it learns, how that is written to a folder and read back, and what it does with a message.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.rasa.components.features import Cues, runs
from bot.rasa.components.linear import LinearModel

Component = TypeVar("Component", bound="TrainedComponent")


class TrainedComponent(GraphComponent):
    """A component that is trained, written into the model file and reopened from it."""

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        self._config, self._storage, self._resource = config, storage, resource

    @classmethod
    def create(
        cls: type[Component],
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Component:
        """An untrained component."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls: type[Component],
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> Component:
        """The component as trained."""
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            component._read(folder)
        return component

    def train(self, training_data: TrainingData) -> Resource:
        """Learn, and keep what was learnt."""
        self._learn(training_data)
        with self._storage.write_to(self._resource) as folder:
            self._write(folder)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Add what is understood to each message."""
        for message in messages:
            self._understand(message, message.get(TEXT) or "")
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """No component needs what another has understood of the examples."""
        return training_data

    def _learn(self, training_data: TrainingData) -> None:
        raise NotImplementedError

    def _write(self, folder: Path) -> None:
        raise NotImplementedError

    def _read(self, folder: Path) -> None:
        raise NotImplementedError

    def _understand(self, message: Message, text: str) -> None:
        raise NotImplementedError


class LinearComponent(TrainedComponent):
    """A linear model over character runs and cues. Untrained it understands nothing."""

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        super().__init__(config, storage, resource)
        self._model: LinearModel | None = None
        self._cues = Cues([])

    def _write(self, folder: Path) -> None:
        if self._model is None:
            raise ValueError("nothing was learnt")
        self._model.save(folder)
        (folder / "cues.json").write_text(json.dumps(self._cues.patterns, ensure_ascii=False), encoding="utf-8")

    def _read(self, folder: Path) -> None:
        self._model = LinearModel.load(folder)
        patterns = json.loads((folder / "cues.json").read_text(encoding="utf-8"))
        self._cues = Cues([(name, pattern) for name, pattern in patterns])

    def _features(self, text: str) -> list[str]:
        return runs(text) + self._cues.found(text)
