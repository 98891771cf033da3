"""Rasa's side of 问办: its environment, the NLU components it loads, and the command that trains it.

Only Rasa's own Python 3.10 imports this package; the gateway reaches Rasa by HTTP and never by import.
"""
