"""A socket outlives the access token that opened it, but not the session behind that."""

import asyncio
from typing import Final

from gateway_service.domain.chat_ports import Clients
from gateway_service.domain.ports import Sessions
from runtime.errors import LumoraError, Rejected

LOOK_S: Final = 900.0
"""As long as an access token lives."""


class SessionWatch:
    """Asks auth for the sessions of the people who are here. Their end is told as a fact, which may be missed."""

    def __init__(self, sessions: Sessions, clients: Clients, look_s: float = LOOK_S) -> None:
        self._sessions = sessions
        self._clients = clients
        self._look_s = look_s

    async def run(self) -> None:
        """Look again and again. Runs until cancelled."""
        while True:
            await asyncio.sleep(self._look_s)
            await self.look()

    async def look(self) -> None:
        """Close the sockets whose session ended or whose person has another role now; while auth is away they stay."""
        for principal in self._clients.people():
            if principal.session_id is None:
                continue
            try:
                is_same = await self._sessions.role(principal) == principal.role
            except Rejected:
                is_same = False
            except LumoraError:
                return  # auth is away: they were good when they came
            if not is_same:
                self._clients.end(principal.session_id)
