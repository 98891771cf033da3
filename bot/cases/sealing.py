"""A case as a row and back: personal data sealed, codes as blind indexes."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from bot.cases.model import Case
from bot.cases.numbers import folded, folded_code, last_four, plain_number
from bot.cases.progress import finished_at
from bot.cases.tables import CaseRow
from bot.store.sealed import Sealer

_PERSONAL = {"query_code", "applicant"}
_CODE, _LAST, _DIGEST = "case.code", "case.last4", "case.digest"


class Kept(Protocol):
    """What a case is read from: a row, or columns on their way to one."""

    folded: Any
    body: Any
    sealed: Any


@dataclass(frozen=True, slots=True)
class Columns:
    """What a case's row holds beside its times and its source."""

    values: dict[str, Any]

    @property
    def digest(self) -> str:
        return str(self.values["digest"])


class CaseSealer:
    """Turns cases into columns and rows into cases."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def columns(self, case: Case) -> Columns:
        """The columns of ``case``; its digest is the same as long as nothing of it changes."""
        number = folded(case.number)
        whole = case.model_dump(mode="json", exclude_defaults=True)
        personal = {key: whole.pop(key) for key in sorted(_PERSONAL & set(whole))}
        secret = orjson.dumps(personal, option=orjson.OPT_SORT_KEYS).decode()
        content = orjson.dumps(whole, option=orjson.OPT_SORT_KEYS).decode()
        applicant = case.applicant
        return Columns(
            {
                "number": case.number,
                "folded": number,
                "plain": plain_number(case.number),
                "body": whole,
                "sealed": self._sealer.seal(secret, _place(number)),
                "code_index": self._index(_CODE, number, folded_code(case.query_code or "")),
                "id_index": self._index(_LAST, number, last_four(applicant.id_number or "")),
                "phone_index": self._index(_LAST, number, last_four(applicant.phone or "")),
                # keyed: an unkeyed hash over few unknown digits could be tried out
                "digest": self._sealer.index(_DIGEST, content, secret),
                "source_updated_at": case.updated_at,
                "finished_at": finished_at(case),
            }
        )

    def case(self, row: Kept) -> Case:
        """The case of ``row`` with its personal data. Raises ConfigurationError where no key opens it."""
        personal = orjson.loads(self._sealer.open(row.sealed, _place(row.folded)))
        return Case.model_validate({**row.body, **personal})

    def is_current(self, row: CaseRow) -> bool:
        return self._sealer.is_current(row.sealed)

    def opens(self, row: CaseRow | None, code: str) -> bool:
        """Whether ``code`` is the query code, or the last four of identity card or phone.

        The same work is done without a row, so that the time does not tell whether a number exists.
        """
        number = row.folded if row else "NOBODY"
        stored = (row.code_index, row.id_index, row.phone_index) if row else (None, None, None)
        given = folded_code(code)
        right = False
        for purpose, indexes in ((_CODE, stored[:1]), (_LAST, stored[1:])):
            for possible in self._sealer.indexes(purpose, number, given):
                for index in indexes:
                    right |= hmac.compare_digest(possible, index or "-" * 64)
        return right and len(given) >= 4 and row is not None

    def attempt_key(self, scope: str, *parts: str) -> str:
        """What wrong codes are counted by, so that the table names nobody."""
        return self._sealer.index(f"attempt.{scope}", *parts)

    def _index(self, purpose: str, number: str, code: str) -> str | None:
        return self._sealer.index(purpose, number, code) if len(code) >= 4 else None


def _place(number: str) -> str:
    return f"cases:{number}"
