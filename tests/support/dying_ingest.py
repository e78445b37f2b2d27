"""`python -m tests.support.dying_ingest before|after`: ingest that kills itself where it removes an original's file."""

import os
import signal
import sys
from unittest.mock import patch

from ingest_service.app import build
from ingest_service.outbound.file_store import ObjectFiles
from runtime.service import main
from runtime.tenancy import TenantScope

_delete = ObjectFiles.delete


async def delete_and_die(files: ObjectFiles, scope: TenantScope, sha256: str) -> None:
    if sys.argv[1] == "after":
        await _delete(files, scope, sha256)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    with patch.object(ObjectFiles, "delete", delete_and_die):
        main("ingest", build)
