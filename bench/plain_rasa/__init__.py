"""The plain Rasa assistant one would otherwise build over the same catalogue: DIET and a ResponseSelector."""
