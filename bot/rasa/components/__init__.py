"""NLU components and the training data importer, which Rasa loads by module path from `config.yml`."""
