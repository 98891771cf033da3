"""How well the trained model understands texts it was not trained on. Bounds lie a little under what was measured."""

from __future__ import annotations

import yaml

from tests.nlu.conftest import Understood
from tests.nlu.measuring import ROOT, a_facet_right, by_facet, first_facet_right


def actions_by_intent() -> dict[str, str]:
    rules = [
        rule for path in (ROOT / "nlu_data/rules").glob("*.yml") for rule in yaml.safe_load(path.read_text())["rules"]
    ]
    return {rule["steps"][0]["intent"]: rule["steps"][1]["action"] for rule in rules}


def test_questions_about_matters_are_not_taken_for_something_else(development: Understood) -> None:
    """At most two in a hundred leave the search for a guide."""
    action_of = actions_by_intent()
    names = [u["intent"]["name"] for row, u in development if row["matter"] and not row.get("context")]
    lost = [name for name in names if action_of[name] != "action_ask_matter" or name == "out_of_scope"]

    assert len(lost) / len(names) < 0.02, sorted(lost)


def test_facets_asked_for_are_found(development: Understood) -> None:
    labelled = [row for row, _ in development if row["facets"]]
    understood = [u for row, u in development if row["facets"]]

    assert first_facet_right(labelled, understood) > 0.75
    assert a_facet_right(labelled, understood) > 0.86
    rates = by_facet(labelled, understood)
    assert {facet: f1 for facet, (_, _, f1) in rates.items() if f1 < 0.5} == {}


def test_unseen_dialogue_acts_lead_to_the_right_action(acts: Understood) -> None:
    """The acts held out are expressions of their own kind, so this is the hard case."""
    action_of = actions_by_intent()
    right = [action_of[row["intent"]] == action_of[u["intent"]["name"]] for row, u in acts]

    assert sum(right) / len(right) > 0.7


def test_numbers_that_identify_are_read_in_every_spelling(acts: Understood) -> None:
    wanted = [(row["text"], e["type"], e["value"]) for row, _ in acts for e in row.get("entities", ())]
    found = {(row["text"], e["entity"], e["value"]) for row, u in acts for e in u["entities"]}

    assert len(wanted) > 20
    assert sum(entity in found for entity in wanted) / len(wanted) > 0.85


def test_most_dangers_are_recognised_and_big_words_are_not(emergencies: Understood) -> None:
    dangers = [u["intent"]["name"] == "emergency" for row, u in emergencies if row["intent"] == "emergency"]
    harmless = [u["intent"]["name"] == "emergency" for row, u in emergencies if row["intent"] != "emergency"]

    assert sum(dangers) / len(dangers) > 0.6
    assert sum(harmless) / len(harmless) < 0.15
