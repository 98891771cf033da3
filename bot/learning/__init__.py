"""Learning from what was not known: the review list, the editors' draft, its evaluation, regression cases."""
