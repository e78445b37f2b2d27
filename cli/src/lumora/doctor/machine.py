"""Python, the servers and libraries that come as wheels, and the embedding model."""

import importlib
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lumora import checks
from lumora.doctor.finding import Finding, broken, ok, warning
from lumora.refused import WheelMissing

_OLDEST = (3, 11)
_SAYS_VERSION_WITHIN_S = 20.0
_LIBRARIES = {"qdrant engine": ("qdrant_edge", "qdrant-edge-py"), "onnxruntime": ("onnxruntime", "onnxruntime")}


def machine() -> Iterator[Finding]:
    """Everything that `make install` puts there."""
    yield python(sys.version_info[:2])
    yield from servers()
    for name, (module, package) in _LIBRARIES.items():
        yield library(name, module, package)
    yield embedding_model()
    yield ocr()


def python(version: tuple[int, int]) -> Finding:
    """The interpreter, as (major, minor)."""
    told = f"{version[0]}.{version[1]} on {platform.system()} {platform.machine()}"
    if version < _OLDEST:
        return broken("python", f"This is Python {told}: install 3.11 or later, then run `make install`.")
    return ok("python", told)


def servers() -> Iterator[Finding]:
    """NATS and Postgres: there, and able to run on this machine."""
    try:
        found = checks.find_binaries()
    except WheelMissing as missing:
        yield broken("servers", missing)
        return
    yield server("nats-server", found.nats_server)
    yield server("postgres", found.postgres)


def server(name: str, program: Path) -> Finding:
    """Whether the program can say its version."""
    try:
        ran = subprocess.run(  # noqa: S603 - a server of our own wheels, no shell
            [program, "--version"], capture_output=True, text=True, check=True, timeout=_SAYS_VERSION_WITHIN_S
        )
    except (OSError, subprocess.SubprocessError) as error:
        return broken(
            name, f"{program} does not run here ({type(error).__name__}): run `make install` on this machine."
        )
    return ok(name, ran.stdout.strip())


def library(name: str, module: str, package: str) -> Finding:
    """Whether the module can be loaded: a wheel for another machine is found and cannot."""
    try:
        importlib.import_module(module)
    except (ImportError, OSError) as error:
        return broken(name, f"{package} cannot be loaded ({type(error).__name__}): run `make install` on this machine.")
    return ok(name, f"{package} loads")


def embedding_model() -> Finding:
    """Whether the model is built; without it the first start takes longer."""
    try:
        model = importlib.import_module("ingest_service.outbound.minilm_model")
    except (ImportError, OSError) as error:
        told = f"The ingest service cannot be loaded ({type(error).__name__}): run `make install`."
        return broken("embedding model", told)
    return model_at(model.built_model_path())


def ocr() -> Finding:
    """Whether pages that are pictures can be read; documents of text need nothing for it."""
    try:
        tessdata = importlib.import_module("ingest_service.outbound.tessdata")
    except (ImportError, OSError) as error:
        return broken("ocr", f"The ingest service cannot be loaded ({type(error).__name__}): run `make install`.")
    there = tessdata.installed(tessdata.folder())
    if not there:
        told = "not installed, so pages that are pictures are left out: install tesseract to have them read"
        return ok("ocr", f"{told} (on Debian `apt-get install tesseract-ocr`, and `tesseract-ocr-deu` for German)")
    if not tessdata.has_library():
        return warning("ocr", f"Its languages are there, but not {tessdata.LIBRARIES[0]}: install tesseract 5.")
    return ok("ocr", f"tesseract in {', '.join(tessdata.chosen((), there))} (INGEST_OCR_LANGUAGES chooses others)")


def model_at(path: Path) -> Finding:
    """The built graph at its place."""
    if not path.is_file():
        return warning("embedding model", "It is not built yet: run `make install`, else the first start builds it.")
    if path.stat().st_size == 0:
        return broken("embedding model", f"{path} is empty: delete it and run `make install`.")
    return ok("embedding model", f"built, {path.stat().st_size / 2**20:.0f} MiB")
