"""Supervision: no deadline passes unseen, and no bad judgement stays without consequence."""
