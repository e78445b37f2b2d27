"""`python -m tests.support.dying_ingest before|after TENANT`: ingest that kills itself where it removes a file."""

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
    moment, tenant = sys.argv[1:]
    is_meant = str(scope.tenant_id) == tenant
    if moment == "after" or not is_meant:
        await _delete(files, scope, sha256)
    if is_meant:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    with patch.object(ObjectFiles, "delete", delete_and_die):
        main("ingest", build)
