"""What the interface says of itself, and the page's own promises."""

import re
from importlib import resources

import pytest
from jsonschema import Draft202012Validator

from contracts import frames
from contracts.ids import ClientMessageId, uuid7
from gateway_service.inbound import pages
from gateway_service.inbound.http_platform import frame_schema
from services.gateway.tests.memory import Edge

FILES = pages.load(resources.files("gateway_service") / "pages")
SCRIPTS = [name for name in FILES if name.endswith(".js")]


def refs(node) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(refs(value) for value in node.values()))
    return set().union(*(refs(value) for value in node)) if isinstance(node, list) else set()


async def test_the_openapi_document_holds_together():
    document = (await Edge().call("GET", "/openapi.json", token=None)).json()
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert refs(document) <= known
    register = document["paths"]["/api/auth/register"]["post"]
    body = register["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {"email", "password", "company_name", "industry"}
    assert "security" not in register
    assert document["paths"]["/api/agents"]["get"]["security"] == [{"bearer": []}]
    update = document["paths"]["/api/agent/{agent_id}"]["put"]["requestBody"]["content"]["application/json"]["schema"]
    assert "agent_id" not in update["properties"]
    for operations in document["paths"].values():
        for operation in operations.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]


async def test_the_frame_schema_takes_every_frame_and_no_other():
    schema = (await Edge().call("GET", "/api/chat/schema", token=None)).json()
    assert schema == frame_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    send = frames.MessageSend(client_message_id=ClientMessageId(uuid7()), content="Hi")
    assert validator.is_valid(send.model_dump(mode="json"))
    assert validator.is_valid({"type": "pong", "nonce": "1"})
    assert not validator.is_valid({"type": "unheard.of"})


@pytest.mark.parametrize("name", FILES)
async def test_every_file_is_served_and_kept_until_it_changes(name):
    path = "/" if name == "index.html" else f"/assets/{name}"
    edge = Edge()
    answer = await edge.call("GET", path, token=None)
    assert answer.content == FILES[name].body
    again = await edge.call("GET", path, token=None, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert (await edge.call("HEAD", path, token=None)).content == b""


async def test_no_other_file_can_be_had():
    for name in ("nothing.js", "..%2fapp.py", "../app.py"):
        assert (await Edge().call("GET", f"/assets/{name}", token=None)).status_code == 404


def test_the_page_has_nothing_inline():
    page = FILES["index.html"].body.decode()
    assert re.search(r"<script(?![^>]*\bsrc=)", page) is None
    assert re.search(r"<style|\sstyle=|\son\w+=|javascript:", page) is None
    for asset in re.findall(r'(?:src|href)="/assets/([^"]+)"', page):
        assert asset in FILES


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_write_text_never_markup(name):
    script = FILES[name].body.decode()
    assert re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", script) is None
    for module in re.findall(r'from "\./([^"]+)"', script):
        assert module in FILES
