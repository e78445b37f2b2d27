"""What the edge decides: who may do what, and how often."""
