"""How well the trained model understands texts it was not trained on. Bounds lie a little under what was measured."""

from __future__ import annotations

import pytest
import yaml

from tests.nlu.conftest import Understood
from tests.nlu.measuring import ROOT, by_facet, facets_answered, way


def actions_by_intent() -> dict[str, str]:
    rules = [
        rule for path in (ROOT / "nlu_data/rules").glob("*.yml") for rule in yaml.safe_load(path.read_text())["rules"]
    ]
    return {rule["steps"][0]["intent"]: rule["steps"][1]["action"] for rule in rules}


def test_questions_about_matters_are_not_turned_away(development: Understood) -> None:
    """At most one in a hundred would leave the search for a guide, even if the index knew nothing of it."""
    ways = [(way(u), row["text"]) for row, u in development if row["matter"] and not row.get("context")]
    lost = [found for found in ways if found[0] != "unknown"]

    assert len(lost) / len(ways) < 0.01, lost


def test_facets_asked_for_are_answered_and_not_all_of_them(development: Understood) -> None:
    labelled = [row for row, _ in development if row["facets"] and not row.get("context")]
    understood = [u for row, u in development if row["facets"] and not row.get("context")]
    answered = [set(facets_answered(u)) for u in understood]
    wanted = [set(row["facets"]) for row in labelled]

    assert sum(w <= a for w, a in zip(wanted, answered, strict=True)) / len(wanted) > 0.89
    assert sum(w == a for w, a in zip(wanted, answered, strict=True)) / len(wanted) > 0.42
    assert sum(map(len, answered)) / len(answered) < 1.85
    rates = by_facet(labelled, understood)
    assert {facet: f1 for facet, (_, _, f1) in rates.items() if f1 < 0.45} == {}


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


GOES_TO = {
    "talk_to_human": "handoff",
    "query_case": "case",
    "file_complaint": "complaint",
    "complaint_followup": "complaint",
    "out_of_scope": "private",
}
"""The way of an act; social acts go by their own names, everything about matters to the search."""

STAY = {"ask_guide", "choose_option", "correct_self", "give_situation", "give_detail"}


def test_fresh_acts_go_where_they_belong(fresh_acts: Understood) -> None:
    """By what the gateway would do, with the index knowing nothing; see data/README.md for the rates."""
    right = [way(u) == GOES_TO.get(row["intent"], row["intent"]) for row, u in fresh_acts if row["intent"] not in STAY]
    stay = [way(u) == "unknown" for row, u in fresh_acts if row["intent"] in STAY]

    assert sum(right) / len(right) > 0.55
    assert sum(stay) / len(stay) > 0.95


def test_fresh_dangers(fresh_emergencies: Understood) -> None:
    dangers = [u["intent"]["name"] == "emergency" for row, u in fresh_emergencies if row["intent"] == "emergency"]
    harmless = [u["intent"]["name"] == "emergency" for row, u in fresh_emergencies if row["intent"] != "emergency"]

    assert sum(dangers) / len(dangers) > 0.8
    assert sum(harmless) / len(harmless) < 0.08


@pytest.mark.parametrize(("kind", "least"), [("number", 0.7), ("date", 0.55), ("place", 0.85), ("person", 0.8)])
def test_fresh_entities(fresh_entities: Understood, kind: str, least: float) -> None:
    wanted = [
        (row["text"], e["value"], e.get("unit"))
        for row, _ in fresh_entities
        for e in row["entities"]
        if e["type"] == kind
    ]
    found = {
        (row["text"], e["value"], e.get("unit"))
        for row, u in fresh_entities
        for e in u["entities"]
        if e["entity"] == kind
    }

    assert sum(entity in found for entity in wanted) / len(wanted) >= least


def test_complaints_of_every_kind_are_heard(fresh_complaints: Understood) -> None:
    heard = [u["intent"]["name"] == row["intent"] for row, u in fresh_complaints]
    missed = [(row["text"], u["intent"]["name"]) for row, u in fresh_complaints if u["intent"]["name"] != row["intent"]]

    assert sum(heard) / len(heard) > 0.75, missed
