"""NLU components and server adjustments that Rasa loads by module path from `config.yml` and `endpoints.yml`."""
