"""Complaints: taken once, sent to the unit that is responsible, followed until they are closed."""
