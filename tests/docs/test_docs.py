"""Documentation that cannot rot: links resolve, commands exist, generated pages and glossary match the code."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer.main

from channels.cli import app
from channels.console.pages import access_page, settings_page, wechat_page

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = ("bot", "index", "actions", "channels")


def _id(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_links_resolve(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_named_paths_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:bot|index|actions|channels|bench|catalogue|docs|scripts|migrations)/[\w./-]*)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_named_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) <= targets


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_named_commands_and_options_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"(?:\.venv/bin/|`)wenban ((?:[a-z][a-z-]* ?){1,2})", text)
    for words in named:
        command = _command(words.split())
        assert command is not None, f"wenban {words}"
    for words, options in re.findall(r"\.venv/bin/wenban ([a-z]+ ?[a-z-]*)([^\n#]*)", text):
        command = _command(words.split())
        assert command is not None
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", options)) <= known | {"--help"}, words


def _command(words: list[str]) -> click.Command | None:
    found: click.Command = typer.main.get_command(app)
    for word in words:
        if not hasattr(found, "commands"):
            break  # what follows are arguments
        commands = found.commands
        if word not in commands:
            return None
        found = commands[word]
    return found


def test_the_settings_page_is_in_step() -> None:
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == settings_page(), "run `make docs`"


def test_the_roles_of_the_routes_are_in_step() -> None:
    assert (ROOT / "docs" / "access.md").read_text(encoding="utf-8") == access_page(), "run `make docs`"


def test_the_platforms_errors_are_in_step() -> None:
    assert (ROOT / "docs" / "wechat.md").read_text(encoding="utf-8") == wechat_page(), "run `make docs`"


def test_variables_named_in_the_documentation_are_settings() -> None:
    known = set(re.findall(r"WENBAN_[A-Z_]+", settings_page()))
    named = {name for page in PAGES for name in re.findall(r"WENBAN_[A-Z_]+", page.read_text(encoding="utf-8"))}
    assert named <= known


def _glossary() -> Iterator[tuple[str, str]]:
    for line in (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if len(cells) == 3 and "`" in cells[1]:
            for name in re.findall(r"`(\w+)`", cells[1]):
                yield cells[0], name


def test_glossary_names_are_used_in_the_code() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for top in SOURCES for path in (ROOT / top).rglob("*.py"))
    words = set(re.findall(r"\w+", code))
    assert [(term, name) for term, name in _glossary() if name not in words] == []
    assert len(list(_glossary())) > 20


def test_every_decision_says_what_was_decided() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    assert all(path.read_text(encoding="utf-8").startswith(f"# {path.name[:4]} ") for path in decisions)
