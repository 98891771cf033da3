"""A catalogue made once, and gateways over copies of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from index.encoder import Encoder, open_encoder
from tests.channels.staff import FOREST, LABOUR, WATER
from tests.gateway import Gateway, copied, publish, publish_units, running, sample_guides, settings_for, sunday


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The encoder that ships with the product."""
    return open_encoder(threads=1)


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """A home with the sample guides published; copy it, do not change it."""
    home = tmp_path_factory.mktemp("city")
    publish(home, sample_guides(), encoder)
    return home


@pytest.fixture
def home(city: Path, tmp_path: Path) -> Path:
    """A home of the test's own."""
    return copied(city, tmp_path / "home")


@pytest.fixture(scope="module")
def gateway(city: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Gateway]:
    """A gateway shared by the tests of one file; their conversations do not meet."""
    home = copied(city, tmp_path_factory.mktemp("gateway") / "home")
    with running(settings_for(home), encoder) as started:
        yield started


@pytest.fixture(scope="session")
def complaint_gateway(city: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Gateway]:
    """A gateway of a city with three units and two categories, shared by the pages of those who handle complaints."""
    home = copied(city, tmp_path_factory.mktemp("complaints") / "home")
    publish_units(home, (WATER, FOREST, LABOUR), encoder, sunday())
    with running(settings_for(home), encoder, sunday()) as started:
        yield started
