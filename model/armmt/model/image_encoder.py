"""The builtin image encoder: a small CNN from a 64 px picture to 48 numbers, trained on drawn products to name what a picture shows."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from armmt.model.contract import ENCODER_DIM


def block(inputs: int, outputs: int, size: int, stride: int) -> nn.Sequential:
    """Convolution, batch normalisation (folded into the convolution at export), ReLU"""
    conv = nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class ImageEncoder(nn.Module):
    """pixel_values [B, 3, 64, 64] in [-1, 1] -> embedding [B, 48] of unit length"""

    def __init__(self) -> None:
        super().__init__()
        self.edges = nn.Sequential(block(3, 24, 5, 2), block(24, 48, 3, 2))  # 16 px
        self.textures = block(48, 64, 3, 1)  # 16 px
        self.shapes = nn.Sequential(block(64, 96, 3, 2), block(96, 96, 1, 1))  # 8 px
        # Means and maxima differ in size by far; without normalisation they learn ten times more slowly.
        pooled = 2 * (48 + 64 + 96)
        self.out = nn.Sequential(nn.BatchNorm1d(pooled), nn.Linear(pooled, ENCODER_DIM, bias=False), nn.BatchNorm1d(ENCODER_DIM))

    def forward(self, pixel_values: Tensor) -> Tensor:
        """[B, 3, 64, 64] -> [B, 48]"""
        edges = self.edges(pixel_values)
        textures = self.textures(edges)
        shapes = self.shapes(textures)
        # Every scale is pooled, because a pattern is a matter of fine texture and a silhouette of coarse shape. Mean and maximum: how much
        # of the picture looks so, and whether any of it does.
        pooled = [value for level in (edges, textures, shapes) for value in (level.mean((2, 3)), level.amax((2, 3)))]
        return F.normalize(self.out(torch.cat(pooled, 1)), dim=1)
