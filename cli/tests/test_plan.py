from pathlib import Path

import pytest

from lumora import plan
from lumora.data_folder import DataFolder
from lumora.embedded import nats
from lumora.embedded.secrets import load_or_make
from lumora.settings import UpSettings, data_path
from runtime import nats_permissions


def settings(**changes):
    return UpSettings(**{"port": 8000, "internal_port": 9000, "data": "/d", "is_demo": True, **changes})


@pytest.fixture
def secrets(tmp_path):
    return load_or_make(tmp_path / "secrets.json", users=plan.nats_users(), roles=plan.postgres_roles())


def environment(secrets, service, **changes):
    told = settings(**changes)
    made = plan.Environments(told, DataFolder(Path("/d")), secrets, {"nats": 1, "postgres": 2}, "run")
    return [made.of(process) for process in plan.processes(told) if process.service == service]


def test_settings_survive_the_way_to_the_supervisor():
    told = settings(only=("operator",), gateways=3)
    assert UpSettings.from_argument(told.to_argument()) == told


def test_each_process_has_an_internal_port_of_its_own_and_gateways_count_upward():
    planned = plan.processes(settings(gateways=2, workers=3))
    assert [process.internal_port for process in planned] == list(range(9000, 9000 + len(planned)))
    assert plan.public_ports(settings(gateways=2), planned) == {8000: "gateway-1", 8001: "gateway-2"}
    assert [process.name for process in planned if process.service == "inference"] == [
        "inference-1",
        "inference-2",
        "inference-3",
    ]


def test_every_service_gets_its_own_credentials_and_nobody_elses(secrets):
    for service in plan.MODULES:
        (told,) = environment(secrets, service)
        values = "\n".join(told.values())
        assert told[f"{service.upper()}_NATS_SEED"] == secrets.nkeys[service].seed
        others = [key.seed for name, key in secrets.nkeys.items() if name != service]
        if service == "operator":
            others.remove(secrets.nkeys["provisioner"].seed)
        assert not any(seed in values for seed in others)
        foreign = [password for role, password in secrets.passwords.items() if not role.startswith(f"{service}_")]
        assert not any(password in values for password in foreign)
        owner = secrets.passwords.get(f"{service}_owner")
        assert owner is None or owner not in values
        assert (secrets.master_key in values) == (service == "auth")
        assert secrets.nats_store_key not in values


def test_limits_reach_the_services_that_keep_them(secrets, monkeypatch):
    monkeypatch.setenv("LUMORA_REQUESTS_PER_MINUTE", "7")
    monkeypatch.setenv("LUMORA_TENANT_RUNNING", "3")
    monkeypatch.setenv("LUMORA_WORKER_SLOTS", "5")
    monkeypatch.setenv("LUMORA_MODEL_SLOTS", "4")
    monkeypatch.setenv("LUMORA_HEDGING", "0")
    assert environment(secrets, "gateway")[0]["GATEWAY_REQUESTS_PER_MINUTE"] == "7"
    assert environment(secrets, "operator")[0]["OPERATOR_TENANT_RUNNING"] == "3"
    worker = environment(secrets, "inference")[0]
    assert (worker["INFERENCE_TENANT_RUNNING"], worker["INFERENCE_WORKER_SLOTS"]) == ("3", "5")
    assert (worker["INFERENCE_MODEL_SLOTS"], worker["INFERENCE_HEDGING"]) == ("4", "0")
    assert "INFERENCE_TENANT_QUEUED" not in worker


def test_every_nats_user_of_the_permissions_has_a_key_and_the_configuration_names_it(secrets):
    users = nats_permissions.users()
    assert set(users) <= set(plan.nats_users())
    text = nats.configuration(port=4222, store=Path("/d/js"), secrets=secrets, users=users)
    for name in users:
        assert secrets.nkeys[name].public in text
        assert secrets.nkeys[name].seed not in text
    assert "sync_interval: always" in text
    assert "cipher: chachapoly" in text
    assert '"allow_responses"' in text


def test_the_data_is_in_the_project_unless_said_otherwise():
    assert data_path({}).name == ".lumora"
    assert (data_path({}).parent / "uv.lock").is_file()
    assert data_path({"LUMORA_DATA": "/elsewhere/x"}) == Path("/elsewhere/x")
    assert data_path({"LUMORA_DATA": "relative"}).is_absolute()
