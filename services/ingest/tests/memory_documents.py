"""Memory fakes of documents and files: each keeps the promise that its real counterpart keeps."""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.ids import DocumentId, PassageId, TenantId
from ingest_service.domain import media_types
from ingest_service.domain.cut_settings import DEFAULT, CutSettings
from ingest_service.domain.document import Cause, Document, Failure, File, Reading, State, StoredPassage
from ingest_service.domain.estimate import Expected
from ingest_service.domain.ports import Leased, Step, Upload
from ingest_service.domain.select_documents import Selection, Span
from runtime.errors import Conflict
from runtime.tenancy import TenantScope

Key = tuple[TenantId, DocumentId]


@dataclass
class MemoryDocuments:
    """Rows in dictionaries; `said` holds the facts, `jobs` the queue. A lease ends when it is released."""

    rows: dict[Key, Document] = field(default_factory=dict)
    cut: dict[Key, tuple[int, list[StoredPassage]]] = field(default_factory=dict)
    leases: set[Key] = field(default_factory=set)
    said: list[tuple[DocumentId, State, float]] = field(default_factory=list)
    jobs: list[DocumentId] = field(default_factory=list)
    settings: dict[TenantId, CutSettings] = field(default_factory=dict)

    async def add(self, scope: TenantScope, document: Document, *, keep: Step) -> Document:
        for (tenant_id, document_id), row in self.rows.items():
            is_same = row.sha256 == document.sha256 and row.state not in {State.FAILED, State.DELETING}
            if tenant_id == scope.tenant_id and (document_id == document.id or is_same):
                is_asked_for = document.came_of is None and row.came_of is not None
                return self._put(scope, row, came_of=None, path=None) if is_asked_for else row
        await keep()
        failed = [row for row in self.rows.values() if self._is_failed_upload(scope, row, document)]
        if failed:
            return self._begin_anew(scope, failed[-1])
        self.rows[scope.tenant_id, document.id] = document
        self._enqueue(document)
        return document

    async def get(self, scope: TenantScope, document_id: DocumentId) -> Document | None:
        return self.rows.get((scope.tenant_id, document_id))

    async def page(
        self,
        scope: TenantScope,
        *,
        state: State | None,
        limit: int,
        before: DocumentId | None,
        tag: str | None = None,
        filename: str | None = None,
        came_of: DocumentId | None = None,
    ) -> list[Document]:
        own = [row for (tenant_id, _), row in self.rows.items() if tenant_id == scope.tenant_id]
        if came_of is not None:
            own = self.came_of(scope, came_of)
        if filename is not None:
            own = [row for row in own if filename in {row.filename, row.found_in and row.found_in.name}]
        chosen = [row for row in own if state in {None, row.state} and (before is None or row.id < before)]
        tagged = [row for row in chosen if tag is None or tag in row.tags]
        return sorted(tagged, key=lambda row: row.id, reverse=True)[:limit]

    def came_of(self, scope: TenantScope, origin: DocumentId) -> list[Document]:
        first = [
            row
            for (tenant_id, _), row in self.rows.items()
            if tenant_id == scope.tenant_id and row.came_of == origin and row.state is not State.DELETING
        ]
        return [*first, *(further for row in first for further in self.came_of(scope, row.id))]

    async def led_to(self, scope: TenantScope, document_id: DocumentId) -> Counter[State]:
        return Counter(row.state for row in self.came_of(scope, document_id))

    async def selected(
        self, scope: TenantScope, selection: Selection, within: Sequence[DocumentId]
    ) -> Sequence[DocumentId]:
        return [
            row.id
            for (tenant_id, _), row in self.rows.items()
            if tenant_id == scope.tenant_id
            and row.passages
            and row.state is not State.DELETING
            and (not within or row.id in within)
            and (not selection.tags or set(selection.tags) & set(row.tags))
            and _is_in(selection.created, row.created_at)
            and _is_in(selection.updated, row.updated_at)
        ]

    async def set_tags(self, scope: TenantScope, document_id: DocumentId, tags: tuple[str, ...]) -> Document | None:
        row = self.rows.get((scope.tenant_id, document_id))
        return None if row is None or row.state is State.DELETING else self._put(scope, row, tags=tags)

    async def read_again(self, scope: TenantScope, document_id: DocumentId) -> Document | None:
        row = self.rows.get((scope.tenant_id, document_id))
        if row is None or row.state is State.DELETING:
            return None
        if not row.state.is_at_rest:
            return row
        if row.state is State.FAILED and self._holders(scope, row):
            raise Conflict
        return self._begin_anew(scope, row)

    def _is_failed_upload(self, scope: TenantScope, row: Document, document: Document) -> bool:
        return (
            self.rows.get((scope.tenant_id, row.id)) is row
            and row.state is State.FAILED
            and row.sha256 == document.sha256
            and row.came_of is row.url is document.came_of is document.url is None
        )

    def _begin_anew(self, scope: TenantScope, row: Document) -> Document:
        again = self._put(
            scope,
            row,
            state=State.RECEIVED,
            progress=0.0,
            failure=None,
            generation=row.generation + 1,
            attempt=0,
            cut_by=None,
            put_off={},
        )
        self._enqueue(again)
        return again

    async def replace(self, scope: TenantScope, version: Document, *, keep: Step) -> Document | None:
        row = self.rows.get((scope.tenant_id, version.id))
        if row is None or row.state is State.DELETING:
            return None
        if row.sha256 == version.sha256 and row.failure is None:
            return row
        if not row.state.is_at_rest or self._holders(scope, version, in_use_only=True):
            raise Conflict
        await keep()
        content = {"sha256": version.sha256, "size_bytes": version.size_bytes, "filename": version.filename}
        begun = {"state": State.RECEIVED, "progress": 0.0, "failure": None, "attempt": 0, "cut_by": None, "put_off": {}}
        again = self._put(scope, row, generation=row.generation + 1, **content, **begun)
        self._enqueue(again)
        return again

    async def begin_deleting(self, scope: TenantScope, document_id: DocumentId, *, led_to: bool = False) -> bool:
        for each in self.came_of(scope, document_id) if led_to else ():
            await self.begin_deleting(scope, each.id)
        row = self.rows.get((scope.tenant_id, document_id))
        if row is None:
            return False
        if row.state is not State.DELETING:
            self._enqueue(self._put(scope, row, state=State.DELETING, attempt=row.attempt + 1, try_again_at=None))
        return True

    async def claim(self, scope: TenantScope, document_id: DocumentId) -> Document | Leased | None:
        key = scope.tenant_id, document_id
        row = self.rows.get(key)
        if row is None or row.state.is_at_rest:
            return None
        if row.try_again_at is not None and row.try_again_at > datetime.now(UTC):
            return None
        if key in self.leases:
            return Leased()
        self.leases.add(key)
        cut_by = row.cut_by or await self.cut_settings(scope)
        return self._put(scope, row, attempt=row.attempt + 1, cut_by=cut_by, try_again_at=None)

    async def hold(self, scope: TenantScope, document: Document) -> bool:
        return self._mine(scope, document) is not None

    async def release(self, scope: TenantScope, document: Document) -> None:
        row = self.rows.get((scope.tenant_id, document.id))
        by_deletion = (document.generation, document.attempt + 1)
        is_deleted = row is not None and row.state is State.DELETING and _fence(row) == by_deletion
        if row is None or _fence(row) == _fence(document) or is_deleted:
            self.leases.discard((scope.tenant_id, document.id))

    async def put_off(
        self, scope: TenantScope, document: Document, why: Failure | None, *, pause: timedelta, cause: Cause | None
    ) -> None:
        row = self._mine(scope, document)
        if row is not None:
            state = State.DELETING if row.state is State.DELETING else State.RECEIVED
            until = datetime.now(UTC) + pause
            times = row.put_off if cause is None else {**row.put_off, cause: row.put_off.get(cause, 0) + 1}
            changed = {"state": state, "attempt": row.attempt - 1, "failure": why, "try_again_at": until}
            waiting = self._put(scope, row, put_off=times, **changed)
            if (row.state, _code(row)) != (state, _code(waiting)):
                self._say(waiting)

    async def advance(
        self, scope: TenantScope, document: Document, state: State, progress: float, *, expected: Expected | None = None
    ) -> bool:
        row = self._mine(scope, document)
        if row is not None:
            expected_at = None if expected is None else expected.at
            how_far = {"state": state, "progress": progress, "expected_at": expected_at}
            self._say(self._put(scope, row, failure=None, try_again_at=None, **how_far))
        return row is not None

    async def finish(self, scope: TenantScope, document: Document, reading: Reading) -> bool:
        row = self._mine(scope, document)
        if row is None:
            return False
        self.cut[scope.tenant_id, document.id] = row.generation, list(reading.passages)
        ready = self._put(
            scope,
            row,
            state=State.READY,
            progress=1.0,
            title=reading.title,
            media_type=reading.media_type,
            language=reading.language,
            pages=reading.pages,
            passages=len(reading.passages),
            notes=reading.notes,
            found_in=File(row.filename, row.size_bytes),
        )
        self._say(ready)
        return True

    async def fail(self, scope: TenantScope, document: Document, failure: Failure) -> State | None:
        row = self._mine(scope, document)
        if row is None:
            return None
        kind = failure.media_type or media_types.UNKNOWN
        rest: dict[str, Any] = {"state": State.FAILED, "passages": 0, "media_type": kind}
        if await self.found_generation(scope, document.id) is not None:
            rest = {"state": State.READY, "progress": 1.0}
        failed = self._put(scope, row, failure=replace(failure, media_type=None), **rest)
        self._say(failed)
        return failed.state

    async def remove(self, scope: TenantScope, document: Document, *, delete: Step) -> None:
        if not self._holders(scope, document):
            await delete()
        self.cut.pop((scope.tenant_id, document.id), None)
        self.rows.pop((scope.tenant_id, document.id), None)

    async def has_any(self, scope: TenantScope) -> bool:
        return any(tenant_id == scope.tenant_id for tenant_id, _ in self.rows)

    async def let_go(
        self, scope: TenantScope, contents: Sequence[str], *, delete: Callable[[str], Awaitable[None]]
    ) -> int:
        rows = [row for (tenant_id, _), row in self.rows.items() if tenant_id == scope.tenant_id]
        unheld = set(contents) - {row.sha256 for row in rows if row.state is not State.DELETING}
        for sha256 in unheld:
            await delete(sha256)
        return len(unheld)

    async def cut_settings(self, scope: TenantScope) -> CutSettings:
        return self.settings.get(scope.tenant_id, DEFAULT)

    async def set_cut_settings(self, scope: TenantScope, settings: CutSettings) -> None:
        self.settings[scope.tenant_id] = settings

    async def passages(self, scope: TenantScope, ids: Sequence[PassageId]) -> dict[PassageId, StoredPassage]:
        return {
            passage.id: passage
            for (tenant_id, document_id), (_, passages) in self.cut.items()
            if tenant_id == scope.tenant_id and self.rows[tenant_id, document_id].state is not State.DELETING
            for passage in passages
            if passage.id in ids
        }

    async def passages_of(self, scope: TenantScope, document_id: DocumentId, generation: int) -> list[StoredPassage]:
        found, passages = self.cut.get((scope.tenant_id, document_id), (None, []))
        return list(passages) if found == generation else []

    async def found_generation(self, scope: TenantScope, document_id: DocumentId) -> int | None:
        key = scope.tenant_id, document_id
        found, passages = self.cut.get(key, (None, []))
        return found if passages and key in self.rows else None

    def _put(self, scope: TenantScope, row: Document, **changed: Any) -> Document:
        self.rows[scope.tenant_id, row.id] = replace(row, **changed)
        return self.rows[scope.tenant_id, row.id]

    def _mine(self, scope: TenantScope, document: Document) -> Document | None:
        row = self.rows.get((scope.tenant_id, document.id))
        is_mine = row is not None and _fence(row) == _fence(document) and not row.state.is_at_rest
        return row if is_mine else None

    def _holders(self, scope: TenantScope, document: Document, *, in_use_only: bool = False) -> bool:
        others = {State.DELETING, State.FAILED} if in_use_only else {State.DELETING}
        return any(
            tenant_id == scope.tenant_id
            and row.id != document.id
            and row.sha256 == document.sha256
            and row.state not in others
            for (tenant_id, _), row in self.rows.items()
        )

    def _say(self, row: Document) -> None:
        self.said.append((row.id, row.state, row.progress))

    def _enqueue(self, row: Document) -> None:
        self._say(row)
        self.jobs.append(row.id)


def _code(row: Document) -> str | None:
    return None if row.failure is None else row.failure.code


def _is_in(span: Span, moment: datetime) -> bool:
    return (span.since is None or moment >= span.since) and (span.until is None or moment < span.until)


@dataclass
class MemoryFiles:
    """Bytes by key, as the object store has them."""

    held: dict[str, bytes] = field(default_factory=dict)

    def upload(self, scope: TenantScope, name: str, data: bytes) -> None:
        self.held[f"inbox/{scope.tenant_id}/{name}"] = data

    async def inspect(self, scope: TenantScope, inbox_name: str) -> Upload | None:
        data = self.held.get(f"inbox/{scope.tenant_id}/{inbox_name}")
        return None if data is None else Upload(len(data), data[:4_096], hashlib.sha256(data).hexdigest())

    async def keep(self, scope: TenantScope, inbox_name: str, sha256: str) -> None:
        self.held[f"files/{scope.tenant_id}/{sha256}"] = self.held[f"inbox/{scope.tenant_id}/{inbox_name}"]

    async def put(self, scope: TenantScope, sha256: str, data: bytes) -> None:
        self.held[f"files/{scope.tenant_id}/{sha256}"] = data

    async def discard(self, scope: TenantScope, inbox_name: str) -> None:
        self.held.pop(f"inbox/{scope.tenant_id}/{inbox_name}", None)

    async def read(self, scope: TenantScope, sha256: str) -> bytes | None:
        return self.held.get(f"files/{scope.tenant_id}/{sha256}")

    async def delete(self, scope: TenantScope, sha256: str) -> None:
        self.held.pop(f"files/{scope.tenant_id}/{sha256}", None)

    async def kept(self) -> AsyncIterator[tuple[TenantScope, Sequence[str]]]:
        for key in list(self.held):
            kind, tenant_id, name = key.split("/")
            if kind == "files":
                yield TenantScope(TenantId(UUID(tenant_id)), "service:test"), [name]


def _fence(document: Document) -> tuple[int, int]:
    return document.generation, document.attempt
