"""NLU components and server adjustments that Rasa loads by module path from `config.yml` and `endpoints.yml`."""

from bot.rasa.components.protocol import cache_reply_validator

cache_reply_validator()
