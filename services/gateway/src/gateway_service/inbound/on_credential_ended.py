"""API keys and sessions that were taken back: the sockets that they opened are closed."""

from contracts.auth import API_KEY_REVOKED, SESSION_ENDED, ApiKeyRevoked, SessionEnded
from gateway_service.domain.chat_ports import Clients
from runtime.bus import Bus
from runtime.tenancy import TenantScope


async def listen(bus: Bus, clients: Clients) -> None:
    """Hear the facts live, on every replica; a key whose fact was missed is found out at its next question."""

    async def on_key_revoked(fact: ApiKeyRevoked, _scope: TenantScope) -> None:
        clients.end(fact.key_id)

    async def on_session_ended(fact: SessionEnded, _scope: TenantScope) -> None:
        clients.end(fact.session_id)

    await bus.listen(API_KEY_REVOKED, on_key_revoked)
    await bus.listen(SESSION_ENDED, on_session_ended)
