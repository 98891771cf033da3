"""The one tree of errors that may reach a person or a machine.

::

    WenbanError                 code (machines) · status (HTTP) · message and remedy (people, Chinese) · details
    ├── InvalidInput            422  what was sent is not acceptable
    │   └── TooLarge            413  … because of its size
    ├── Unauthenticated         401  nobody has signed in
    ├── Forbidden               403  somebody has, but may not do this
    ├── NotFound                404
    ├── Conflict                409  it contradicts what is stored or happening now
    ├── TooManyRequests         429
    ├── ConfigurationError      500  the operator must change a setting
    ├── Unavailable             503  a part is down or busy; trying again may help
    └── StorageFull             507  the disk is full; nothing was changed

A programming fault is none of these: it stays an ordinary exception and becomes a plain 500 at the edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar


class WenbanError(Exception):
    """Something went wrong that can be explained. ``message`` and ``remedy`` are Chinese sentences for people."""

    default_code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(
        self, message: str, *, code: str | None = None, remedy: str = "", details: Iterable[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.remedy = remedy
        self.details: list[dict[str, Any]] = [dict(detail) for detail in details]

    def as_dict(self) -> dict[str, Any]:
        """The body of an error response, as promised to integrators."""
        body: dict[str, Any] = {"error": self.code, "message": self.message, "remedy": self.remedy}
        if self.details:
            body["details"] = self.details
        return body


class InvalidInput(WenbanError):
    default_code = "invalid_input"
    status = 422


class TooLarge(InvalidInput):
    default_code = "too_large"
    status = 413


class Unauthenticated(WenbanError):
    default_code = "unauthenticated"
    status = 401


class Forbidden(WenbanError):
    default_code = "forbidden"
    status = 403


class NotFound(WenbanError):
    default_code = "not_found"
    status = 404


class Conflict(WenbanError):
    default_code = "conflict"
    status = 409


class TooManyRequests(WenbanError):
    default_code = "too_many_requests"
    status = 429


class ConfigurationError(WenbanError):
    default_code = "configuration_error"
    status = 500


class Unavailable(WenbanError):
    default_code = "unavailable"
    status = 503


class StorageFull(WenbanError):
    default_code = "storage_full"
    status = 507
