"""NATS and Postgres from their wheels, on loopback, with their data in one folder."""
