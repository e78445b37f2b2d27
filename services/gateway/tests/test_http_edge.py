import pytest

from contracts.errors import ERRORS, Problem
from contracts.ids import uuid7
from contracts.inference import GET_AGENT
from contracts.learning import GET_STATS, Stats
from gateway_service.inbound.edge import BODY_LIMIT_BYTES
from runtime.errors import NotFound, Overloaded, Unavailable
from services.gateway.tests.memory import Edge

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
async def edge():
    made = Edge()
    yield made
    await made.client.aclose()


def problem_of(answer) -> Problem:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = Problem.read(answer.content)
    assert problem.status == answer.status_code == ERRORS[problem.code].status
    return problem


REFUSALS = [
    ("GET", "/api/nothing", {}, "not_found"),
    ("GET", "/v1/models", {}, "not_found"),
    ("DELETE", "/api/auth/login", {}, "method_not_allowed"),
    ("POST", "/api/auth/login", {"content": b"{"}, "invalid_json"),
    ("POST", "/api/auth/login", {"content": b"[1]"}, "invalid_request"),
    ("POST", "/api/auth/login", {"json": {"email": "a@b.c"}}, "invalid_request"),
    ("POST", "/api/agent/create", {"json": {"name": "a\0b"}}, "invalid_request"),
    ("POST", "/api/search", {"json": {"query": "a", "filters": {"languages": ["\0"]}}}, "invalid_request"),
    ("GET", "/api/agents?limit=0", {}, "invalid_request"),
    ("GET", "/api/agents?limit=1000", {}, "invalid_request"),
    ("GET", "/api/auth/me", {"token": None}, "not_authenticated"),
    ("GET", "/api/auth/me", {"token": "forged"}, "not_authenticated"),
    ("GET", f"/api/agent/{uuid7()}", {}, "unavailable"),
    ("POST", "/api/documents", {"content": b"no form"}, "unsupported_type"),
    ("POST", "/api/documents", {"json": {"url": ""}}, "invalid_request"),
    ("POST", "/api/documents", {"json": {"url": "https://example.com", "depth": 9}}, "invalid_request"),
    ("POST", "/api/auth/login", {"content": b"x" * (BODY_LIMIT_BYTES + 1)}, "too_large"),
    (
        "POST",
        "/api/agent/create",
        {"json": {"name": "a"}, "headers": {"Idempotency-Key": "x" * 256}},
        "invalid_request",
    ),
]


@pytest.mark.parametrize(("method", "path", "more", "code"), REFUSALS)
async def test_every_refusal_is_a_problem(edge: Edge, method, path, more, code):
    answer = await edge.call(method, path, **more)
    assert problem_of(answer).code == code


@pytest.mark.parametrize(("method", "path", "more", "code"), [("GET", "/api/business/stats", {}, ""), *REFUSALS])
async def test_every_answer_carries_the_same_headers(edge: Edge, method, path, more, code):
    edge.services.tell(GET_STATS, Stats())
    headers = (await edge.call(method, path, **more)).headers
    assert headers["ratelimit-limit"] == "1000"
    assert int(headers["ratelimit-remaining"]) < 1000
    assert 0 < int(headers["ratelimit-reset"]) <= 60
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]


async def test_a_body_that_grows_beyond_its_word_is_cut_off(edge: Edge):
    async def endless():
        for _ in range(40):
            yield b" " * 65_536

    assert problem_of(await edge.call("POST", "/api/auth/login", content=endless())).code == "too_large"


async def test_our_own_bug_tells_nothing_of_itself(edge: Edge):
    def crash(_request):
        raise ZeroDivisionError("secret detail /etc/passwd SELECT")

    edge.services.tell(GET_STATS, crash)
    answer = await edge.call("GET", "/api/business/stats")
    assert problem_of(answer).code == "internal"
    assert "secret" not in answer.text
    assert answer.headers["ratelimit-limit"] == "1000"


async def test_a_service_that_is_away_is_a_503_that_says_when_to_come_back(edge: Edge):
    answer = await edge.call("GET", "/api/business/stats")
    assert problem_of(answer).code == "unavailable"
    assert answer.headers["retry-after"] == "2"


async def test_a_credential_that_cannot_be_checked_now_is_no_wrong_credential(edge: Edge):
    edge.tokens.known["lum_x"] = Unavailable("auth does not answer")
    assert problem_of(await edge.call("GET", "/api/agents", token="lum_x")).code == "unavailable"


async def test_a_wrong_credential_does_not_close_the_open_doors(edge: Edge):
    answer = await edge.call("POST", "/api/auth/login", token="forged", json={"email": "a@b.c", "password": "x"})
    assert problem_of(answer).code == "unavailable"


async def test_a_caller_beyond_the_limit_is_told_when_to_come_back():
    edge = Edge(limit=3)
    edge.services.tell(GET_STATS, Stats())
    answers = [await edge.call("GET", "/api/business/stats") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert problem_of(answers[3]).code == "rate_limited"
    edge.clock.advance(int(answers[3].headers["retry-after"]))
    assert (await edge.call("GET", "/api/business/stats")).status_code == 200


async def test_strangers_share_the_allowance_of_their_address():
    edge = Edge(limit=1)
    await edge.call("GET", "/api/auth/me", token="forged-1")
    answer = await edge.call("GET", "/api/auth/me", token="forged-2")
    assert answer.status_code == 429
    assert (await edge.call("GET", "/api/nothing")).status_code == 404


async def test_probes_and_pages_use_up_nothing():
    edge = Edge(limit=1)
    edge.health.is_started = True
    for path in ("/health/live", "/health/ready", "/health", "/", "/assets/app.js"):
        answer = await edge.call("GET", path, token=None)
        assert answer.status_code == 200, path


async def test_an_errors_own_delay_reaches_the_client(edge: Edge):
    edge.services.tell(GET_STATS, Overloaded("too many", code="too_many_turns", retry_after_s=6.2))
    assert (await edge.call("GET", "/api/business/stats")).headers["retry-after"] == "7"


@pytest.mark.parametrize("odd", ["*", ">", "..", "not-a-uuid", "%2e%2e%2f", "a.b", "1" * 300])
async def test_an_odd_id_is_an_unknown_one(edge: Edge, odd):
    edge.services.tell(GET_AGENT, NotFound())
    unknown = problem_of(await edge.call("GET", f"/api/agent/{uuid7()}"))
    found = problem_of(await edge.call("GET", f"/api/agent/{odd}"))
    assert found.model_copy(update={"trace_id": ""}) == unknown.model_copy(update={"trace_id": ""})


@pytest.mark.parametrize("odd", ["*", ">", "not-a-uuid", "a.b", "1" * 300])
async def test_an_odd_id_is_answered_in_the_words_for_an_unknown_one(edge: Edge, odd):
    edge.services.tell(GET_AGENT, NotFound("no such agent"))
    assert problem_of(await edge.call("GET", f"/api/agent/{odd}")).detail == "no such agent"


async def test_a_trace_goes_on(edge: Edge):
    answer = await edge.call("GET", "/api/nothing", headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
    assert problem_of(answer).trace_id == TRACE


async def test_health_says_what_is_away(edge: Edge):
    async def away() -> None:
        raise Unavailable

    edge.health.critical("nats", away)
    edge.health.is_started = True
    answer = await edge.call("GET", "/health", token=None)
    assert answer.status_code == 503
    assert answer.json()["dependencies"]["nats"] == {"ok": False, "error": "Unavailable"}
    assert (await edge.call("GET", "/health/ready", token=None)).json() == {"ready": False, "draining": False}
    assert (await edge.call("GET", "/health/live", token=None)).status_code == 200


async def test_other_origins_may_ask_when_the_operator_says_so():
    edge = Edge(origins=("https://desk.example",))
    for origin, allowed in (("https://desk.example", "https://desk.example"), ("https://evil.example", None)):
        answer = await edge.call("GET", "/api/nothing", headers={"Origin": origin})
        assert answer.headers.get("access-control-allow-origin") == allowed
    preflight = await edge.call(
        "OPTIONS",
        "/api/agents",
        token=None,
        headers={"Origin": "https://desk.example", "Access-Control-Request-Method": "GET"},
    )
    assert preflight.status_code == 200
    assert "access-control-allow-origin" not in (await Edge().call("GET", "/", token=None)).headers
