"""Who may say and hear what on NATS: least privilege, derived from the registry."""

from dataclasses import dataclass, field

from contracts import registry, subjects
from contracts.streams import consumers

ADVISORIES = "$JS.EVENT.ADVISORY.CONSUMER.>"
_SERVICES = ("gateway", "auth", "inference", "ingest", "learning", "filter")

# What the registry cannot know: the token path, control hints, rate counters.
_PUBLISH: dict[str, tuple[str, ...]] = {
    "gateway": ("ctl.>", "rate.>", "$JS.API.DIRECT.GET.TOKENS", "$JS.API.DIRECT.GET.TOKENS.>"),
    "auth": ("rate.>",),
    "inference": ("raw.>", "ctl.>"),
    "filter": ("tok.>", "rcp.>"),
    "operator": ("job.>", "evt.>", "dlq.>", "$JS.API.STREAM.MSG.GET.*", "$JS.API.STREAM.MSG.DELETE.*"),
    "provisioner": ("$JS.API.>",),
}
_SUBSCRIBE: dict[str, tuple[str, ...]] = {
    "gateway": ("tok.>", "ctl.>"),
    "inference": ("ctl.>", "tok.>", "rcp.>"),
    "filter": ("raw.>",),
}


@dataclass
class Permissions:
    """One NATS user's."""

    publish: list[str] = field(default_factory=list)
    subscribe: list[str] = field(default_factory=list)
    allow_responses: bool = False


def users() -> dict[str, Permissions]:
    """Permissions by NATS user: the six services, operator and provisioner."""
    found = {name: _fixed(name) for name in (*_SERVICES, "operator", "provisioner")}
    for rpc in registry.rpcs():
        found[rpc.owner].allow_responses = True
        for caller in rpc.callers:
            found[caller].publish.append(subjects.rpc(rpc))
    for fact in registry.facts():
        found[fact.owner].publish.append(subjects.fact_filter(fact))
        for listener in fact.listeners:
            found[listener].subscribe.append(subjects.fact_filter(fact))
    for work in registry.works():
        found[work.owner].publish.append(subjects.job_filter(work))
    for consumer in consumers():
        found[consumer.owner].publish += _durable(consumer.stream, consumer.name)
    return found


def inbox_prefix(user: str) -> str:
    """The only inbox that a user may hear."""
    return f"_INBOX_{user}"


def _fixed(name: str) -> Permissions:
    answers = [subjects.rpc_filter(name)] if name in _SERVICES and name != "gateway" else []
    return Permissions(
        publish=list(_PUBLISH.get(name, ())),
        subscribe=[f"{inbox_prefix(name)}.>", *answers, *_SUBSCRIBE.get(name, ())],
    )


def _durable(stream: str, name: str) -> list[str]:
    return [
        f"$JS.API.CONSUMER.INFO.{stream}.{name}",
        f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}",
        f"$JS.ACK.{stream}.{name}.>",
        subjects.dead_letter(stream, name),
        subjects.tries_filter(stream, name),
    ]
