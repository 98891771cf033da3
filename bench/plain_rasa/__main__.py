"""Builds, trains and serves the plain Rasa assistant; see README.md beside this file."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from bench.plain_rasa.generate import read_rows, write_project

ROOT = Path(__file__).resolve().parents[2]
RASA = ROOT / ".venv-rasa" / "bin" / "python"
MODEL = "model.tar.gz"
QUIET = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "2", "SANIC_WORKERS": "1"}


def build(options: argparse.Namespace) -> None:
    """Write the project and, unless `--no-train`, train it."""
    guides = read_rows(options.guides)[: options.matters]
    questions = [row for path in options.questions for row in read_rows(path)]
    write_project(options.folder, guides, questions, options.epochs)
    if options.train:
        command = ["train", "--fixed-model-name", MODEL.removesuffix(".tar.gz"), "--out", "."]
        _rasa(options.folder, *command)


def serve(options: argparse.Namespace) -> None:
    """Serve the trained project at 127.0.0.1 until stopped; replaces this process, so that a signal reaches Rasa."""
    os.chdir(options.folder)
    command = [str(RASA), "-m", "rasa", "run", "--model", MODEL, "--port", str(options.port)]
    command += ["--interface", "127.0.0.1", "--credentials", "credentials.yml", "--enable-api"]
    os.execve(RASA, command, {**os.environ, **QUIET})


def _rasa(folder: Path, *arguments: str) -> None:
    run = subprocess.run([str(RASA), "-m", "rasa", *arguments], cwd=folder, env={**os.environ, **QUIET}, check=False)
    if run.returncode != 0:
        sys.exit(run.returncode)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.plain_rasa", description=__doc__)
    commands = parser.add_subparsers(required=True)
    builder = commands.add_parser("build", help="write the project of a catalogue and train it")
    builder.add_argument("folder", type=Path)
    builder.add_argument("--guides", type=Path, required=True, help="guides, JSON Lines")
    builder.add_argument("--questions", type=Path, nargs="*", default=[], help="training questions, JSON Lines")
    builder.add_argument("--epochs", type=int, default=40, help="of DIET and of the selector")
    builder.add_argument("--matters", type=int, default=None, help="only the first so many guides")
    builder.add_argument("--no-train", dest="train", action="store_false")
    builder.set_defaults(run=build)
    server = commands.add_parser("serve", help="serve a trained project")
    server.add_argument("folder", type=Path)
    server.add_argument("--port", type=int, required=True)
    server.set_defaults(run=serve)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
