"""The intent of a message, by a linear model over character runs.

On a few thousand short examples a linear model is trained in seconds and costs a fraction of a millisecond a message;
a trial against Rasa's DIET on a small set found no reliable difference in accuracy.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.rasa.components.examples import cues_of, recorded
from bot.rasa.components.features import Cues, runs, shape
from bot.rasa.components.linear import LinearModel


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class CharacterIntentClassifier(GraphComponent):
    """Sets `intent` and `intent_ranking`."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`strength`: inverse regularisation; `rarest`: features in fewer examples are ignored; `balance`: 0 counts
        every example alike, 1 every intent; `ranking`: length; `home`: the intent taken where no other is `sure`.
        """
        return {
            "strength": 10.0,
            "rarest": 2,
            "cue_weight": 3.0,
            "balance": 0.3,
            "ranking": 3,
            "home": "ask_guide",
            "sure": 0.25,
        }

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
    ) -> CharacterIntentClassifier:
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
    ) -> CharacterIntentClassifier:
        """The classifier as trained."""
        with model_storage.read_from(resource) as folder:
            cues = json.loads((folder / "cues.json").read_text(encoding="utf-8"))
            return cls(config, model_storage, resource, LinearModel.load(folder), Cues([(n, p) for n, p in cues]))

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from every example that names an intent."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        intents = [example.get(INTENT) for example in examples]
        self._cues = cues_of(training_data, "")
        self._model = LinearModel.train(
            [self._features(example.get(TEXT)) for example in examples],
            [[intent] for intent in intents],
            self._importance(intents, [float(recorded(example, "importance") or 1) for example in examples]),
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
        """Name the intent of each message, unless it came named already (`/intent`)."""
        if self._model is None:
            return messages
        for message in messages:
            if message.get(INTENT) and message.get(INTENT).get("name"):
                continue
            ranked = self._model.ranked(self._features(message.get(TEXT) or ""))
            if ranked[0][1] < float(self._config["sure"]):
                ranked.sort(key=lambda entry: entry[0] != self._config["home"])
            ranked = ranked[: int(self._config["ranking"])]
            named = [{"name": label, "confidence": round(probability, 4)} for label, probability in ranked]
            message.set(INTENT, named[0], add_to_output=True)
            message.set("intent_ranking", named, add_to_output=True)
        return messages

    def _features(self, text: str) -> list[str]:
        return runs(text) + self._cues.found(text) + shape(text)

    def _importance(self, intents: list[str], own: list[float]) -> list[float]:
        """Each example's own importance, lifted where its intent has few examples."""
        share: dict[str, float] = defaultdict(float)
        for intent, importance in zip(intents, own, strict=True):
            share[intent] += importance
        usual = sum(share.values()) / len(share)
        balance = float(self._config["balance"])
        return [
            importance * (usual / share[intent]) ** balance for intent, importance in zip(intents, own, strict=True)
        ]
