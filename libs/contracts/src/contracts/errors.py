"""Every error a client can meet: a stable code, its HTTP status, and whether trying again may help."""

from typing import Final, NamedTuple

from contracts.base import Contract


class ErrorKind(NamedTuple):
    """What a code always means, wherever it is raised."""

    status: int
    title: str
    retryable: bool = False


ERRORS: Final[dict[str, ErrorKind]] = {
    "invalid_request": ErrorKind(422, "The request is not valid"),
    "invalid_json": ErrorKind(400, "The body is not valid JSON"),
    "unknown_type": ErrorKind(400, "The frame's type is not known"),
    "not_supported": ErrorKind(400, "This is not supported"),
    "not_authenticated": ErrorKind(401, "Sign in first"),
    "wrong_credentials": ErrorKind(401, "E-mail or password is wrong"),
    "forbidden": ErrorKind(403, "Not allowed"),
    "not_found": ErrorKind(404, "Not found"),
    "method_not_allowed": ErrorKind(405, "Method not allowed"),
    "conflict": ErrorKind(409, "Conflict"),
    "unseen_message": ErrorKind(409, "The customer has written meanwhile"),
    "email_taken": ErrorKind(409, "This e-mail is registered already"),
    "idempotency_conflict": ErrorKind(409, "The Idempotency-Key was used with another body"),
    "too_large": ErrorKind(413, "Too large"),
    "unsupported_type": ErrorKind(415, "This type of file is not supported"),
    "empty_document": ErrorKind(422, "The document is empty"),
    "unreadable_document": ErrorKind(422, "The document cannot be read"),
    "encrypted_document": ErrorKind(422, "The document is encrypted"),
    "no_text_layer": ErrorKind(422, "The document has pictures of text alone"),
    "macros_refused": ErrorKind(422, "Documents with macros are not read"),
    "document_too_long": ErrorKind(422, "The document is too long"),
    "address_refused": ErrorKind(422, "The address is not fetched"),
    "page_refused": ErrorKind(422, "The site does not give the page"),
    "page_not_found": ErrorKind(422, "There is no such page"),
    "site_unreachable": ErrorKind(503, "The site cannot be reached", retryable=True),
    "host_not_found": ErrorKind(422, "The host is not known"),
    "robots_refused": ErrorKind(422, "The site asks not to fetch the page"),
    "same_content": ErrorKind(409, "Another document holds the same"),
    "is_archive": ErrorKind(422, "An archive is no document"),
    "archive_refused": ErrorKind(422, "The archive cannot be unpacked"),
    "unpacks_too_large": ErrorKind(422, "The document unpacks to far more than its size"),
    "too_large_in_memory": ErrorKind(422, "Reading the document needs too much memory"),
    "took_too_long": ErrorKind(422, "Reading the document takes too long"),
    "reader_crashed": ErrorKind(422, "The document ends its reader"),
    "rate_limited": ErrorKind(429, "Too many requests", retryable=True),
    "too_many_turns": ErrorKind(429, "Too many answers are running", retryable=True),
    "internal": ErrorKind(500, "Something went wrong on our side", retryable=True),
    "unavailable": ErrorKind(503, "Temporarily unavailable", retryable=True),
    "deadline_exceeded": ErrorKind(504, "It took too long", retryable=True),
    "model_unreachable": ErrorKind(503, "The model cannot be reached", retryable=True),
    "model_overloaded": ErrorKind(503, "The model is overloaded", retryable=True),
    "model_rejected": ErrorKind(422, "The model refused the request"),
    "model_stalled": ErrorKind(504, "The model stopped answering", retryable=True),
    "model_broken": ErrorKind(502, "The model's answer broke off", retryable=True),
    "attempts_exhausted": ErrorKind(503, "No attempt to answer succeeded", retryable=True),
    "filter_unavailable": ErrorKind(503, "The filter cannot be reached", retryable=True),
}


class Problem(Contract):
    """RFC 9457 problem details, as the public interface words it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    trace_id: str = ""
    conflicts_with: str | None = None
    """The id of what stands in the way, left out where there is none to name."""

    def dump(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode()


class Failure(Contract):
    """What an RPC answers instead of its reply."""

    code: str
    detail: str
    retry_after_s: float | None = None
    conflicts_with: str | None = None
    """The id of what stands in the way."""
