"""Rasa without TensorFlow, where the configuration uses nothing that computes with it.

Rasa imports TensorFlow for components that a configuration may name, whether it names them or not: half of the time of
a start and 250 MB, for nothing in ours. Here the names are there and stand for nothing. It is done only where every
component and policy of `config.yml` is known to do without.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import re
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PACKAGES = frozenset({"tensorflow", "tensorflow_addons", "tensorflow_hub", "tensorflow_text", "keras"})
OWN = "bot.rasa.components."
WITHOUT = frozenset({"RulePolicy", "MemoizationPolicy", "AugmentedMemoizationPolicy", "RegexMessageHandler"})
_NAMED = re.compile(r"^\s*(?:-\s*)?name:\s*[\"']?([\w.]+)", re.MULTILINE)


def does_without(config: Path) -> bool:
    """Whether every component, policy and importer that ``config`` names does without TensorFlow."""
    names = _NAMED.findall(config.read_text(encoding="utf-8"))
    return all(name.startswith(OWN) or name in WITHOUT for name in names)


def leave_out_tensorflow(config: Path = Path("config.yml")) -> bool:
    """Let imports of TensorFlow find names that stand for nothing; must come before Rasa is imported.

    True where it was done: not where ``config`` needs it.
    """
    if not does_without(config):
        return False
    sys.meta_path.insert(0, _Finder())
    return True


class _Kind(type):
    """A class whose attributes, calls and parameters are itself: enough for base classes, decorators and type hints."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        return Absent if cls is Absent else super().__call__(*arguments, **named)

    def __getitem__(cls, _item: Any) -> Any:
        return Absent


class Absent(metaclass=_Kind):
    """Stands for whatever TensorFlow would have under a name."""


class _Module(types.ModuleType):
    __path__: Sequence[str] = ()

    def __getattr__(self, name: str) -> Any:
        if name == "__version__":
            return "2.12.0"
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] not in PACKAGES:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """There is nothing in it."""
