"""What the filter service answers and says: policies, input checks, the opening of a token stream."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.base import Contract, Event, Personal, Reply, Request
from contracts.channel import Fact, Rpc
from contracts.ids import ConversationId, MessageId, TenantId

Action = Literal["redact", "block"]
PersonalAction = Literal["off", "redact", "mask", "block"]
"""`mask` leaves what its owner knows it by: the last four digits, an address's first letter and domain."""
Term = Annotated[str, Field(min_length=1, max_length=100)]


class ModerationPolicy(Contract):
    """What a business does not want its customers to read."""

    version: int = 0
    terms: Annotated[tuple[Term, ...], Field(max_length=1_000)] = ()
    terms_action: Action = "redact"
    cards_action: PersonalAction = "redact"
    iban_action: PersonalAction = "off"
    email_action: PersonalAction = "off"
    phone_action: PersonalAction = "off"
    secrets_action: PersonalAction = "redact"


class GetPolicy(Request):
    """The business's policy; version 0 is the default nobody changed."""


class PutPolicy(Request):
    """Replace the business's policy."""

    policy: ModerationPolicy


class PolicyReply(Reply):
    """The policy that is in force."""

    policy: ModerationPolicy


class CheckInput(Request):
    """May this text of a customer be answered?"""

    text: Personal[str]


class InputVerdict(Reply):
    """Blocked when there are categories."""

    is_allowed: bool
    categories: tuple[str, ...] = ()


class Redact(Request):
    """Take personal data and secrets out of what customers wrote, whatever the policy says of answers."""

    texts: Personal[Annotated[tuple[str, ...], Field(min_length=1, max_length=50)]]


class Redacted(Reply):
    """The texts in order, `[redacted]` in place of card and account numbers, addresses, phone numbers and secrets."""

    texts: Personal[tuple[str, ...]]


class OpenStream(Request):
    """A replica is asked to judge one answer's tokens; it recomputes and skips what is out already."""

    conversation_id: ConversationId
    message_id: MessageId
    attempt: int
    seen_seq: int = -1
    policy_version: int | None = None
    """Given when the attempt moves here from another replica: its replay is judged as its beginning was."""
    question: Personal[str] | None = None
    """What the answer is to, to be checked as `check_input` does."""


class StreamOpened(Reply):
    """Where the raw tokens go. `window` is the most characters the filter ever holds back."""

    subject: str
    policy_version: int
    window: int
    batches: str | None = None
    """Where several answers' raw messages may travel as one; a replica of an older release names none."""
    verdict: InputVerdict | None = None
    """Of the question; None when none was given, and from a replica of an older release: then `check_input` tells."""


class PolicyChanged(Event):
    """Whoever cached this tenant's policy drops it."""

    tenant_id: TenantId
    version: int


POLICY_CHANGED = Fact("filter", "policy_changed", PolicyChanged, key="tenant_id", consumers=(), listeners=("filter",))

GET_POLICY = Rpc("filter", "get_policy", GetPolicy, PolicyReply, callers=("gateway",))
PUT_POLICY = Rpc("filter", "put_policy", PutPolicy, PolicyReply, callers=("gateway",))
CHECK_INPUT = Rpc("filter", "check_input", CheckInput, InputVerdict, callers=("inference",), timeout_s=2)
REDACT = Rpc("filter", "redact", Redact, Redacted, callers=("inference",))
OPEN_STREAM = Rpc("filter", "open", OpenStream, StreamOpened, callers=("inference",), timeout_s=2)
