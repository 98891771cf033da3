"""Outflow: what happens here told to other systems, as signed events, at least once."""
