"""The operator: the one process that is no service. Provisioner of streams and consumers, and the dead-letter worker.

A process that dies on a message never decides about it: after max_deliver the server says so in an advisory and keeps
the message in the work queue for ever. The dead-letter worker reads the advisory, fetches the message by its sequence,
copies it to the DLQ and deletes it from the stream.
"""

import json
from typing import Any

import nats.errors
from faststream import AckPolicy as DecidedHere
from faststream.nats import JStream, NatsMessage, PullSub
from nats.js.api import RawStreamMsg
from nats.js.errors import APIError, NotFoundError
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from contracts import subjects
from contracts.streams import streams
from runtime import logs, metrics, nats_permissions
from runtime.bus import EVENT_ID, MESSAGE_ID, SCHEMA, Bus, whole_message
from runtime.provision import Provisioner
from runtime.service import Service, main
from runtime.settings import ServiceSettings

_log = logs.get_logger()


class OperatorSettings(ServiceSettings):
    """OPERATOR_…: two NATS users, because making streams and moving dead letters are two powers."""

    model_config = SettingsConfigDict(env_prefix="OPERATOR_", extra="ignore", frozen=True)

    provisioner_seed: SecretStr
    tenant_running: int = 8
    """Answers of one tenant that may wait or run in the broker."""


class DeadLetters:
    """Moves what exhausted its deliveries into the DLQ."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def on_advisory(self, message: NatsMessage) -> None:
        raw = message.raw_message
        try:
            advisory = json.loads(raw.data)
            if advisory["type"].endswith("max_deliver") and advisory["stream"] not in {"DLQ", "ADVISORY"}:
                await self._move(advisory["stream"], advisory["consumer"], advisory["stream_seq"])
        except (ValueError, KeyError, TypeError) as error:
            _log.error("advisory.unreadable", exc_info=error)
        except (nats.errors.Error, APIError, TimeoutError, OSError) as error:
            _log.warning("advisory.retry", exc_info=error)
            await raw.nak(delay=5)
            return
        await raw.ack()

    async def _move(self, stream: str, consumer: str, sequence: int) -> None:
        jetstream = self._bus.nc.jetstream(timeout=3)
        try:
            found = await jetstream.get_msg(stream, sequence)
        except NotFoundError:
            return  # handled after all, or moved already
        await self._bus.publish(
            subjects.dead_letter(stream, consumer),
            found.data or b"",
            stream="DLQ",
            headers=_letter(found, stream, sequence),
        )
        if stream in _work_queues():
            await jetstream.delete_msg(stream, sequence)
        metrics.DELIVERIES.labels(consumer, "exhausted").inc()
        _log.error("delivery.exhausted", stream=stream, consumer=consumer)


def _letter(found: RawStreamMsg, stream: str, sequence: int) -> dict[str, str]:
    kept = {name: value for name, value in (found.headers or {}).items() if name in {EVENT_ID, SCHEMA, "traceparent"}}
    return kept | {
        MESSAGE_ID: f"{stream}:{sequence}",
        "Dlq-Reason": "MaxDeliveries",
        "Dlq-Subject": found.subject or "",
    }


def _work_queues() -> set[str]:
    return {stream.name for stream in streams() if stream.retention == "workqueue"}


async def build() -> Service:
    """Connected once, at the top."""
    settings = OperatorSettings()
    service = Service("operator", settings)
    provisioner_bus = Bus("provisioner", settings.nats_url, settings.provisioner_seed.get_secret_value())
    letters = DeadLetters(service.bus)

    async def provision() -> None:
        await provisioner_bus.connect()
        provisioner = Provisioner(provisioner_bus.nc, running_per_tenant=settings.tenant_running)

        async def back() -> None:
            provisioner.look_now()

        provisioner_bus.on_reconnect(back)
        await provisioner.provision()
        service.loop("provision", provisioner.run)

    service.on_start(provision)
    service.on_stop(provisioner_bus.stop)
    subscriber = service.bus.broker.subscriber(
        ">",
        stream=JStream("ADVISORY", declare=False),
        durable="operator",
        pull_sub=PullSub(batch_size=1, timeout=5),
        inbox_prefix=f"{nats_permissions.inbox_prefix('operator')}.".encode(),
        no_reply=True,
        ack_policy=DecidedHere.MANUAL,
        decoder=whole_message,
    )
    subscriber(letters.on_advisory)
    return service


def run() -> Any:
    """`python -m runtime.operator`."""
    main("operator", build)


if __name__ == "__main__":
    run()
