"""Doors: HTTP and WebSocket come in here."""
