"""Doors: facts and questions come in here."""
