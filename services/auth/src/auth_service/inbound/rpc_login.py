"""Signing in, staying signed in, signing out."""

from auth_service.inbound import views
from auth_service.inbound.desk import Desk
from contracts import auth
from contracts.base import Nothing
from runtime.bus import Bus


def register(bus: Bus, desk: Desk) -> None:
    """Answer `rpc.auth.login`, `.refresh`, `.logout`."""

    async def login(request: auth.Login) -> auth.Session:
        return views.session(await desk.sign_in.login(request.email, request.password))

    async def refresh(request: auth.Refresh) -> auth.Session:
        return views.session(await desk.sign_in.refresh(request.refresh_token, request.client))

    async def logout(request: auth.Refresh) -> Nothing:
        await desk.sign_in.logout(request.refresh_token)
        return Nothing()

    bus.answer_open(auth.LOGIN, login)
    bus.answer_open(auth.REFRESH, refresh)
    bus.answer_open(auth.LOGOUT, logout)
