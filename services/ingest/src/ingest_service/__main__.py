"""`python -m ingest_service`."""

from ingest_service.app import build
from runtime.service import main

if __name__ == "__main__":
    main("ingest", build)
