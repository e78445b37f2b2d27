"""Alembic's entry; the work is the same in every service."""

from runtime import migration_env

migration_env.run()
