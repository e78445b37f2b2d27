"""Turn in, filtered and stored reply out."""
