"""People who work here: accounts, roles and signing in."""
