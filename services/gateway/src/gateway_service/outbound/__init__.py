"""Whom the gateway asks, and where it counts and stores."""
