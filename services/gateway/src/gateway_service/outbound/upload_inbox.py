"""Uploads on their way into the file store: a local folder, S3, GCS or Azure, as the URL says."""

from collections.abc import AsyncIterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from contracts.ids import TenantId
from contracts.ingest import inbox_key
from runtime import logs
from runtime.errors import Unavailable

PART_BYTES = 5 << 20
"""The smallest part that S3 takes; with two on their way an upload holds 15 MiB at most."""
PARTS_AT_ONCE = 2

_log = logs.get_logger()


class UploadInbox:
    """Implements `Inbox`."""

    def __init__(self, url: str) -> None:
        self._store = open_store(url)

    async def put(self, tenant_id: TenantId, name: str, pieces: AsyncIterable[bytes]) -> None:
        try:
            await obstore.put_async(
                self._store,
                inbox_key(tenant_id, name),
                pieces,
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )
        except (BaseError, OSError) as error:
            _log.warning("upload.unstored", error=type(error).__name__)
            raise Unavailable("the file store is away or full", retry_after_s=5) from error

    async def drop(self, tenant_id: TenantId, name: str) -> None:
        try:
            await obstore.delete_async(self._store, inbox_key(tenant_id, name))
        except FileNotFoundError:
            return  # ingest has taken it, or cleaned up itself
        except (BaseError, OSError) as error:
            _log.warning("upload.undropped", error=type(error).__name__)

    async def check(self) -> None:
        """Raises when the store is away: for `/health`."""
        await obstore.list_with_delimiter_async(self._store, "inbox")


def open_store(url: str) -> Any:
    """A store by its URL; a local folder is made when it is missing."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return LocalStore(Path(unquote(parts.path)), mkdir=True)
    return from_url(url)
