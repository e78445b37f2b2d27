"""Who is connected to whom."""

from auth_service.domain.sign_in import SignIn
from auth_service.inbound import rpc_keys, rpc_login, rpc_members, rpc_register, rpc_tenants
from auth_service.inbound.desk import Desk
from auth_service.outbound.argon2_passwords import Argon2Passwords
from auth_service.outbound.postgres_api_keys import PostgresApiKeys
from auth_service.outbound.postgres_members import PostgresMembers
from auth_service.outbound.postgres_sessions import PostgresSessions
from auth_service.outbound.postgres_tenants import PostgresTenants
from auth_service.outbound.sealed_secrets import Sealer
from auth_service.outbound.signing_keys import SigningKeys
from auth_service.settings import AuthSettings
from runtime.clock import SystemClock
from runtime.service import Service


async def build() -> Service:
    """Connected once, at the top."""
    settings = AuthSettings()
    service = Service("auth", settings)
    database, _relay = service.database(settings)
    clock, sealer = SystemClock(), Sealer(settings.master_key.get_secret_value())
    passwords = Argon2Passwords(threads=settings.password_threads, queue=settings.password_queue)
    signing = SigningKeys(database, sealer, clock)
    service.on_start(signing.load)
    service.loop("signing_keys", signing.watch)
    service.on_stop(passwords.close)
    tenants, members = PostgresTenants(database), PostgresMembers(database)
    sign_in = SignIn(
        transactions=database,
        tenants=tenants,
        members=members,
        sessions=PostgresSessions(database),
        passwords=passwords,
        signer=signing,
        clock=clock,
    )
    desk = Desk(
        database=database,
        sign_in=sign_in,
        tenants=tenants,
        members=members,
        sessions=sign_in.sessions,
        api_keys=PostgresApiKeys(database),
        public_keys=signing,
        secrets=sealer,
        clock=clock,
    )
    for door in (rpc_register, rpc_login, rpc_members, rpc_tenants, rpc_keys):
        door.register(service.bus, desk)
    return service
