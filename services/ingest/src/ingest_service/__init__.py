"""Document in, searchable passages out."""
