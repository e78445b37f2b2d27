"""Doors: questions and jobs come in here."""
