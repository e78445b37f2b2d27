"""Alembic's entry, as every service has it."""

from runtime import migration_env

migration_env.run()
