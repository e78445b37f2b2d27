"""A business reads and replaces its policy."""

from contracts.filter import GET_POLICY, PUT_POLICY, GetPolicy, ModerationPolicy, PolicyReply, PutPolicy
from filter_service.domain.benches import Benches
from filter_service.domain.policy import Policy
from filter_service.domain.ports import Policies
from runtime.bus import Bus
from runtime.tenancy import TenantScope


def register(bus: Bus, policies: Policies, benches: Benches) -> None:
    """Answer `rpc.filter.get_policy` and `rpc.filter.put_policy`."""

    async def get_policy(_question: GetPolicy, scope: TenantScope) -> PolicyReply:
        return _reply(await policies.current(scope))

    async def put_policy(order: PutPolicy, scope: TenantScope) -> PolicyReply:
        wanted = order.policy
        policy = Policy(**wanted.model_dump(exclude={"version"}))
        kept = await policies.replace(scope, policy)
        benches.forget(scope.tenant_id, kept.version)
        return _reply(kept)

    bus.answer(GET_POLICY, get_policy)
    bus.answer(PUT_POLICY, put_policy)


def _reply(policy: Policy) -> PolicyReply:
    return PolicyReply(
        policy=ModerationPolicy(
            version=policy.version,
            terms=policy.terms,
            terms_action=policy.terms_action,
            cards_action=policy.cards_action,
            iban_action=policy.iban_action,
            email_action=policy.email_action,
            phone_action=policy.phone_action,
            secrets_action=policy.secrets_action,
        )
    )
