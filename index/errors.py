"""What can go wrong in the index; the callers translate these for people.

::

    SearchIndexError
    ├── EncoderUnavailable   the encoder's folder is missing, damaged, or its runtime does not run here
    ├── IndexMissing         nothing has been built yet
    ├── IndexCorrupt         a file is missing, cut short or of an unknown format
    └── IndexMismatch        built by another encoder than the one that would search it
"""


class SearchIndexError(Exception):
    """Root of the index's errors."""


class EncoderUnavailable(SearchIndexError):
    """The encoder cannot be loaded; the message says which folder and why."""


class IndexMissing(SearchIndexError):
    """There is no built index at the place named."""


class IndexCorrupt(SearchIndexError):
    """The index folder is incomplete or unreadable; it has to be built again."""


class IndexMismatch(SearchIndexError):
    """The index was built by another encoder; it has to be built again."""
