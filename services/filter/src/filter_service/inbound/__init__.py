"""Doors: raw tokens, questions and policy changes come in here."""
