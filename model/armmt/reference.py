"""The yardstick for speed: a plain 79 k parameter re-ranker, exported as it comes. It is timed beside the student; it is not a model.

Two projections of item vectors, one of features, one of the list's context; a softmax gate over the three modalities; two pre-LN
transformer blocks of four heads; a score. Never trained: the time of a run does not depend on the weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from armmt.export import to_onnx
from armmt.layers import FAR

WIDTH = 64
HEADS = 4
BLOCKS = 2
EXPANSION = 128
TEXT_DIM = 64
IMAGE_DIM = 64
FEATURE_DIM = 16
CONTEXT_DIM = 32

INPUT_NAMES = ("text", "image", "features", "ctx", "mask")
OUTPUT_NAMES = ("score",)
DYNAMIC_AXES = {name: {1: "K"} for name in ("text", "image", "features", "mask", "score")}


class Block(nn.Module):
    """Pre-LN: x + attention(LN(x)), then x + FFN(LN(x))."""

    def __init__(self) -> None:
        super().__init__()
        self.before_attention = nn.LayerNorm(WIDTH)
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key = nn.Linear(WIDTH, WIDTH)
        self.value = nn.Linear(WIDTH, WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.before_forward = nn.LayerNorm(WIDTH)
        self.up = nn.Linear(WIDTH, EXPANSION)
        self.down = nn.Linear(EXPANSION, WIDTH)

    def heads(self, x: Tensor) -> Tensor:
        """[1, K, d] -> [1, HEADS, K, d / HEADS]"""
        return x.view(1, -1, HEADS, WIDTH // HEADS).transpose(1, 2)

    def forward(self, x: Tensor, far: Tensor) -> Tensor:
        """x [1, K, d], far [1, 1, 1, K] added to the logits -> [1, K, d]"""
        normed = self.before_attention(x)
        query, key, value = self.heads(self.query(normed)), self.heads(self.key(normed)), self.heads(self.value(normed))
        logits = torch.matmul(query, key.transpose(-1, -2)) * (WIDTH // HEADS) ** -0.5 + far
        attended = torch.matmul(torch.softmax(logits, -1), value).transpose(1, 2).reshape(1, -1, WIDTH)
        x = x + self.out(attended)
        forward: Tensor = self.down(F.relu(self.up(self.before_forward(x))))
        return x + forward


class Reference(nn.Module):
    """One list at a time: the graph has B = 1 and a dynamic K."""

    def __init__(self) -> None:
        super().__init__()
        self.text = nn.Linear(TEXT_DIM, WIDTH)
        self.image = nn.Linear(IMAGE_DIM, WIDTH)
        self.features = nn.Linear(FEATURE_DIM, WIDTH)
        self.context = nn.Linear(CONTEXT_DIM, WIDTH)
        self.gate = nn.Linear(2 * WIDTH, 1, bias=False)
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.normed = nn.LayerNorm(WIDTH)
        self.score = nn.Linear(WIDTH, 1)

    def forward(self, text: Tensor, image: Tensor, features: Tensor, ctx: Tensor, mask: Tensor) -> Tensor:
        """text, image, features [1, K, dim], ctx [1, CONTEXT_DIM], mask [1, K] -> score [1, K]"""
        modalities = torch.stack([self.text(text), self.image(image), self.features(features)], 2)  # [1, K, 3, d]
        context = self.context(ctx).unsqueeze(1)  # [1, 1, d]
        # A linear gate over [e; e * c] of each modality e, with the context c multiplied into its weights instead: once per list.
        near, around = self.gate.weight.view(2, WIDTH)
        weights = torch.softmax(torch.matmul(modalities, (near + context * around).view(1, 1, WIDTH, 1)), 2)  # [1, K, 3, 1]
        x = (modalities * weights).sum(2) + context
        far = ((mask - 1.0) * FAR).unsqueeze(1).unsqueeze(1)
        for block in self.blocks:
            x = block(x, far)
        score: Tensor = self.score(self.normed(x)).squeeze(-1)
        return score


def example(k: int) -> tuple[Tensor, ...]:
    """One random list of k candidates, in the order of INPUT_NAMES"""
    g = torch.Generator().manual_seed(k)
    vectors = [torch.randn(1, k, dim, generator=g) for dim in (TEXT_DIM, IMAGE_DIM, FEATURE_DIM)]
    return (*vectors, torch.randn(1, CONTEXT_DIM, generator=g), torch.ones(1, k))


def export_reference(path: Path) -> int:
    """Writes the graph; returns the number of parameters"""
    torch.manual_seed(0)
    model = Reference()
    to_onnx(model, example(6), path, (INPUT_NAMES, OUTPUT_NAMES), DYNAMIC_AXES)
    return sum(parameter.numel() for parameter in model.parameters())


def main() -> None:
    """Writes reference.onnx into a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    parameters = export_reference(out / "reference.onnx")
    print(f"reference.onnx: {parameters} parameters")


if __name__ == "__main__":
    main()
