"""Doors: questions come in here."""
