"""How documents, passages and vectors are fetched and kept; one technology a file."""
