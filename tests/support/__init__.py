"""Importable helpers of the tests."""
