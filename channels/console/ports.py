"""TCP ports on this machine: whether one is free, who holds it, which other would do."""

from __future__ import annotations

import errno
import socket

from bot.errors import ConfigurationError, Conflict

SEARCHED = 50
"""Ports above the taken one that are tried for a suggestion."""


def require_free(host: str, port: int, setting: str) -> None:
    """Raises Conflict, naming the holder where it can be seen and a free port, when ``port`` is taken."""
    try:
        _bind(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise _taken(host, port, setting) from error
        raise ConfigurationError(
            f"不能在 {host}:{port} 上监听：{error.strerror}。", remedy=f"请检查 WENBAN_HOST 与 {setting}。"
        ) from error


def any_free() -> int:
    """A port that is free now."""
    return _bind("127.0.0.1", 0)


def _bind(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port only waiting out old connections is free
        tried.bind((host, port))
        return int(tried.getsockname()[1])


def _taken(host: str, port: int, setting: str) -> Conflict:
    free = next((p for p in range(port + 1, min(port + SEARCHED, 65_536)) if _is_free(host, p)), None)
    holder = _holder(port)
    by = f"，占用者：{holder}" if holder else ""
    instead = f"换一个端口，例如 {setting}={free} make run；" if free else f"用 {setting} 换一个端口；"
    return Conflict(
        f"端口 {port} 已被占用{by}。",
        code="port_in_use",
        remedy=f"{instead}或先停掉占用它的程序。同时运行两套时，请各用一个 WENBAN_HOME。",
        details=[{"setting": setting, "value": port}],
    )


def _is_free(host: str, port: int) -> bool:
    try:
        _bind(host, port)
    except OSError:
        return False
    return True


def _holder(port: int) -> str | None:
    """ "name（pid）" of the process that listens on ``port``, where the system lets us see it."""
    import psutil  # only needed on this path

    try:
        for connection in psutil.net_connections("tcp"):
            if (
                connection.status == psutil.CONN_LISTEN
                and connection.laddr
                and connection.laddr.port == port
                and connection.pid
            ):
                return f"{psutil.Process(connection.pid).name()}（进程 {connection.pid}）"
    except psutil.Error:
        return None
    return None
