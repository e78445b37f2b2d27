"""What a change of a schema means for those who run the other version: benign or breaking, and who deploys first.

Inside a version a contract only grows: a field may be added with a default, and what a reader accepts may widen.
Everything else needs a new version beside the old one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from contracts.messages import CLIENTS, Message

Schema = dict[str, Any]
First = Literal["readers", "either"]
_READERS: First = "readers"
_EITHER: First = "either"

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_IDENTITY = ("type", "format", "const")


@dataclass(frozen=True)
class Change:
    """One difference; `first` is None when it is breaking, else who must run the new schema before the other side."""

    path: str
    what: str
    first: First | None

    @property
    def is_breaking(self) -> bool:
        return self.first is None


def diff(old: Schema, new: Schema) -> list[Change]:
    """Every difference that a sender or a reader can notice; wording (titles, descriptions) is none."""
    return list(_node(_Side(old, old), _Side(new, new), "$"))


def advice(message: Message, change: Change) -> str:
    """One sentence: what changed, and what to do about it."""
    head = f"{message.stem}: {change.path} {change.what}"
    if change.first is None:
        return f"{head}: breaking, declare version {message.version + 1} beside it"
    if change.first == _EITHER:
        return f"{head}: benign, in any order"
    if message.readers == CLIENTS:
        return f"{head}: benign only for clients that expect it, announce it in CHANGELOG.md"
    return f"{head}: benign, deploy {', '.join(message.readers)} (reads it) before {', '.join(message.senders)}"


@dataclass(frozen=True)
class _Side:
    """A node of a schema, and the document that its references point into."""

    document: Schema
    node: Schema

    def at(self, node: Schema) -> "_Side":
        """That node, behind any reference; what stands beside a reference counts too."""
        while "$ref" in node:
            beside = {key: value for key, value in node.items() if key != "$ref"}
            node = {**self.document["$defs"][node["$ref"].rsplit("/", 1)[1]], **beside}
        return _Side(self.document, node)

    def alternatives(self) -> list["_Side"]:
        return [self.at(part) for part in self.node.get("anyOf") or self.node.get("oneOf") or [self.node]]


def _node(old: _Side, new: _Side, path: str) -> Iterator[Change]:
    old, new = old.at(old.node), new.at(new.node)
    if old.node.get("default") != new.node.get("default"):
        yield Change(path, "has another default", _EITHER)
    before = {_identity(part): part for part in old.alternatives()}
    after = {_identity(part): part for part in new.alternatives()}
    for identity in before.keys() - after.keys():
        yield Change(path, f"no longer takes {identity or 'any value'}", None)
    for identity in after.keys() - before.keys():
        yield Change(path, f"also takes {identity or 'any value'}", _READERS)
    for identity in before.keys() & after.keys():
        yield from _same_type(before[identity], after[identity], path)


def _identity(side: _Side) -> str:
    parts = [str(side.node[key]) for key in _IDENTITY if key in side.node]
    kind = side.node.get("properties", {}).get("type", {}).get("const")
    return " ".join(parts + ([f"of type {kind}"] if kind else []))


def _same_type(old: _Side, new: _Side, path: str) -> Iterator[Change]:
    yield from _values(old.node, new.node, path)
    yield from _bounds(old.node, new.node, path)
    yield from _properties(old, new, path)
    for key, step in (("items", "[]"), ("additionalProperties", ".*")):
        yield from _inner(old, new, key, path + step)


def _values(old: Schema, new: Schema, path: str) -> Iterator[Change]:
    before, after = old.get("enum"), new.get("enum")
    if before is not None and after is not None:
        if gone := [value for value in before if value not in after]:
            yield Change(path, f"no longer takes {gone}", None)
        if added := [value for value in after if value not in before]:
            yield Change(path, f"also takes {added}", _READERS)
    elif before is not None or after is not None:
        yield Change(path, *(("takes only some values", None) if after else ("takes any value", _READERS)))
    if old.get("pattern") != new.get("pattern"):
        yield Change(path, *(("has another pattern", None) if "pattern" in new else ("has no pattern", _READERS)))


def _bounds(old: Schema, new: Schema, path: str) -> Iterator[Change]:
    for key, grows_narrower in (*((key, 1) for key in _LOWER), *((key, -1) for key in _UPPER)):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        narrowed = after is not None and (before is None or (after - before) * grows_narrower > 0)
        yield Change(path, f"has {key} {after}, not {before}", None if narrowed else "readers")


def _properties(old: _Side, new: _Side, path: str) -> Iterator[Change]:
    before, after = old.node.get("properties", {}), new.node.get("properties", {})
    needed_before, needed_after = set(old.node.get("required", ())), set(new.node.get("required", ()))
    for name in sorted(before.keys() - after.keys()):
        yield Change(f"{path}.{name}", "is gone", None)
    for name in sorted(after.keys() - before.keys()):
        is_needed = name in needed_after
        yield Change(
            f"{path}.{name}", "is new and required" if is_needed else "is new", None if is_needed else "either"
        )
    for name in sorted(before.keys() & after.keys()):
        if (name in needed_before) != (name in needed_after):
            words, first = ("is required now", None) if name in needed_after else ("is optional now", _READERS)
            yield Change(f"{path}.{name}", words, first)
        yield from _node(old.at(before[name]), new.at(after[name]), f"{path}.{name}")


def _inner(old: _Side, new: _Side, key: str, path: str) -> Iterator[Change]:
    before, after = old.node.get(key), new.node.get(key)
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _node(old.at(before), new.at(after), path)
    elif before != after:
        yield Change(path, "holds something else", None)
