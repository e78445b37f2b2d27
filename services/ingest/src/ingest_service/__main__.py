"""`python -m ingest_service`, and its one command beside the service: `python -m ingest_service snapshot …`."""

import asyncio
import sys

from ingest_service.app import build, snapshots
from ingest_service.inbound.command_snapshot import snapshot
from ingest_service.settings import IngestSettings
from runtime import logs
from runtime.service import main

if __name__ == "__main__":
    if sys.argv[1:2] == ["snapshot"]:
        logs.configure("ingest", to=sys.stderr)  # stdout is its answer
        sys.exit(asyncio.run(snapshot(sys.argv[2:], snapshots(IngestSettings()))))
    main("ingest", build)
