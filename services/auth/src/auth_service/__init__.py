"""Who are you, which business, what may you do."""
