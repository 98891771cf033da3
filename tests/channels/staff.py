"""Clerks, operators and supervisors at their pages, over HTTP: they read a page and send one of its forms."""

from __future__ import annotations

import re
import weakref
from html import unescape

import httpx

from bot.complaints.filing import Asker, Filing, Shown
from bot.people.model import Role
from tests.gateway import Gateway

WATER, FOREST, LABOUR = "云山供水有限公司", "云山市林业局", "云山市人力资源和社会保障局"
BURST = "人民路药材公司门口自来水管爆了，水喷了两层楼高，没人来抢修，电话13912345678"
HTML = {"Accept": "text/html"}
PASSWORD = "correct-horse-battery"


class Staff:
    """One signed-in account."""

    def __init__(self, gateway: Gateway, username: str, role: Role, department: str | None = None) -> None:
        people = gateway.services.people
        if all(account.username != username for account in people.accounts()):
            people.create(username, PASSWORD, role, department=department)
        self.client = gateway.client(headers=HTML)
        weakref.finalize(self, self.client.close)
        self.client.post("/login", data={"username": username, "password": PASSWORD})

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def page(self, path: str) -> str:
        """The page's HTML. Fails where there is none."""
        response = self.get(path)
        assert response.status_code == 200, response.text
        return unescape(response.text)

    def act(self, path: str, act: str, seen: str | None = None, **fields: str) -> httpx.Response:
        """Sends the form of ``act`` as the page ``path`` has it now, or as it was in the HTML ``seen``."""
        html = seen or self.page(path)
        values = {name: re.findall(rf'name="{name}" value="(\w*)"', html)[0] for name in ("token", "version", "seen")}
        return self.client.post(path, data={**values, "act": act, **fields})


def filed(gateway: Gateway, text: str = BURST, place: str | None = "人民路药材公司门口") -> Shown:
    """A complaint as a citizen files it."""
    return gateway.services.complaints.service.file(Filing(text, location=place), Asker("api", "10.0.0.1"))
