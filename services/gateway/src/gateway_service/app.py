"""Who is connected to whom."""

from contracts.auth import API_KEY_REVOKED
from gateway_service.domain.limits import RateLimits
from gateway_service.domain.session_watch import SessionWatch
from gateway_service.domain.upload_turns import UploadTurns
from gateway_service.inbound import on_credential_ended, on_document_progressed, ws
from gateway_service.inbound.http import make_app
from gateway_service.inbound.http_desk import HttpDesk
from gateway_service.inbound.server import PublicServer
from gateway_service.outbound.conversation_feed import ConversationFeed
from gateway_service.outbound.keys_rpc import KeysRpc
from gateway_service.outbound.rate_counters import NatsCounters
from gateway_service.outbound.services_rpc import ServicesRpc
from gateway_service.outbound.sessions_rpc import SessionsRpc
from gateway_service.outbound.sockets import Sockets
from gateway_service.outbound.token_feed import TokenFeed
from gateway_service.outbound.turns_rpc import TurnsRpc
from gateway_service.outbound.upload_inbox import UploadInbox
from gateway_service.outbound.verify_tokens import Verifier
from gateway_service.settings import GatewaySettings
from runtime.clock import SystemClock
from runtime.service import Service


async def build() -> Service:
    """Connected once, at the top."""
    settings = GatewaySettings()
    service = Service("gateway", settings)
    bus, clock = service.bus, SystemClock()
    keys = KeysRpc(bus)
    verifier = Verifier(keys, clock)
    limits = RateLimits(NatsCounters(bus, clock), clock, limit=settings.requests_per_minute, replicas=settings.replicas)
    turns, sockets = TurnsRpc(bus), Sockets()
    feed, services = TokenFeed(bus, turns, clock), ServicesRpc(bus)
    conversations = ConversationFeed(bus, services, sockets)
    sessions = SessionWatch(SessionsRpc(bus), sockets)
    inbox, uploads = UploadInbox(settings.files_url), UploadTurns(clock)
    app = make_app(
        HttpDesk(
            services=services,
            tokens=verifier,
            limits=limits,
            inbox=inbox,
            uploads=uploads,
            health=service.health,
            origins=settings.origins,
        )
    )
    ws.register(
        app,
        ws.ChatDesk(
            credentials=verifier,
            limits=limits,
            turns=turns,
            answers=feed,
            conversations=conversations,
            clients=sockets,
            uploads=uploads,
            clock=clock,
            origins=settings.origins,
        ),
    )
    server = PublicServer(app, settings.host, settings.port)

    async def listen() -> None:
        await bus.listen(API_KEY_REVOKED, verifier.drop_revoked)
        await on_credential_ended.listen(bus, sockets)
        await on_document_progressed.listen(bus, sockets)
        bus.on_reconnect(verifier.drop_all)
        bus.on_reconnect(sessions.look)

    service.health.informational("auth", keys.check)
    service.health.informational("files", inbox.check)
    service.on_start(listen)
    service.on_start(feed.start)
    service.on_start(conversations.start)
    service.on_start(server.start)
    service.loop("feed", feed.watch)
    service.loop("sessions", sessions.run)
    service.on_drain(sockets.drain)
    service.on_stop(server.stop)
    return service
