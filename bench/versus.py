"""Our assistant and the plain Rasa assistant over the same matters, asked the same questions in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.measuring import in_turn, load, memory
from bench.plain import plain
from bench.turns import ours
from bot.settings import Settings
from index.evaluation.questions import Question
from index.evaluation.rates import rate

ROUNDS = 4
CLIENTS_FOR_ACCURACY = 4


def measure(
    settings: Settings, project: Path, questions: Sequence[Question], clients: Sequence[int], turns: int
) -> dict[str, dict[str, Any]]:
    """By assistant: right answers among the questions, rows of each number of clients, memory.

    Every question is put to both once before anything is timed. Follow-ups are left out: alone they mean nothing.
    """
    alone = [question for question in questions if not question.context]
    return asyncio.run(_measure(settings, project, alone, clients, turns))


async def _measure(
    settings: Settings, project: Path, questions: Sequence[Question], clients: Sequence[int], turns: int
) -> dict[str, dict[str, Any]]:
    texts = [question.text for question in questions]
    answers: dict[str, dict[int, str | None]] = {"wenban": {}, "plain_rasa": {}}
    async with (
        ours(settings, texts, max(clients), answers["wenban"]) as wenban,
        plain(project, texts, max(clients), answers["plain_rasa"]) as rasa,
    ):
        assistants = {"wenban": wenban, "plain_rasa": rasa}
        for assistant in assistants.values():
            await load(assistant, CLIENTS_FOR_ACCURACY, len(texts))
        found = {name: _answered(questions, answers[name]) for name in assistants}
        rows = [await in_turn(assistants, count, turns, ROUNDS) for count in clients]
        return {
            name: {
                **found[name],
                "rows": [row[name] for row in rows],
                "memory_mb": memory(assistants[name].processes()),
            }
            for name in assistants
        }


def _answered(questions: Sequence[Question], answers: Mapping[int, str | None]) -> dict[str, Any]:
    """Right among those that a guide answers; answered all the same among those that none does."""
    pairs = [(question, answers.get(place)) for place, question in enumerate(questions)]
    right = [answer in question.matters for question, answer in pairs if question.answerable]
    wrong = [answer is not None and answer not in question.matters for question, answer in pairs if question.answerable]
    misled = [answer is not None for question, answer in pairs if not question.answerable]
    return {
        "right": rate(right).to_dict(),
        "wrong": rate(wrong).to_dict(),
        "answered_unanswerable": rate(misled).to_dict(),
    }
