import pytest

from contracts.ids import TenantId, uuid7
from gateway_service.domain.principal import Principal
from runtime.errors import Forbidden

TENANT = TenantId(uuid7())


def person(role) -> Principal:
    return Principal("user", TENANT, uuid7(), role=role)


def program(*scopes) -> Principal:
    return Principal("api_key", TENANT, uuid7(), scopes=scopes)


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_those_who_run_the_business_may_everything(role):
    assert all(person(role).may(right) for right in ("chat", "documents", "business"))


def test_support_answers_and_viewers_look():
    assert person("support").may("chat")
    assert not person("support").may("documents")
    assert person("viewer").may("documents.read")
    assert not person("viewer").may("chat")


def test_a_key_opens_what_its_scopes_say():
    assert program("chat").may("chat")
    assert not program("chat").may("documents.read")
    assert program("documents").may("documents")
    assert not program("documents", "chat").may("business.read")
    assert program("admin").may("business")


def test_no_role_and_no_scope_open_nothing():
    assert not person(None).may("chat.read")
    with pytest.raises(Forbidden):
        program().require("chat.read")


def test_the_actor_says_who():
    principal = program("chat")
    assert principal.scope.tenant_id == TENANT
    assert principal.scope.actor == f"key:{principal.id}"
