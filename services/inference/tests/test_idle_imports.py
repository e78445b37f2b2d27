"""A worker without keys must not pay for clients that it never uses."""

import subprocess
import sys

_LOOK = "import sys, inference_service.app; print(sorted({'anthropic', 'openai'} & set(sys.modules)))"


def test_the_service_is_imported_without_the_clients_that_need_a_key() -> None:
    looked = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=True)
    assert looked.stdout.strip() == "[]"
