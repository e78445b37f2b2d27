"""Who may come in, and with what: decisions that know only ports."""
