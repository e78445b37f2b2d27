"""The lumora command: runs the platform and speaks its public API."""
