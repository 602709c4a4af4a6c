"""The Transformer encoder block of PRM and SetRank (Vaswani et al., arXiv:1706.03762): residuals, LayerNorm after each, padding masked
before the softmax."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from armmt.model.layers import FAR


class EncoderBlock(nn.Module):
    """y = LN(x + MultiHead(x));  LN(y + FFN(y)). Plain matrix products, which on a CPU are as quick as the fused attention at K = 25."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.heads = heads
        self.each = width // heads
        self.joint = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.after_attention = nn.LayerNorm(width)
        self.up = nn.Linear(width, inner)
        self.down = nn.Linear(inner, width)
        self.after_forward = nn.LayerNorm(width)

    def attend(self, x: Tensor, far: Tensor) -> Tensor:
        """x [B, K, d], far [B, 1, 1, K] added to the logits -> [B, K, d]"""
        b, k, width = x.shape
        query, key, value = self.joint(x).view(b, k, 3, self.heads, self.each).permute(2, 0, 3, 1, 4).unbind(0)
        logits = torch.matmul(query * self.each**-0.5, key.transpose(-1, -2)) + far
        attended = torch.matmul(torch.softmax(logits, -1), value)  # [B, heads, K, d / heads]
        joined: Tensor = self.out(attended.transpose(1, 2).reshape(b, k, width))
        return joined

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x [B, K, d], mask [B, K] -> [B, K, d]"""
        far = ((mask - 1.0) * FAR).unsqueeze(1).unsqueeze(1)
        y = self.after_attention(x + self.attend(x, far))
        forward: Tensor = self.after_forward(y + self.down(F.relu(self.up(y))))
        return forward
