"""What the channel itself says, kept in ``words.toml``: citizens, operators and the platform's errors."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast


@cache
def table(section: str) -> Mapping[str, Any]:
    """A section of the file."""
    return cast(Mapping[str, Any], tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))[section])


def say(key: str, **values: object) -> str:
    """The sentence ``section.name``, its braces filled in. KeyError for one that the file lacks."""
    section, name = key.split(".")
    return cast(str, table(section)[name]).format(**values)
