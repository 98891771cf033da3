"""The model is trained once for each content."""

from __future__ import annotations

from pathlib import Path

from bot.rasa.train import SHAPES_THE_MODEL, content_hash, model_path, sources
from tests.nlu.measuring import ROOT


def project(folder: Path) -> Path:
    (folder / "nlu_data" / "nlu").mkdir(parents=True)
    (folder / "config.yml").write_text("pipeline: []\n")
    (folder / "nlu_data" / "nlu" / "greet.yml").write_text("- 你好\n")
    return folder


def test_the_hash_follows_every_byte_and_name(tmp_path: Path) -> None:
    root = project(tmp_path)
    first = content_hash(root)
    (root / "README.md").write_text("not part of the model")
    assert content_hash(root) == first

    example = root / "nlu_data" / "nlu" / "greet.yml"
    example.write_text("- 您好\n")
    second = content_hash(root)
    example.rename(example.with_name("hello.yml"))

    assert len({first, second, content_hash(root)}) == 3
    assert model_path(tmp_path / "home", root).name == f"{content_hash(root)}.tar.gz"


def test_nothing_held_out_shapes_the_model() -> None:
    named = {path.relative_to(ROOT).as_posix() for path in sources()}

    assert {name for name in SHAPES_THE_MODEL if not (ROOT / name).exists()} == set()
    assert not {name for name in named if "development" in name or "test" in Path(name).name}
    assert "config.yml" in named
