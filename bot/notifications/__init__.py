"""Notifications: what citizens are told without having asked, by which channel, and whether it arrived."""
