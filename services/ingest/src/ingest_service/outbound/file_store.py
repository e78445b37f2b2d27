"""Uploads and originals in an object store: a local folder, S3, GCS or Azure, as the URL says.

`inbox/<tenant>/<name>` is what the gateway wrote and nobody registered yet; `files/<tenant>/<sha256>` is what is kept.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from contracts.ids import TenantId
from contracts.ingest import inbox_key
from ingest_service.domain.ports import Upload
from ingest_service.domain.sniff import NEEDED
from runtime.errors import NotFound, Unavailable
from runtime.tenancy import TenantScope

FORGOTTEN_AFTER: Final = timedelta(hours=24)
"""An upload that nobody registered for so long never will be: its request ended long ago."""

ORPHAN_AFTER: Final = timedelta(days=7)
"""A younger original may belong to a document that the database does not know yet: it may be just being restored."""

LISTED: Final = 500
"""Originals that are listed at a time."""
_ORIGINAL: Final = re.compile(r"files/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([^/]+)")


class ObjectFiles:
    """Implements `Files`."""

    def __init__(self, url: str) -> None:
        self._store: ObjectStore = from_url(url, mkdir=True) if url.startswith("file:") else from_url(url)

    async def inspect(self, scope: TenantScope, inbox_name: str) -> Upload | None:
        digest, size_bytes, head = hashlib.sha256(), 0, b""
        try:
            with _as_unavailable():
                found = await obstore.get_async(self._store, inbox_key(scope.tenant_id, inbox_name))
                async for part in found.stream():
                    piece = bytes(part)
                    digest.update(piece)
                    size_bytes += len(piece)
                    head = head or piece[:NEEDED]
        except FileNotFoundError:
            return None
        return Upload(size_bytes=size_bytes, head=head, sha256=digest.hexdigest())

    async def keep(self, scope: TenantScope, inbox_name: str, sha256: str) -> None:
        # a copy, not a move: until the document's commit the upload must be there for another try
        try:
            with _as_unavailable():
                await obstore.copy_async(self._store, inbox_key(scope.tenant_id, inbox_name), _original(scope, sha256))
        except FileNotFoundError as error:  # whoever sent it stopped waiting
            raise NotFound from error

    async def put(self, scope: TenantScope, sha256: str, data: bytes) -> None:
        with _as_unavailable():
            await obstore.put_async(self._store, _original(scope, sha256), data)

    async def discard(self, scope: TenantScope, inbox_name: str) -> None:
        await self._remove(inbox_key(scope.tenant_id, inbox_name))

    async def read(self, scope: TenantScope, sha256: str) -> bytes | None:
        try:
            with _as_unavailable():
                found = await obstore.get_async(self._store, _original(scope, sha256))
                return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None

    async def delete(self, scope: TenantScope, sha256: str) -> None:
        await self._remove(_original(scope, sha256))

    async def sweep(self, now: datetime | None = None) -> int:
        """Remove uploads that were forgotten in the inbox; how many."""
        oldest = (now or datetime.now(UTC)) - FORGOTTEN_AFTER
        count = 0
        with _as_unavailable():
            async for part in obstore.list(self._store, "inbox/"):
                for item in part:
                    if item["last_modified"] < oldest:
                        await self._remove(item["path"])
                        count += 1
        return count

    async def kept(self, now: datetime | None = None) -> AsyncIterator[tuple[TenantScope, Sequence[str]]]:
        newest = (now or datetime.now(UTC)) - ORPHAN_AFTER
        listed = obstore.list(self._store, "files/", chunk_size=LISTED)
        while True:
            with _as_unavailable():
                part = await anext(listed, None)
            if part is None:
                return
            # what somebody else left there is theirs
            places = filter(None, (_ORIGINAL.fullmatch(i["path"]) for i in part if i["last_modified"] < newest))
            found = [place.groups() for place in places]
            for tenant_id in dict.fromkeys(tenant_id for tenant_id, _ in found):
                scope = TenantScope(TenantId(UUID(tenant_id)), "service:ingest")
                yield scope, [name for of, name in found if of == tenant_id]

    async def check(self) -> None:
        """Raises when the store cannot be reached: for readiness."""
        await obstore.list_with_delimiter_async(self._store, "inbox/")

    async def _remove(self, key: str) -> None:
        try:
            with _as_unavailable():
                await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return


@contextmanager
def _as_unavailable() -> Iterator[None]:
    """What the store says when it is away, full, or lets something not be done; a file that is not there is no such."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise Unavailable("the file store is away or full", retry_after_s=5) from error


def _original(scope: TenantScope, sha256: str) -> str:
    return f"files/{scope.tenant_id}/{sha256}"
