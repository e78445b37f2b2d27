"""The commands of `lumora`, one file each."""
