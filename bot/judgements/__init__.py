"""Judgements (好差评): how citizens judge a service, credited to the unit and the person that gave it."""
