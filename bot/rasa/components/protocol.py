"""Check action replies with one validator built once.

Rasa rebuilds (and re-checks) the JSON schema of action replies on every reply, which is more than half of a turn's
time. The schema never changes, so a validator built at import does the same check.
"""

from __future__ import annotations

from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import best_match
from rasa.core.actions.action import RemoteAction


def cache_reply_validator() -> None:
    """Replace the per-reply schema construction of `RemoteAction`; calling it twice changes nothing more."""
    validator = Draft7Validator(RemoteAction.action_response_format_spec())

    def validate(self: RemoteAction, result: dict[str, Any]) -> bool:
        fault = best_match(validator.iter_errors(result))
        if fault is None:
            return True
        fault.message += (
            f". Failed to validate Action server response from API, make sure your response from the "
            f"action endpoint of '{self.name()}' is valid."
        )
        raise fault

    RemoteAction._validate_action_result = validate
