"""Where people, sessions and keys are kept, and how secrets are made."""
