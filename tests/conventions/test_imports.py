"""Who may import whom stands in pyproject.toml; here it is held."""

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.conventions.source import ROOT, SERVICES


def test_every_import_points_the_allowed_way() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    ran = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout


def test_every_service_is_watched() -> None:
    packages = [f"{service}_service" for service in SERVICES]
    chosen = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert sorted(chosen["root_packages"]) == sorted(["contracts", "runtime", "lumora", *packages])
    independence = next(each for each in chosen["contracts"] if each["type"] == "independence")
    assert sorted(independence["modules"]) == packages
