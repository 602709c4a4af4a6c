"""The building blocks of teacher and student: query towers, CAFU, target attention and MPSA.

The method section of the paper (arXiv 2408.05751) could not be read; only its abstract, introduction and summaries. CAFU and MPSA below
are our economical reading of those sentences, not the authors' equations.

Everything avoids reshapes that depend on a size, so that the ONNX graph stays small with B, K, L and H dynamic.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from armmt.contract import TEXT_DIM, TOKEN_ROWS

FAR = 1e4  # subtracted from the logit of a masked entry: exp(-1e4) is 0 in float32


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean of x [B, N, d] over the entries with mask [B, N] = 1; zero where there is none. -> [B, d]"""
    total = torch.matmul(mask.unsqueeze(1), x).squeeze(1)
    return total / mask.sum(1, keepdim=True).clamp(min=1.0)


class QueryTower(nn.Module):
    """Query tokens -> a lexical view and a learned view.

    The lexical view sums the text encoder's own fixed vectors, so a query word meets the same word in a title even when training never
    saw it. The learned view starts at zero: a word that training never saw says nothing there, rather than something random.
    """

    lexical: Tensor

    def __init__(self, width: int, token_vectors: Tensor | None = None) -> None:
        super().__init__()
        # The text encoder's entries are 0 or ±1/sqrt(TEXT_DIM), so their sign holds all of them in one byte each.
        signs = torch.zeros(TOKEN_ROWS, TEXT_DIM) if token_vectors is None else torch.sign(token_vectors)
        self.register_buffer("lexical", signs.to(torch.int8))
        self.learned = nn.Embedding(TOKEN_ROWS, width)
        nn.init.normal_(self.learned.weight, std=0.01)
        self.mix = nn.Linear(width, width)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """ids [B, L], mask [B, L] -> lexical [B, TEXT_DIM] of unit length, learned [B, width]"""
        weights = mask.unsqueeze(1)  # [B, 1, L]
        lexical = torch.matmul(weights, self.lexical[ids].to(mask.dtype)).squeeze(1)
        lexical = lexical / (lexical.square().sum(1, keepdim=True) + 1e-6).sqrt()
        learned = torch.matmul(weights, self.learned(ids)).squeeze(1)
        return lexical, learned + F.relu(self.mix(learned))


class ContextAwareFusion(nn.Module):
    """CAFU: squeeze every source to one number, add the context, let a small MLP weigh the sources.

    z_m = mean_k e_{m,k};  a = W2 relu(W1 [z; c] + b1) + b2;  w = softmax(a);  fused = W_o [w_1 e_1; ...; w_M e_M]

    Ours in form (a squeeze-and-excitation over modalities, as FiBiNET arXiv:1905.09433 does over fields, with a context appended). W2 and
    b2 start at zero: all sources weigh the same and training can only move away from plain concatenation.
    """

    def __init__(self, width: int, sources: int, own: int, shared: int, hidden: int) -> None:
        super().__init__()
        self.sources = sources
        # One layer over [z; own; shared], in two products: what all candidates share is multiplied once per list.
        self.excite = nn.Linear(sources + own, hidden)
        self.around = nn.Linear(shared, hidden, bias=False)
        self.weigh = nn.Linear(hidden, sources)
        self.out = nn.Linear(sources * width, width)
        nn.init.zeros_(self.weigh.weight)
        nn.init.zeros_(self.weigh.bias)

    def forward(self, sources: list[Tensor], own: Tensor | None, shared: Tensor, present: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Sources M x [B, K, d] -> fused [B, K, d], weights [B, K, M]

        The context is `own` [B, K, o] of each candidate and `shared` [B, s] of the list; present [B, K, M] is 0 where a source is missing.
        """
        squeezed = [source.mean(-1, keepdim=True) for source in sources]
        each = torch.cat(squeezed if own is None else [*squeezed, own], -1)
        logits = self.weigh(F.relu(self.excite(each) + self.around(shared).unsqueeze(1)))
        if present is not None:
            # A missing source gets no weight; when all are missing the weights are as if none were.
            logits = logits + (present - 1.0) * FAR
        weights = torch.softmax(logits, -1)
        # Times M, so that equal weights leave the sources as they are.
        scaled = [source * (weights[..., m : m + 1] * self.sources) for m, source in enumerate(sources)]
        return self.out(torch.cat(scaled, -1)), weights


class TargetAttention(nn.Module):
    """What the shopper's recent items say about each candidate (target attention as in DIN, arXiv:1706.06978, with a softmax)."""

    def __init__(self, item: int, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(item, width)
        self.key = nn.Linear(item, width)
        self.scale = width**-0.5

    def forward(self, candidates: Tensor, history: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """candidates [B, K, item], history [B, H, item], mask [B, H] -> attended [B, K, item], closeness [B, K, 1]; zero without history"""
        logits = torch.matmul(self.query(candidates), self.key(history).transpose(1, 2)) * self.scale  # [B, K, H]
        shares = torch.softmax(logits + (mask.unsqueeze(1) - 1.0) * FAR, -1) * mask.unsqueeze(1)
        attended = torch.matmul(shares, history)
        return attended, (candidates * attended).sum(-1, keepdim=True)


def per_perspective(x: Tensor, weight: Tensor) -> Tensor:
    """x [B, S, K, i] times weight [S, i, o] -> [B, S, K, o]"""
    if torch.onnx.is_in_onnx_export():
        return torch.matmul(x, weight)  # one node; with B = 1 nothing is copied
    # Broadcasting would copy the weights once per list of the batch: three products over all of its rows are far quicker.
    return torch.stack([torch.matmul(x[:, s], weight[s]) for s in range(weight.shape[0])], 1)


class MultiPerspectiveSelfAttention(nn.Module):
    """MPSA: one masked self-attention over the list per perspective (item, personalised, features).

    A_s = softmax(Q_s K_s^T / sqrt(d) + mask);  O_s = H_s + A_s V_s W_s;  F_s = O_s + FFN_s(LN(O_s))        s = 1..S

    Ours in form; one head per perspective, so the perspectives are the heads. There is no positional term: the candidates' order enters
    only through the engine's rank among the features, so the scores do not depend on the order in which candidates are given.
    """

    def __init__(self, width: int, perspectives: int, expansion: int) -> None:
        super().__init__()

        def weight(inputs: int, outputs: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(perspectives, inputs, outputs) * inputs**-0.5)

        self.query = weight(width, width)
        self.key = weight(width, width)
        self.value = weight(width, width)
        self.up = weight(width, expansion)
        self.up_bias = nn.Parameter(torch.zeros(perspectives, 1, expansion))
        self.down = weight(expansion, width)
        self.down_bias = nn.Parameter(torch.zeros(perspectives, 1, width))
        self.scale = width**-0.5
        self.width = width

    def forward(self, views: Tensor, mask: Tensor) -> Tensor:
        """views [B, S, K, d], mask [B, K] -> [B, S, K, d]"""
        far = ((mask - 1.0) * FAR).unsqueeze(1).unsqueeze(1)  # [B, 1, 1, K]
        x = F.layer_norm(views, (self.width,))
        logits = torch.matmul(per_perspective(x, self.query * self.scale), per_perspective(x, self.key).transpose(-1, -2))  # [B, S, K, K]
        attended = views + torch.matmul(torch.softmax(logits + far, -1), per_perspective(x, self.value))
        inner = F.relu(per_perspective(F.layer_norm(attended, (self.width,)), self.up) + self.up_bias)
        return attended + per_perspective(inner, self.down) + self.down_bias
