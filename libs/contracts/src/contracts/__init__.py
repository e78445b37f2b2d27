"""The shared language: every event, command, RPC and frame, and every subject."""
