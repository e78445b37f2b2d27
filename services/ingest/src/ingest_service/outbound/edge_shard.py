"""The engine's shard in a folder: how it is set, opened and compacted. Each call keeps Python's lock until it ends."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import qdrant_edge as edge

from ingest_service.outbound.mapped import let_go

DENSE: Final = "dense"
TERMS: Final = "terms"
SHOWN: Final = "shown_to"
"""The tenant whose searches find the passage; nothing while it waits for the rest of its reading."""
BYTES_FROM_KB: Final = 2_500
"""Vectors of a segment that is given a byte for each number when the index is compacted: about 1,700 passages."""
LOG_FILE: Final = 2**20
"""Bytes of a file of the log: the one that is written is memory, and one that is full is kept on the disk."""


def open_shard(folder: Path, dimension: int) -> edge.EdgeShard:
    """Open the shard in `folder`, or make it for vectors of `dimension` numbers; also after a kill.

    Raises:
        RuntimeError: Another process has the shard open (`is_held`), or its files are damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _keep_log_small(folder / "edge_config.json")
        shard = edge.EdgeShard.load(str(folder), _config(dimension))
        _index_fields(shard)
    except Exception as error:  # the engine raises bare Exception
        raise RuntimeError(f"the vector index in {folder} cannot be opened: {error}") from error
    # opening touches all of them, 20 MiB of holes among them
    let_go(folder)
    return shard


def compact(folder: Path, dimension: int) -> None:
    """Drop deleted points for good, keep bytes beside new vectors, let go of what that replaced.

    It takes 0.2 s at least and 50 us for each passage.

    Raises:
        RuntimeError: As `open_shard`.
    """
    shard = open_shard(folder, dimension)
    shard.optimize()
    shard.flush()
    shard.close()


def is_held(error: RuntimeError) -> bool:
    """Whether `open_shard` raised it because another process has the folder open."""
    return "WouldBlock" in str(error)


def _config(dimension: int) -> edge.EdgeConfig:
    # cold: not read into memory when it is opened or written. All of the bytes are looked at, of the exact vectors few
    cold = edge.Memory.Cold
    return edge.EdgeConfig(
        vectors={DENSE: edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Dot, memory=cold)},
        sparse_vectors={TERMS: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf, memory=cold)},
        quantization_config=edge.ScalarQuantizationConfig(edge.ScalarType.Int8, quantile=0.99, always_ram=True),
        # m=0, no graph: to look at all of a tenant's passages takes a millisecond, and a graph misses some of the best
        hnsw_config=edge.HnswIndexConfig(m=0, ef_construct=16, full_scan_threshold=10),
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=BYTES_FROM_KB, default_segment_number=2),
        max_search_threads=1,
    )


def _keep_log_small(config: Path) -> None:
    """Say so where the engine looks for what `EdgeConfig` leaves open: its Python has no word for the log's options.

    Nothing is said where another process has the index open, which the engine finds out next.
    """
    with _locked(config.with_name("wal")) as is_ours:
        kept = json.loads(config.read_bytes()) if config.exists() else {}
        options = {"segment_capacity": LOG_FILE, "segment_queue_len": 0, "retain_closed": 1}
        if is_ours and kept.get("wal_options") != options:
            half = config.with_name(config.name + ".part")
            half.write_text(json.dumps({**kept, "wal_options": options}), encoding="utf-8")
            half.replace(config)


@contextlib.contextmanager
def _locked(log: Path) -> Iterator[bool]:
    """The lock that the engine holds while it has an index open; where there is no log yet, there is no index."""
    if not log.exists():
        yield True
        return
    folder = os.open(log, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(folder)


def _index_fields(shard: edge.EdgeShard) -> None:
    """Those that are not yet indexed: of a new shard, all."""
    fields = (
        ("tenant_id", edge.KeywordIndexParams(is_tenant=True)),
        ("document_id", edge.KeywordIndexParams()),
        ("language", edge.KeywordIndexParams()),
        (SHOWN, edge.KeywordIndexParams(is_tenant=True)),
    )
    indexed = shard.info().payload_schema
    for field, parameters in fields:
        if field not in indexed:
            shard.update(edge.UpdateOperation.create_field_index(field, parameters))
