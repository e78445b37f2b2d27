"""Personal data is taken out of texts that are kept."""

import asyncio

from contracts.filter import REDACT, Redact, Redacted
from filter_service.domain.redaction import redacted
from runtime.bus import Bus
from runtime.tenancy import TenantScope


def register(bus: Bus) -> None:
    """Answer `rpc.filter.redact`."""

    async def redact(order: Redact, _scope: TenantScope) -> Redacted:
        done: list[str] = []
        for text in order.texts:
            done.append(redacted(text))
            await asyncio.sleep(0)  # tokens of answers go on meanwhile
        return Redacted(texts=tuple(done))

    bus.answer(REDACT, redact)
