"""Where policies and decisions are kept, and where tokens go."""
