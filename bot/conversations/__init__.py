"""Conversations: what a citizen and the assistant have said, what they are talking about, and what is said next."""
