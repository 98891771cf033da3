"""Builds the project's environments from their lock files; does nothing, in milliseconds, when they are up to date.

Runs on a bare Python (standard library only), before anything of the project is installed:

    scripts/with-python scripts/setup.py [--dev] [--no-rasa]

``.venv-tools`` holds uv at a version pinned by hash, ``.venv`` the assistant (Python 3.11), ``.venv-rasa`` Rasa (Python
3.10; see docs/decisions). Each environment carries a stamp: the hash of the files it was built from. The stamp goes
before a build and comes back after it, so that an interrupted build is made again.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAMP = ".wenban-stamp"


class SetupFault(Exception):
    """A step failed; the text says which and what to do."""


class Environment:
    """One environment folder and the files it is made from."""

    def __init__(self, name: str, sources: Sequence[Path]) -> None:
        self.folder = ROOT / name
        self._sources = sources

    @property
    def fingerprint(self) -> str:
        """Hash of the sources and of the machine's kind: an environment copied to another machine is made anew."""
        digest = hashlib.sha256(f"{platform.system()} {platform.machine()} {self.folder}".encode())
        for source in self._sources:
            digest.update(source.read_bytes())
        return digest.hexdigest()

    def holds(self, groups: Sequence[str] = ()) -> bool:
        """Whether the environment was completely built from today's sources, with all of ``groups``."""
        try:
            stamp = json.loads((self.folder / STAMP).read_text())
        except (OSError, ValueError):
            return False
        return stamp.get("fingerprint") == self.fingerprint and set(groups) <= set(stamp.get("groups", ()))

    @contextlib.contextmanager
    def building(self, groups: Sequence[str] = ()) -> Iterator[None]:
        """Takes the stamp away while the body builds, and writes it when the body succeeded."""
        stamp = self.folder / STAMP
        stamp.unlink(missing_ok=True)
        yield
        stamp.write_text(json.dumps({"fingerprint": self.fingerprint, "groups": list(groups)}))


TOOLS = Environment(".venv-tools", [ROOT / "scripts" / "requirements-tools.txt"])
MAIN = Environment(".venv", [ROOT / "pyproject.toml", ROOT / "uv.lock"])
RASA = Environment(".venv-rasa", [ROOT / "bot" / "rasa" / "pyproject.toml", ROOT / "bot" / "rasa" / "uv.lock"])


def main() -> int:
    arguments = _arguments()
    groups = ["dev"] if arguments.dev else []
    todo = [not MAIN.holds(groups), arguments.rasa and not RASA.holds()]
    if not any(todo):
        return 0
    TOOLS.folder.mkdir(exist_ok=True)
    with (TOOLS.folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two `make` at once on a fresh checkout build one after the other
        try:
            _install_uv()
            if not MAIN.holds(groups):
                with _step("安装问办与依赖（.venv，Python 3.11）"), MAIN.building(groups):
                    dev = ["--group", "dev"] if arguments.dev else ["--no-dev"]
                    _uv("sync", "--frozen", "--inexact", *dev, python="3.11", project=ROOT, environment=MAIN.folder)
            if arguments.rasa and not RASA.holds():
                with _step("安装 Rasa（.venv-rasa，Python 3.10；约 460 MB 下载）"), RASA.building():
                    project = ROOT / "bot" / "rasa"
                    _uv("sync", "--frozen", python="3.10", project=project, environment=RASA.folder)
        except SetupFault as fault:
            print(f"\n✗ {fault}", file=sys.stderr)
            return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="安装问办的运行环境")
    parser.add_argument("--dev", action="store_true", help="连同测试与检查工具")
    parser.add_argument("--no-rasa", dest="rasa", action="store_false", help="不安装 Rasa 环境")
    return parser.parse_args()


@contextlib.contextmanager
def _step(title: str) -> Iterator[None]:
    print(f"▸ {title} …", flush=True)
    start = time.monotonic()
    yield
    print(f"✓ {title}：{time.monotonic() - start:.0f} 秒", flush=True)


def _install_uv() -> None:
    if TOOLS.holds() and _uv_path().exists():
        return
    # --target works on a Python without the venv module and on one that its distribution manages.
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--upgrade",
    ]
    command += ["--target", str(TOOLS.folder), "--requirement", str(ROOT / "scripts" / "requirements-tools.txt")]
    with _step("安装安装器 uv（.venv-tools）"), TOOLS.building():
        if subprocess.run(command, check=False).returncode:
            raise SetupFault(
                "装不上 uv：请确认有 pip（apt-get install python3-pip），且能访问 PyPI 或内网镜像（PIP_INDEX_URL）。"
            )


def _uv_path() -> Path:
    return TOOLS.folder / "bin" / "uv"


def _uv(*arguments: str, python: str, project: Path, environment: Path) -> None:
    variables = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    variables["UV_PROJECT_ENVIRONMENT"] = str(environment)
    variables.setdefault("UV_HTTP_TIMEOUT", "180")
    if environment == MAIN.folder:
        variables.setdefault("UV_COMPILE_BYTECODE", "1")  # not Rasa's: most of TensorFlow is never imported
    if index := os.environ.get("PIP_INDEX_URL"):
        variables.setdefault("UV_DEFAULT_INDEX", index)
    interpreter = find_python(python) or python  # not found: uv looks further, and fetches one where it can
    command = [str(_uv_path()), *arguments, "--project", str(project), "--python", interpreter]
    if subprocess.run(command, env=variables, cwd=project, check=False).returncode:
        raise SetupFault(
            f"{environment.name} 没有装成（原因见上）。常见原因：没有 Python {python}（装好后重试，或让 uv 能下载）；"
            "连不上 PyPI（内网请设 PIP_INDEX_URL）；磁盘不足（共需约 3 GB）。改好后重新运行同一命令即可接着做。"
        )


def find_python(version: str) -> str | None:
    """The path of a Python ``version`` ("3.10") that starts, on PATH or among pyenv's; a shim found may not start."""
    candidates = [shutil.which(f"python{version}"), shutil.which("python3")]
    pyenv = Path.home() / ".pyenv" / "versions"
    candidates += [str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python{version}"))]
    candidates += [f"{prefix}/bin/python{version}" for prefix in ("/usr/local", "/usr", "/opt/python" + version)]
    probe = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
    for candidate in filter(None, candidates):
        try:
            run = subprocess.run([candidate, "-c", probe], capture_output=True, text=True, timeout=20, check=False)
        except OSError:
            continue
        found, _, path = run.stdout.strip().partition(" ")
        if run.returncode == 0 and found == version:
            return path
    return None


if __name__ == "__main__":
    sys.exit(main())
