"""Asks the other services, and gives up in time for a client's 503."""

from typing import TypeVar

from contracts.base import Reply, Request
from contracts.channel import Rpc
from gateway_service.domain.ports import ANSWER_S
from runtime.bus import Bus
from runtime.errors import Unavailable
from runtime.tenancy import TenantScope

RequestT = TypeVar("RequestT", bound=Request)
ReplyT = TypeVar("ReplyT", bound=Reply)

RETRY_AFTER_S = 2.0


class ServicesRpc:
    """Implements `Services`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def ask(
        self,
        rpc: Rpc[RequestT, ReplyT],
        request: RequestT,
        scope: TenantScope | None = None,
        *,
        timeout_s: float = ANSWER_S,
    ) -> ReplyT:
        if not self._bus.is_connected:
            # Waiting for the timeout would tell the client nothing new.
            raise Unavailable(f"{rpc.owner} does not answer", retry_after_s=RETRY_AFTER_S)
        return await self._bus.request(rpc, request, scope, timeout_s=timeout_s)
