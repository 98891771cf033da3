"""Adjustments of the Rasa server, loaded by `endpoints.yml`; no change here trains the model anew."""
