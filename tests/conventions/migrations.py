"""The services' migrations, run against a recorder: what they say, without a server."""

import importlib.util
import io
import re
from functools import cache
from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from tests.conventions.source import ROOT

MIGRATIONS = sorted((ROOT / "services").glob("*/migrations/versions/[0-9]*.py"))
SCHEMAS = sorted({path.parts[-4] for path in MIGRATIONS})


@cache
def sql_of(path: Path) -> str:
    """The statements of one migration's upgrade, white space folded."""
    spec = importlib.util.spec_from_file_location(f"migration_{path.parts[-4]}_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written, "literal_binds": True}
    )
    with Operations.context(context):
        module.upgrade()
    return re.sub(r"\s+", " ", written.getvalue())
