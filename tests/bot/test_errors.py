"""The error tree keeps its promise to machines and to people."""

from __future__ import annotations

import pytest

from bot import errors
from bot.errors import InvalidInput, TooLarge, WenbanError

TREE = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, WenbanError)]


@pytest.mark.parametrize("kind", TREE)
def test_every_kind_is_drawn_and_has_a_code_and_a_status(kind: type[WenbanError]) -> None:
    assert kind.__name__ in (errors.__doc__ or "")
    assert kind is WenbanError or str(kind.status) in (errors.__doc__ or "")
    assert 400 <= kind.status < 600


def test_codes_are_unique() -> None:
    assert len({kind.default_code for kind in TREE}) == len(TREE)


def test_the_body_is_what_integrators_were_promised() -> None:
    error = InvalidInput("太短。", code="text_short", remedy="多写几个字。")
    assert error.as_dict() == {"error": "text_short", "message": "太短。", "remedy": "多写几个字。"}
    assert TooLarge("x", details=[{"line": 1}]).as_dict()["details"] == [{"line": 1}]
    assert str(error) == "太短。"
