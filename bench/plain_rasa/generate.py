"""Writes a plain Rasa project for a catalogue: one retrieval intent whose answers are the matters.

Examples of a matter are its name, its aliases and the training questions about it; nothing else is known to it, as in
an assistant set up by hand from an FAQ list.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

INTENT = "ask"
OTHER_INTENTS = {
    "greet": ["你好", "您好", "在吗", "有人吗", "早上好", "哈喽"],
    "thanks": ["谢谢", "多谢", "谢谢你", "感谢", "太感谢了", "辛苦了"],
    "goodbye": ["再见", "拜拜", "下次再聊", "没事了", "先这样", "回头见"],
}
"""What every starter project has besides."""


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def write_project(
    folder: Path, guides: Sequence[Mapping[str, Any]], questions: Iterable[Mapping[str, Any]], epochs: int
) -> None:
    """Write config, domain, data, endpoints and credentials into `folder`, which is made."""
    known = {guide["code"] for guide in guides}
    examples: dict[str, list[str]] = defaultdict(list)
    for guide in guides:
        examples[guide["code"]] += [guide["name"], *(guide.get("aliases") or ())]
    for question in questions:
        if question.get("matter") in known and not question.get("context"):
            examples[question["matter"]].append(question["text"])

    (folder / "data").mkdir(parents=True, exist_ok=True)
    _write(folder / "config.yml", _config(epochs))
    _write(folder / "domain.yml", _domain(guides))
    _write(folder / "data" / "nlu.yml", {"version": "3.1", "nlu": _nlu(examples)})
    _write(folder / "data" / "rules.yml", {"version": "3.1", "rules": _rules()})
    _write(folder / "credentials.yml", {"rest": None})
    _write(folder / "endpoints.yml", {})


def _config(epochs: int) -> dict[str, Any]:
    """Rasa's own defaults (its ``default_config.yml``), with words cut by jieba as its manual advises for Chinese."""
    trained = {"epochs": epochs, "constrain_similarities": True}
    return {
        "recipe": "default.v1",
        "language": "zh",
        "assistant_id": "plain",
        "pipeline": [
            {"name": "JiebaTokenizer"},
            {"name": "RegexFeaturizer"},
            {"name": "LexicalSyntacticFeaturizer"},
            {"name": "CountVectorsFeaturizer"},
            {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
            {"name": "DIETClassifier", **trained},
            {"name": "EntitySynonymMapper"},
            {"name": "ResponseSelector", **trained},
            {"name": "FallbackClassifier", "threshold": 0.3, "ambiguity_threshold": 0.1},
        ],
        "policies": [
            {"name": "MemoizationPolicy"},
            {"name": "RulePolicy"},
            {"name": "UnexpecTEDIntentPolicy", "max_history": 5, "epochs": epochs},
            {"name": "TEDPolicy", "max_history": 5, **trained},
        ],
    }


def _domain(guides: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    responses: dict[str, Any] = {
        f"utter_{INTENT}/{guide['code']}": [{"text": _answer(guide), "custom": {"matter": guide["code"]}}]
        for guide in guides
    }
    responses.update({f"utter_{intent}": [{"text": examples[0]}] for intent, examples in OTHER_INTENTS.items()})
    responses["utter_unknown"] = [{"text": "没听明白，请换个说法。"}]
    return {"version": "3.1", "intents": [INTENT, *OTHER_INTENTS], "responses": responses}


def _answer(guide: Mapping[str, Any]) -> str:
    materials = "、".join(item["name"] for item in guide.get("materials") or ()) or "无"
    limit = guide.get("promised_limit") or {}
    return f"{guide['name']}\n材料：{materials}\n时限：{limit.get('value')}{limit.get('unit')}\n{guide['department']}"


def _nlu(examples: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    intents = {f"{INTENT}/{code}": texts for code, texts in examples.items()} | OTHER_INTENTS
    return [{"intent": intent, "examples": _lines(texts)} for intent, texts in intents.items()]


def _lines(texts: Iterable[str]) -> str:
    """Rasa's list of examples; brackets would be read as entities."""
    plain = (" ".join(text.split()).replace("[", "【").replace("]", "】") for text in texts)
    return "".join(f"- {text}\n" for text in dict.fromkeys(plain))


def _rules() -> list[dict[str, Any]]:
    told = {intent: f"utter_{intent}" for intent in (INTENT, *OTHER_INTENTS)} | {"nlu_fallback": "utter_unknown"}
    return [{"rule": intent, "steps": [{"intent": intent}, {"action": action}]} for intent, action in told.items()]


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False, width=10_000), "utf-8")
