"""Which facets of a matter a question asks for: materials, fees, time limit … one or several.

Examples carry their facets as metadata (`facets: [materials, fees]`). Besides character runs the model sees cues, the
regular expressions named `facet_…` in `nlu_data/`.
"""

from __future__ import annotations

import json
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.rasa.components.examples import cues_of, recorded
from bot.rasa.components.features import Cues, runs
from bot.rasa.components.linear import LinearModel


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class FacetClassifier(GraphComponent):
    """Sets `facets`: [{name, confidence}], most probable first; the first is always there."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`also`: a further facet is named from this probability on; `most`: how many at most; `unsure`: where even the
        first is less probable than this, the second is named with it, and both are answered.
        """
        return {"strength": 10.0, "rarest": 2, "cue_weight": 3.0, "also": 0.2, "unsure": 0.8, "most": 3}

    def __init__(
        self,
        config: dict[str, Any],
        storage: ModelStorage,
        resource: Resource,
        model: LinearModel | None = None,
        cues: Cues | None = None,
    ) -> None:
        self._config, self._storage, self._resource = config, storage, resource
        self._model, self._cues = model, cues or Cues([])

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> FacetClassifier:
        """An untrained classifier."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> FacetClassifier:
        """The classifier as trained, with the cues it was trained with."""
        with model_storage.read_from(resource) as folder:
            cues = json.loads((folder / "cues.json").read_text(encoding="utf-8"))
            return cls(config, model_storage, resource, LinearModel.load(folder), Cues([(n, p) for n, p in cues]))

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from every example with recorded facets."""
        self._cues = cues_of(training_data, "facet_")
        examples = [(example.get(TEXT), recorded(example, "facets")) for example in training_data.training_examples]
        examples = [(text, facets) for text, facets in examples if text and facets]
        self._model = LinearModel.train(
            [self._features(text) for text, _ in examples],
            [facets for _, facets in examples],
            rarest=int(self._config["rarest"]),
            strength=float(self._config["strength"]),
            cue_weight=float(self._config["cue_weight"]),
        )
        with self._storage.write_to(self._resource) as folder:
            self._model.save(folder)
            cues = json.dumps(self._cues.patterns, ensure_ascii=False)
            (folder / "cues.json").write_text(cues, encoding="utf-8")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Name the facets each message asks for."""
        if self._model is None:
            return messages
        for message in messages:
            ranked = self._model.ranked(self._features(message.get(TEXT) or ""))[: int(self._config["most"])]
            surely = 1 if ranked[0][1] >= float(self._config["unsure"]) else 2
            facets = [
                {"name": name, "confidence": round(probability, 4)}
                for place, (name, probability) in enumerate(ranked)
                if place < surely or probability >= float(self._config["also"])
            ]
            message.set("facets", facets, add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Examples need no facets of ours while training."""
        return training_data

    def _features(self, text: str) -> list[str]:
        return runs(text) + self._cues.found(text)
