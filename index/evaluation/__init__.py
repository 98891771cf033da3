"""Scoring of the assistant's replies against labelled questions. Pure: files and numbers in, numbers out."""
