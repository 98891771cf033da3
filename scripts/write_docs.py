"""Writes the generated pages of docs/: ``make docs``."""

from channels.console.pages import write_generated

write_generated()
