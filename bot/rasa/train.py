"""Train Rasa once for each content: `python -m bot.rasa.train [--home var] [--force]`, run in Rasa's own environment.

The model file is named after a hash of all that shapes it (configuration, domain, `nlu_data/`, the questions it reads,
the components and the locked versions), so that an unchanged project trains nothing and two versions never mix. Prints
the model's path as the last line.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHAPES_THE_MODEL = (
    "config.yml",
    "domain.yml",
    "nlu_data",
    "catalogue/questions/train.jsonl",
    "catalogue/questions/train-hard.jsonl",
    "catalogue/questions/followups-train.jsonl",
    "catalogue/questions/nearmiss-train.jsonl",
    "catalogue/elsewhere/more/questions.jsonl",
    "catalogue/asking.jsonl",
    "catalogue/complaints/train.jsonl",
    "catalogue/complaints/more-train.jsonl",
    "bot/rasa/components",
    "bot/codes.py",
    "bot/rasa/uv.lock",
)
KEPT_MODELS = 3


def sources(root: Path = ROOT) -> Iterator[Path]:
    """The files that shape the model, in a fixed order."""
    for name in SHAPES_THE_MODEL:
        path = root / name
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix in {".py", ".yml", ".jsonl"})


def content_hash(root: Path = ROOT) -> str:
    """Sixteen hex digits that change with the names and bytes of the sources."""
    digest = hashlib.sha256()
    for path in sources(root):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def model_path(home: Path, root: Path = ROOT) -> Path:
    """Where the model of the present content lies, trained or not."""
    return home / "rasa" / f"{content_hash(root)}.tar.gz"


def train(home: Path, *, force: bool = False) -> Path:
    """The model of the present content, trained if it is not there; older ones beyond a few are removed."""
    target = model_path(home)
    if target.exists() and not force:
        return target
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("WENBAN_ACTION_URL", "http://127.0.0.1:1/webhook")
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    from rasa.model_training import train as rasa_train  # type: ignore[import-not-found]  # only in Rasa's environment
    from rasa.utils.common import configure_logging_and_warnings  # type: ignore[import-not-found]
    from rasa.utils.log_utils import configure_structlog  # type: ignore[import-not-found]

    configure_structlog(logging.WARNING)
    configure_logging_and_warnings(logging.WARNING)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        os.environ["RASA_CACHE_DIRECTORY"] = folder  # the content hash is our cache; Rasa's own would only grow
        result = rasa_train(
            domain="domain.yml",
            config="config.yml",
            training_files=["nlu_data"],
            output=folder,
            force_training=True,
            fixed_model_name="model",
        )
        if result.code != 0 or result.model is None:
            raise SystemExit(f"Rasa training ended with code {result.code}")
        Path(result.model).replace(target)
    _forget_old(target)
    return target


def _forget_old(current: Path) -> None:
    models = sorted(current.parent.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in [model for model in models if model != current][KEPT_MODELS - 1 :]:
        path.unlink(missing_ok=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("WENBAN_HOME", "var")))
    parser.add_argument("--force", action="store_true", help="train even if the model of this content exists")
    parser.add_argument("--where", action="store_true", help="only print where the model lies or would lie")
    options = parser.parse_args()
    home = options.home.resolve()
    print(model_path(home) if options.where else train(home, force=options.force))


if __name__ == "__main__":
    main()
