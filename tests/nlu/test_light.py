"""Rasa is served without TensorFlow exactly where the configuration does not need it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.rasa.serving.light import does_without
from tests.rasa_server import ROOT, RasaServer


def test_our_configuration_does_without_tensorflow() -> None:
    assert does_without(ROOT / "config.yml")


@pytest.mark.parametrize(
    "line",
    [
        "  - name: DIETClassifier",
        '  - name: "TEDPolicy"',
        "  - epochs: 3\n    name: ResponseSelector",
        "- name: my.own",
    ],
)
def test_a_configuration_with_another_component_gets_it(tmp_path: Path, line: str) -> None:
    config = tmp_path / "config.yml"
    config.write_text((ROOT / "config.yml").read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    assert not does_without(config)


def test_the_server_has_not_loaded_it(rasa: RasaServer) -> None:
    mapped = Path(f"/proc/{rasa.process}/maps")
    if not mapped.exists():
        pytest.skip("only Linux tells what a process has loaded")
    assert "tensorflow" not in mapped.read_text(encoding="utf-8")
