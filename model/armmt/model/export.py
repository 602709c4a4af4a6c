"""PyTorch -> ONNX (opset 17, dynamic sizes), the golden cases that every runtime must reproduce, and the manifest."""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from armmt.model.contract import FEATURE_DIM, FEATURES, IMAGE_DIM, INPUT_NAMES, OUTPUT_NAMES, PICTURE_SIZE, TEXT_DIM, TOKEN_ROWS, ListBatch
from armmt.model.edge_student import for_edge
from armmt.model.image_encoder import ImageEncoder
from armmt.model.student import Student, count_parameters

OPSET = 17
TOLERANCE = 1e-4
TOKENIZER = "nfkc-words-trigrams-fnv1a-4096/1"
TEXT_ENCODER = f"random-indexing-{TEXT_DIM}/1+{TOKENIZER}"

DYNAMIC_AXES: dict[str, dict[int, str]] = {
    "query_token_ids": {0: "B", 1: "L"},
    "query_mask": {0: "B", 1: "L"},
    "image": {0: "B", 1: "K"},
    "text": {0: "B", 1: "K"},
    "features": {0: "B", 1: "K"},
    "presence": {0: "B", 1: "K"},
    "history_image": {0: "B", 1: "H"},
    "history_text": {0: "B", 1: "H"},
    "history_mask": {0: "B", 1: "H"},
    "mask": {0: "B", 1: "K"},
    "score": {0: "B", 1: "K"},
    "gate": {0: "B", 1: "K"},
}

#: Of what is served: one list at a time.
ONE_LIST = {name: {axis: size for axis, size in axes.items() if size != "B"} for name, axes in DYNAMIC_AXES.items()}


def to_onnx(
    model: nn.Module,
    inputs: tuple[Tensor, ...],
    path: Path,
    names: tuple[tuple[str, ...], tuple[str, ...]],
    axes: dict[str, dict[int, str]],
) -> None:
    """Writes the graph. The TorchScript exporter is used on purpose: no onnxscript, one file, and a graph half the size."""
    model.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            inputs,
            str(path),
            input_names=list(names[0]),
            output_names=list(names[1]),
            dynamic_axes=axes,
            opset_version=OPSET,
            do_constant_folding=True,
            dynamo=False,
        )


def example(k: int, lq: int, h: int, seed: int, image: bool = True, text: bool = True, history: bool = True, padded: int = 0) -> ListBatch:
    """One random list: k candidates of which the last `padded` are padding."""
    g = torch.Generator().manual_seed(seed)

    def unit(n: int, dim: int) -> Tensor:
        return nn.functional.normalize(torch.randn(1, n, dim, generator=g), dim=-1)

    mask = torch.ones(1, k)
    mask[:, k - padded :] = 0.0
    has_image = ((torch.rand(1, k, generator=g) > 0.2).float() if image else torch.zeros(1, k)) * mask
    has_text = ((torch.rand(1, k, generator=g) > 0.1).float() if text else torch.zeros(1, k)) * mask
    history_mask = torch.ones(1, h) if history else torch.zeros(1, h)
    return ListBatch(
        query_token_ids=torch.randint(1, TOKEN_ROWS, (1, lq), generator=g, dtype=torch.int32),
        query_mask=torch.ones(1, lq),
        image=unit(k, IMAGE_DIM) * has_image.unsqueeze(-1),
        text=unit(k, TEXT_DIM) * has_text.unsqueeze(-1),
        features=torch.randn(1, k, FEATURE_DIM, generator=g).clamp(-4, 4) * mask.unsqueeze(-1),
        presence=torch.stack([has_image, has_text], -1),
        history_image=unit(h, IMAGE_DIM) * history_mask.unsqueeze(-1),
        history_text=unit(h, TEXT_DIM) * history_mask.unsqueeze(-1),
        history_mask=history_mask,
        mask=mask,
    )


def golden_batches() -> dict[str, ListBatch]:
    """The lists every runtime must agree on."""
    return {
        "one candidate": example(1, 3, 1, seed=1),
        "two candidates": example(2, 5, 3, seed=2),
        "fifty candidates": example(50, 12, 20, seed=3),
        "a hundred candidates": example(100, 24, 20, seed=4),
        "two hundred candidates": example(200, 64, 20, seed=5),
        "padded list": example(40, 8, 4, seed=6, padded=10),
        "items without image": example(30, 6, 5, seed=7, image=False),
        "items without text": example(30, 6, 5, seed=8, text=False),
        "empty history": example(30, 6, 1, seed=9, history=False),
    }


def encode(tensor: Tensor) -> str:
    """Little-endian bytes of an int32 or float32 tensor as base64"""
    array = tensor.detach().contiguous().numpy()
    return base64.b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def export_student(model: Student, out: Path, meta: dict[str, Any]) -> None:
    """Writes student.onnx, golden.json and manifest.json into `out`. `meta` fills the manifest's version, features, encoders and texts."""
    graph = out / "student.onnx"
    to_onnx(for_edge(model), tuple(example(6, 4, 3, seed=0)), graph, (INPUT_NAMES, OUTPUT_NAMES), ONE_LIST)
    digest = sha256(graph)
    total, table = count_parameters(model)

    cases = []
    generator = torch.Generator().manual_seed(10)
    with torch.no_grad():
        for name, case in golden_batches().items():
            scores = model(*case)
            prior = torch.rand(case.mask.shape, generator=generator) * 3.0 * case.mask
            cases.append(
                {
                    "name": name,
                    "k": case.mask.shape[1],
                    "lq": case.query_mask.shape[1],
                    "h": case.history_mask.shape[1],
                    "imageDim": IMAGE_DIM,
                    "textDim": TEXT_DIM,
                    "inputs": {key: encode(value) for key, value in case._asdict().items()},
                    "prior": encode(prior),
                    "expected": {"score": encode(scores.score), "gate": encode(scores.gate), "total": encode(prior + scores.score)},
                }
            )
    golden = {"format": 1, "model": meta["version"], "sha256": digest, "tolerance": TOLERANCE, "cases": cases}
    (out / "golden.json").write_text(json.dumps(golden) + "\n")

    manifest = {
        "format": 1,
        "version": meta["version"],
        "sha256": digest,
        "dims": {"image": IMAGE_DIM, "text": TEXT_DIM},
        "form": "delta",
        "features": meta["features"],
        "tokenizer": {"name": TOKENIZER, "rows": TOKEN_ROWS},
        "encoders": {"image": meta["imageEncoder"], "text": meta["textEncoder"]},
        "trainedOn": meta["trainedOn"],
        "metrics": meta["metrics"],
        "parameters": {"total": total, "tokenTable": table},
        "licence": "Apache-2.0",
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def export_image_encoder(model: ImageEncoder, path: Path) -> str:
    """Writes the graph and returns its fingerprint, as item vectors carry it."""
    axes = {"pixel_values": {0: "B"}, "embedding": {0: "B"}}
    pixels = torch.zeros(2, 3, PICTURE_SIZE, PICTURE_SIZE)
    to_onnx(model, (pixels,), path, (("pixel_values",), ("embedding",)), axes)
    return f"builtin-{sha256(path)[:12]}+colour16/1"


def main() -> None:
    """An untrained model with the right contract, for tests of the code around it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    fingerprint = export_image_encoder(ImageEncoder(), out / "image-encoder.onnx")
    meta = {
        "version": "untrained",
        "features": [{"name": name, "mean": 0.0, "std": 1.0} for name in FEATURES],
        "imageEncoder": fingerprint,
        "textEncoder": TEXT_ENCODER,
        "trainedOn": "nothing: random weights",
        "metrics": {},
    }
    export_student(Student(), out, meta)
    print(np.array2string(np.array(count_parameters(Student()))))


if __name__ == "__main__":
    main()
