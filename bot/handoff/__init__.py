"""Hand-off of a conversation to a person, and the operators' desk."""
