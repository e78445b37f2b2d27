import json
import stat

from lumora.seed import EMAIL, Demo, documents


def test_the_shop_has_documents_that_answer_the_question_of_the_readme():
    found = {path.name: path.read_text(encoding="utf-8") for path in documents()}
    assert 6 <= len(found) <= 10
    assert "within 30 days of delivery" in found["returns.md"]
    assert "three weeks" in found["returns.md"]


def test_the_password_is_kept_before_it_is_used_and_never_changes(tmp_path):
    path = tmp_path / "demo.json"
    demo = Demo(path, "http://127.0.0.1:8000")
    password = demo.password()
    kept = json.loads(path.read_text())
    assert (kept["password"], kept["email"]) == (password, EMAIL)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Demo(path, "http://127.0.0.1:8000").password() == password
    assert len(password) >= 10


def test_a_later_start_on_another_port_is_remembered(tmp_path):
    path = tmp_path / "demo.json"
    Demo(path, "http://127.0.0.1:8000").note(agent_id="a")
    again = Demo(path, "http://127.0.0.1:8100")
    assert (again.known["url"], again.known["agent_id"]) == ("http://127.0.0.1:8100", "a")
