"""The builtin image encoder: a small CNN from a 64 px picture to 48 numbers, trained on drawn products to name what a picture shows."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from armmt.contract import ENCODER_DIM


def block(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """3x3 convolution, batch normalisation (folded into the convolution at export), ReLU"""
    conv = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class ImageEncoder(nn.Module):
    """pixel_values [B, 3, 64, 64] in [-1, 1] -> embedding [B, 48] of unit length"""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            block(3, 24, 2),  # 32 px
            block(24, 48, 2),  # 16 px
            block(48, 64, 1),
            block(64, 96, 2),  # 8 px
            block(96, 128, 1),
        )
        # Mean and maximum over the picture: how much of it looks so, and whether any of it does.
        self.out = nn.Linear(256, ENCODER_DIM)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """[B, 3, 64, 64] -> [B, 48]"""
        x = self.body(pixel_values)  # [B, 128, 8, 8]
        pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        return F.normalize(self.out(pooled), dim=1)
