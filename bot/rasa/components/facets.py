"""Which facets of a matter a question asks for: materials, fees, time limit … one or several.

Examples carry their facets as metadata (`facets: [materials, fees]`). Besides character runs the model sees cues, the
regular expressions named `facet_…` in `nlu_data/`.

Nearly all examples ask one thing, so a whole text that asks two ("要带啥，几天能拿到") is heard as asking the louder of
them. Each clause that asks is therefore read by itself as well, and a facet it asks for counts for the text.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.rasa.components.examples import cues_of, recorded
from bot.rasa.components.features import asking, asking_clauses
from bot.rasa.components.linear import LinearModel
from bot.rasa.components.trained import LinearComponent

SHORTEST_CLAUSE = 3
"""Characters from which a clause is read by itself."""
MOST_CLAUSES = 12
"""Clauses of one text that are read by themselves."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class FacetClassifier(LinearComponent):
    """Sets `facets`: [{name, confidence}], most probable first; the first is always there."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`also`: a further facet is named from this probability on; `most`: how many at most; `clause`: the share
        of its confidence that a clause's facet keeps, read out of its text.

        Which of them are answered is decided where answers are made (`bot/conversations/facets.py`).
        """
        return {"strength": 20.0, "rarest": 2, "cue_weight": 3.0, "also": 0.02, "most": 4, "clause": 0.6}

    def _learn(self, training_data: TrainingData) -> None:
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
            exclusive=True,  # nearly all questions ask one thing, and a second takes its share
        )

    def _understand(self, message: Message, text: str) -> None:
        """Name the facets the message asks for."""
        if self._model is None:
            return
        ranked = self._ranked(self._model, text)[: int(self._config["most"])]
        facets = [
            {"name": name, "confidence": round(probability, 4)}
            for place, (name, probability) in enumerate(ranked)
            if place == 0 or probability >= float(self._config["also"])
        ]
        message.set("facets", facets, add_to_output=True)

    def _ranked(self, model: LinearModel, text: str) -> list[tuple[str, float]]:
        """Facets of the text with their confidence: that of the whole, or a share of that of a clause where it is more.

        An overview is wanted by a whole text, never by the side.
        """
        sure = dict(model.ranked(self._features(text)))
        clauses = [clause for clause in asking_clauses(text) if len(clause) >= SHORTEST_CLAUSE][:MOST_CLAUSES]
        for clause in clauses:
            for facet, probability in model.ranked(self._features(clause)):
                if facet != "overview":
                    sure[facet] = max(sure[facet], float(self._config["clause"]) * probability)
        return sorted(sure.items(), key=lambda entry: -entry[1])

    def _features(self, text: str) -> list[str]:
        return super()._features(text) + asking(text)
