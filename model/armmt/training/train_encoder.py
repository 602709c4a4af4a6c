"""Trains the builtin image encoder: one small CNN that names category, silhouette, colour, accent, pattern, material and style.

The heads are thrown away; the 48 numbers they all read are the embedding.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from armmt.model.contract import ENCODER_DIM
from armmt.model.export import export_image_encoder
from armmt.model.image_encoder import ImageEncoder
from armmt.training.runtime import prepare, progress, write_json

HELD_OUT = 0.1
LABEL_SMOOTHING = 0.05
#: What counts in the sum of losses: shape and style are easy, a pattern is hard and often asked for.
WEIGHTS = {"category": 0.5, "silhouette": 0.7, "colour": 1.5, "accent": 0.7, "pattern": 2.0, "material": 1.0, "style": 0.5}
TEMPERATURE = 12.0  # the heads see a unit vector times this


def augment(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """[B, 3, S, S] in [-1, 1] -> the same pictures mirrored, shifted, brighter or darker; a third of them scaled, a third noisy

    Most keep their sharp pixels: scaling blurs, and an encoder that has only seen blurred patterns fails on the sharp ones it will meet.
    """
    n = pixels.shape[0]

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(n, generator=generator) * (high - low) + low

    mirrored = torch.where(uniform(0, 1).view(n, 1, 1, 1) < 0.5, pixels.flip(3), pixels)
    # By whole pixels, what comes in repeats the edge.
    dx, dy = (int(value) for value in torch.randint(-6, 7, (2,), generator=generator))
    shifted = F.pad(mirrored, (6, 6, 6, 6), mode="replicate")[:, :, 6 + dy : 6 + dy + pixels.shape[2], 6 + dx : 6 + dx + pixels.shape[3]]
    moved = shifted.clone()
    third = torch.randperm(n, generator=generator)[: n // 3]
    moved[third] = rescaled(shifted[third], uniform(0.85, 1.2)[third], uniform(0.6, 1.0)[third])
    bright = uniform(-0.1, 0.1).view(n, 1, 1, 1)
    contrast = uniform(0.9, 1.1).view(n, 1, 1, 1)
    noisy = torch.randperm(n, generator=generator)[: n // 3]
    moved[noisy] += torch.randn(moved[noisy].shape, generator=generator) * 0.04
    return (moved * contrast + bright).clamp(-1, 1)


def rescaled(pixels: Tensor, zoom: Tensor, shade: Tensor) -> Tensor:
    """[B, 3, S, S] seen from nearer or farther, on a border of a light grey (shade [B], 1 = white)"""
    affine = torch.zeros(len(pixels), 2, 3)
    affine[:, 0, 0] = affine[:, 1, 1] = zoom
    grid = F.affine_grid(affine, list(pixels.shape), align_corners=False)
    # grid_sample pads with zeros; sampling the difference to the shade leaves the shade there.
    border = shade.view(-1, 1, 1, 1)
    return F.grid_sample(pixels - border, grid, align_corners=False) + border


class Labelled(nn.Module):
    """The encoder with one linear head per label."""

    def __init__(self, classes: list[int]) -> None:
        super().__init__()
        self.encoder = ImageEncoder()
        self.heads = nn.ModuleList(nn.Linear(ENCODER_DIM, n) for n in classes)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """[B, 3, 64, 64] -> one [B, classes] per label"""
        embedding = self.encoder(pixels) * TEMPERATURE
        return [head(embedding) for head in self.heads]


def to_pixels(rows: np.ndarray) -> Tensor:
    """[B, 64, 64, 3] uint8 -> [B, 3, 64, 64] in [-1, 1], as served"""
    return torch.from_numpy(rows).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def accuracies(model: Labelled, pixels: np.ndarray, labels: Tensor) -> list[float]:
    """Share of pictures named rightly, per label"""
    model.eval()
    with torch.no_grad():
        outputs = [model(to_pixels(pixels[at : at + 256])) for at in range(0, len(pixels), 256)]
    return [float((torch.cat([out[t] for out in outputs]).argmax(1) == labels[:, t]).float().mean()) for t in range(labels.shape[1])]


def train(pictures: Path, out: Path, epochs: int, batch: int, seed: int) -> dict[str, float]:
    """Trains, writes image-encoder.onnx, and returns held-out accuracy per label (with the most frequent word's share beside it)"""
    prepare(seed, threads=2)
    generator = torch.Generator().manual_seed(seed)
    pixels = np.load(pictures / "pixels.npy", mmap_mode="r")
    labels = torch.from_numpy(np.load(pictures / "labels.npy")).long()
    tasks = json.loads((pictures / "labels.json").read_text())
    names = [task["task"] for task in tasks]
    held_out = int(len(pixels) * HELD_OUT)
    test_pixels, test_labels = np.array(pixels[:held_out]), labels[:held_out]
    train_pixels, train_labels = np.array(pixels[held_out:]), labels[held_out:]

    model = Labelled([len(task["words"]) for task in tasks])
    # channels_last is the faster layout for convolutions on a CPU.
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-3, fused=True)
    steps = epochs * math.ceil(len(train_pixels) / batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps, pct_start=0.1)
    bar = progress(steps, "Image encoder")
    for _ in range(epochs):
        model.train()
        order = torch.randperm(len(train_pixels), generator=generator)
        for at in range(0, len(order), batch):
            rows = order[at : at + batch]
            images = augment(to_pixels(train_pixels[rows.numpy()]), generator).contiguous(memory_format=torch.channels_last)
            outputs = model(images)
            loss = torch.stack(
                [
                    WEIGHTS[names[t]] * F.cross_entropy(out, train_labels[rows, t], label_smoothing=LABEL_SMOOTHING)
                    for t, out in enumerate(outputs)
                ]
            ).sum()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            bar.update()
            bar.set_postfix(loss=f"{loss.item():.2f}", refresh=False)
    bar.close()

    found = accuracies(model, test_pixels, test_labels)
    report: dict[str, float] = {}
    for t, name in enumerate(names):
        most = float(train_labels[:, t].bincount().max()) / len(train_labels)
        report[name] = round(found[t], 4)
        report[f"{name}_majority"] = round(most, 4)
    encoder = model.encoder.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    fingerprint = export_image_encoder(encoder, out / "image-encoder.onnx")
    write_json(
        out / "image-encoder.json", {"fingerprint": fingerprint, "pictures": len(train_pixels), "heldOut": held_out, "accuracy": report}
    )
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(json.dumps(train(arguments.pictures, arguments.out, arguments.epochs, arguments.batch, arguments.seed)))


if __name__ == "__main__":
    main()
