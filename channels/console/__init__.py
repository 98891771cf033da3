"""The terminal: what operators and scripts do with ``wenban``. Each module holds one group of commands."""
