import socket

import pytest

from bot.errors import ConfigurationError, Conflict
from channels.console import ports


def test_a_free_port_is_let_through() -> None:
    ports.require_free("127.0.0.1", ports.any_free(), "WENBAN_PORT")


def test_a_taken_port_is_refused_with_another_one_to_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(Conflict, match=f"端口 {port} 已被占用") as caught:
            ports.require_free("127.0.0.1", port, "WENBAN_PORT")
    assert "WENBAN_PORT=" in caught.value.remedy
    assert caught.value.code == "port_in_use"


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="不能在"):
        ports.require_free("192.0.2.1", 8000, "WENBAN_PORT")
