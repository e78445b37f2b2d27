"""The shared language of Lumora: every event, job, RPC, token and frame, and every subject, in one place."""
