"""Originals that no document has any more: removed after the commit that left them, by upkeep after a crash there."""

from collections.abc import Sequence
from functools import partial

from ingest_service.domain.ports import Documents, Files
from runtime.tenancy import TenantScope


async def let_go(scope: TenantScope, contents: Sequence[str], *, documents: Documents, files: Files) -> int:
    """Remove those of the contents (SHA-256) that no document has; how many. Call it after the commit."""
    # a page that was never fetched has none
    there = [sha256 for sha256 in contents if sha256]
    return await documents.let_go(scope, there, delete=partial(files.delete, scope))


async def sweep(*, documents: Documents, files: Files) -> int:
    """Remove every original that has been there for long and that no document has; how many.

    A business without any document is left alone: more likely the database is another one, or not restored yet.
    """
    count = 0
    async for scope, some in files.kept():
        if await documents.has_any(scope):
            count += await let_go(scope, some, documents=documents, files=files)
    return count
