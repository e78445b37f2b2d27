"""What an archive holds: documents that came of it, each with its path there."""

from collections.abc import Sequence
from typing import Protocol

from ingest_service.domain.document import Document, Failure
from ingest_service.domain.ports import Step
from runtime.tenancy import TenantScope


class Members(Protocol):
    """The documents that came of an archive. Facts and jobs are said in the commit of the change, as `Documents` does.

    Each change raises `Fenced` once the archive's attempt does not count any more: what is deleted with its members
    gets no further ones.
    """

    async def of(self, scope: TenantScope, archive: Document) -> Sequence[Document]:
        """Those that are there, without those that are being deleted."""
        ...

    async def add(self, scope: TenantScope, archive: Document, member: Document, *, keep: Step) -> None:
        """Store a member as `Documents.add` does.

        A document that has its content already stays what it is. It becomes this archive's member if it was that of
        one that failed or is gone, and takes the path if it is this one's.
        """
        ...

    async def refuse(self, scope: TenantScope, archive: Document, member: Document, failure: Failure) -> None:
        """Store a member that cannot be taken out of the archive, as failed; one that is there says why, and stays."""
        ...

    async def replace(self, scope: TenantScope, archive: Document, version: Document, *, keep: Step) -> None:
        """Have a member read anew, as `Documents.replace` does.

        Raises:
            Conflict: it is at work, or another document has that content.
        """
        ...

    async def remove(self, scope: TenantScope, archive: Document, member: Document) -> None:
        """Begin to delete a member."""
        ...
