"""The published categories as GeoReport services: each has a code that stays while its name does."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """One category of the list, ``大类/小类``."""

    category: str

    @property
    def code(self) -> str:
        """Made from the name: the same wherever the list is published, and fit for a path."""
        return hashlib.sha256(self.category.encode()).hexdigest()[:10]

    def as_dict(self) -> dict[str, object]:
        """GeoReport's fields. Nothing more is asked about any service, so there is no metadata."""
        group, _, name = self.category.partition("/")
        return {
            "service_code": self.code,
            "service_name": name or group,
            "description": self.category,
            "metadata": False,
            "type": "realtime",
            "keywords": "",
            "group": group,
        }


def by_code(categories: Sequence[str]) -> dict[str, Service]:
    """The services of the list by their code, in the list's order."""
    services = [Service(category) for category in categories]
    return {service.code: service for service in services}
