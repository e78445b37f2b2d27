"""Which models agents can be given."""

from contracts.base import Contract, Reply, Request
from contracts.channel import Rpc


class ListModels(Request):
    """Every model that can be used now."""


class ModelInfo(Contract):
    """A model that can be named; `id` is `provider/model`."""

    id: str
    provider: str
    name: str
    capabilities: tuple[str, ...]


class Models(Reply):
    """The models, by provider."""

    items: tuple[ModelInfo, ...]


LIST_MODELS = Rpc("inference", "list_models", ListModels, Models, callers=("gateway",))
