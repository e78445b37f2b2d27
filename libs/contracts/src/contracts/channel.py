"""A channel is one message's declaration: its name, model, version, owner and consumers, said once."""

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from contracts.base import Contract, Event, Job, Reply, Request

EventT = TypeVar("EventT", bound=Event)
JobT = TypeVar("JobT", bound=Job)
RequestT = TypeVar("RequestT", bound=Request)
ReplyT = TypeVar("ReplyT", bound=Reply)


@dataclass(frozen=True)
class Fact(Generic[EventT]):
    """Something that happened: `evt.<owner>.<name>.v<version>.<tenant>.<key>`, captured by the stream EVENTS."""

    owner: str
    name: str
    model: type[EventT]
    key: str
    """The field of the model that ends the subject."""
    consumers: tuple[str, ...]
    """Services with a durable consumer of their own."""
    listeners: tuple[str, ...] = ()
    """Services that hear it live only, and lose nothing that matters when they miss one."""
    version: int = 1

    @property
    def schema(self) -> str:
        return f"{self.owner}.{self.name}.v{self.version}"


@dataclass(frozen=True)
class Work(Generic[JobT]):
    """A work queue: `job.<queue>.<tenant>`, each job done by one worker of the owner."""

    queue: str
    model: type[JobT]
    owner: str
    stream: str
    version: int = 1

    @property
    def schema(self) -> str:
        return f"job.{self.queue}.v{self.version}"


@dataclass(frozen=True)
class Rpc(Generic[RequestT, ReplyT]):
    """A question to one replica of the owner: `rpc.<owner>.<verb>`, answered in the queue group `<owner>`."""

    owner: str
    verb: str
    request: type[RequestT]
    reply: type[ReplyT]
    callers: tuple[str, ...]
    timeout_s: float = 5.0
    is_tenant_scoped: bool = True
    """False for the few questions asked before the tenant is known (login, key lookup)."""
    version: int = 1

    @property
    def schema(self) -> str:
        return f"rpc.{self.owner}.{self.verb}.v{self.version}"


@dataclass(frozen=True)
class Flow:
    """One kind of message on the token path (`raw`, `rcp`, `tok`) or a control hint (`ctl`): core-published, bare."""

    kind: Literal["raw", "rcp", "tok", "ctl"]
    name: str
    model: type[Contract]
    owner: str
    """Who publishes it."""
    listeners: tuple[str, ...]
    version: int = 1

    @property
    def schema(self) -> str:
        return f"{self.kind}.{self.name}.v{self.version}"
