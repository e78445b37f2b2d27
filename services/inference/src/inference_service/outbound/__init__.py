"""How models, tables and other services are asked, one technology a file."""
