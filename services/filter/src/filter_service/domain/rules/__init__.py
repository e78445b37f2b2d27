"""The rules a text is judged by; each finds its matches from one place of the window on."""
