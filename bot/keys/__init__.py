"""API keys: which programs may write here, and what."""
