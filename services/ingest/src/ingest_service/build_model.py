"""`python -m ingest_service.build_model`: builds the embedding model once; does nothing when it is there."""

import sys

from ingest_service.outbound import minilm_model


def main() -> int:
    """Build the model, print one line, return the exit code."""
    path = minilm_model.built_model_path()
    if path.exists():
        print(f"embedding model: {path} is there")
        return 0
    try:
        minilm_model.build(path)
    except (minilm_model.ModelFilesMissing, OSError) as error:
        print(f"embedding model: cannot be built: {error}", file=sys.stderr)
        return 1
    print(f"embedding model: built {path} ({path.stat().st_size / 2**20:.0f} MiB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
