import subprocess
import sys

from lumora.plan import MODULES, processes
from lumora.settings import UpSettings

SHOW = """
import sys
try:
    import colorsys
except ImportError:
    print("not there")
print(__name__, sys.argv[1:])
"""


def test_a_module_runs_as_the_program_without_what_it_does_not_use(tmp_path):
    (tmp_path / "shown.py").write_text(SHOW)
    command = [sys.executable, "-m", "lumora.embedded.serve", "shown", "colorsys"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["not there", "__main__ []"]


def test_no_service_starts_without_what_its_own_package_asks_for():
    settings = UpSettings(port=8000, internal_port=9000, data="/d", is_demo=False)
    for process in processes(settings):
        unused = process.argv[process.argv.index(MODULES[process.service]) + 1 :]
        hide = f"import sys; [sys.modules.__setitem__(name, None) for name in {unused!r}]"
        # `app` is where everything a service uses is imported; the operator is one module.
        module = MODULES[process.service] + ("" if process.service == "operator" else ".app")
        ran = subprocess.run(
            [sys.executable, "-c", f"{hide}; import {module}"], capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, f"{process.service}: {ran.stderr}"
