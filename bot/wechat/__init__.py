"""The Official Account's own state: messages taken in, what may be sent to whom and how often, tokens."""
