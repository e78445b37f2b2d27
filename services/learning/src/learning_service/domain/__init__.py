"""What was learned, as pure decisions over events."""
