"""The last word before a customer reads."""
