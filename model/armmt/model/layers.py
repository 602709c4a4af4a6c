"""The building blocks of teacher and student: query tower, CAFU, target attention and MPSA.

The method section of the paper (arXiv 2408.05751) could not be read; only its abstract, introduction and summaries. CAFU and MPSA below
are our economical reading of those sentences, not the authors' equations.

Everything avoids reshapes that depend on a size, so that the ONNX graph stays small with B, K, L and H dynamic.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from armmt.model.contract import FEATURE_DIM, TEXT_DIM, TOKEN_ROWS

FAR = 1e4  # subtracted from the logit of a masked entry: exp(-1e4) is 0 in float32
# The same for a missing source. Where all are missing it is subtracted from all: at 1e4 float32 would round what is left to 1e-3.
MISSING = 128.0
ASPECTS = 3  # ways in which the words of a query are weighed against each other


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean of x [B, N, d] over the entries with mask [B, N] = 1; zero where there is none. -> [B, d]"""
    total = torch.matmul(mask.unsqueeze(1), x).squeeze(1)
    return total / mask.sum(1, keepdim=True).clamp(min=1.0)


def relu(x: Tensor) -> Tensor:
    """max(x, 0). The wasm kernel of Relu branches on every sign, that of Max does not: exported, a run of the model is 5 % quicker."""
    return torch.maximum(x, torch.zeros((), dtype=x.dtype)) if torch.onnx.is_in_onnx_export() else F.relu(x)


class Rectifier(nn.Module):
    """`relu` as a layer"""

    def forward(self, x: Tensor) -> Tensor:
        return relu(x)


class Asked(NamedTuple):
    """Output of the query tower for a query of L tokens."""

    lexical: Tensor  # [B, ASPECTS, TEXT_DIM] of unit length
    view: Tensor  # [B, width] learned
    meanings: Tensor  # [B, L, width] the learned view's summands
    words: Tensor  # [B, L, TEXT_DIM] the text encoder's vector of each token, of unit length


class FromBytes(torch.autograd.Function):
    """int8 -> float32. The graph gets DequantizeLinear: onnxruntime's Cast is one function for all pairs of types, half a megabyte of wasm
    that a starting Worker would have to compile."""

    @staticmethod
    def forward(_: Any, signs: Tensor, scale: float) -> Tensor:
        return signs.to(torch.float32) * scale

    @staticmethod
    def symbolic(g: Any, signs: Any, scale: float) -> Any:
        return g.op("DequantizeLinear", signs, g.op("Constant", value_t=torch.tensor(scale)))


def from_bytes(signs: Tensor, scale: float) -> Tensor:
    values: Tensor = FromBytes.apply(signs, scale)  # type: ignore[no-untyped-call]
    return values


class QueryTower(nn.Module):
    """Query tokens -> a lexical view and a learned view.

    The lexical view sums the text encoder's own fixed vectors, so a query word meets the same word in a title even when training never
    saw it. It does so ASPECTS times, with learned weights per token, because the noun ("bag") and the adjective ("elegant") do not matter
    alike; a word that training never saw weighs 1. The learned view starts at zero: such a word says nothing there, rather than something
    random.
    """

    lexical: Tensor

    def __init__(self, width: int, token_vectors: Tensor | None = None) -> None:
        super().__init__()
        # The text encoder's entries are 0 or ±1/sqrt(TEXT_DIM), so their sign holds all of them in one byte each.
        signs = torch.zeros(TOKEN_ROWS, TEXT_DIM) if token_vectors is None else torch.sign(token_vectors)
        self.register_buffer("lexical", signs.to(torch.int8))
        # One table for both, so that serving looks a token up once: `width` columns of meaning, ASPECTS of weight.
        self.learned = nn.Embedding(TOKEN_ROWS, width + ASPECTS)
        nn.init.normal_(self.learned.weight, std=0.01)
        self.mix = nn.Linear(width, width)
        self.width = width

    def forward(self, ids: Tensor, mask: Tensor) -> Asked:
        """ids [B, L], mask [B, L] -> Asked"""
        meanings, importance = torch.split(self.learned(ids), [self.width, ASPECTS], -1)
        words = from_bytes(self.lexical[ids], TEXT_DIM**-0.5)
        if words.dtype != mask.dtype:  # float64 in tests; asked here so that no graph has the conversion
            words = words.to(mask.dtype)
        shares = 2.0 * torch.sigmoid(importance) * mask.unsqueeze(2)  # [B, L, ASPECTS]
        lexical = torch.matmul(shares.transpose(1, 2), words)
        lexical = lexical / (lexical.square().sum(2, keepdim=True) + 1e-8).sqrt()
        learned = torch.matmul(mask.unsqueeze(1), meanings).squeeze(1)
        return Asked(lexical, learned + relu(self.mix(learned)), meanings, words)


class WordMatch(nn.Module):
    """Share of the query that a candidate satisfies, token by token: late interaction as in ColBERT (arXiv:2004.12832), but with a
    sigmoid per token and their mean, because a candidate either is "striped" or is not, and two words half met are not one word met.

    Three means over the tokens (words and their trigrams): by picture and title together, by picture, by title.
    """

    MATCHES = 3

    def __init__(self, width: int) -> None:
        super().__init__()
        self.wanted = nn.Linear(width, width)
        self.threshold = nn.Linear(width, 1)
        self.literal = nn.Parameter(torch.tensor(4.0))  # weight of a word's own vector in the title's

    def forward(self, asked: Asked, mask: Tensor, e_image: Tensor, e_text: Tensor, text: Tensor) -> Tensor:
        """Query mask [B, L], projected pictures and titles [B, K, width], text vectors [B, K, TEXT_DIM] -> [B, K, MATCHES]"""
        wanted = self.wanted(asked.meanings).transpose(1, 2)  # [B, width, L]
        threshold = self.threshold(asked.meanings).transpose(1, 2)  # [B, 1, L]
        pictured = torch.matmul(e_image, wanted)  # [B, K, L]
        titled = torch.matmul(e_text, wanted) + torch.matmul(text, asked.words.transpose(1, 2) * self.literal)
        each = mask / mask.sum(1, keepdim=True).clamp(min=1.0)  # [B, L]
        met = [torch.matmul(torch.sigmoid(logits + threshold), each.unsqueeze(2)) for logits in (pictured + titled, pictured, titled)]
        return torch.cat(met, -1)


class ContextAwareFusion(nn.Module):
    """CAFU: squeeze every source to one number, add the context, let a small MLP weigh the sources.

    z_m = mean_k e_{m,k};  a = W2 relu(W1 [z; c] + b1) + b2;  w = softmax(a);  fused = W_o [w_1 e_1; ...; w_M e_M]

    Ours in form (a squeeze-and-excitation over modalities, as FiBiNET arXiv:1905.09433 does over fields, with a context appended). W2 and
    b2 start at zero: all sources weigh the same and training can only move away from plain concatenation. `weighted=False` stays there,
    `contextual=False` leaves the context out (a plain SENet).
    """

    def __init__(
        self, width: int, sources: int, own: int, shared: int, hidden: int, weighted: bool = True, contextual: bool = True
    ) -> None:
        super().__init__()
        self.sources = sources
        self.weighted = weighted
        self.contextual = contextual
        self.out = nn.Linear(sources * width, width)
        if not weighted:
            return
        # One layer over [z; own; shared], in two products: what all candidates share is multiplied once per list.
        self.excite = nn.Linear(sources + (own if contextual else 0), hidden)
        if contextual:
            self.around = nn.Linear(shared, hidden, bias=False)
        self.weigh = nn.Linear(hidden, sources)
        nn.init.zeros_(self.weigh.weight)
        nn.init.zeros_(self.weigh.bias)

    def weights(self, sources: list[Tensor], own: Tensor | None, shared: Tensor, present: Tensor | None) -> Tensor:
        """-> [B, K, M], summing to 1"""
        squeezed = [source.mean(-1, keepdim=True) for source in sources]
        if self.weighted:
            each = torch.cat([*squeezed, own] if own is not None and self.contextual else squeezed, -1)
            hidden = self.excite(each)
            if self.contextual:
                hidden = hidden + self.around(shared).unsqueeze(1)
            logits: Tensor = self.weigh(relu(hidden))
        else:
            logits = torch.cat(squeezed, -1) * 0.0
        if present is not None:
            # A missing source gets no weight; when all are missing the weights are as if none were.
            logits = logits + (present - 1.0) * MISSING
        return torch.softmax(logits, -1)

    def forward(self, sources: list[Tensor], own: Tensor | None, shared: Tensor, present: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Sources M x [B, K, d] -> fused [B, K, d], weights [B, K, M]

        The context is `own` [B, K, o] of each candidate and `shared` [B, s] of the list; present [B, K, M] is 0 where a source is missing.
        """
        weights = self.weights(sources, own, shared, present)
        # Times M, so that equal weights leave the sources as they are.
        each = torch.split(weights * self.sources, 1, -1)
        return self.out(torch.cat([source * weight for source, weight in zip(sources, each, strict=True)], -1)), weights


class TargetAttention(nn.Module):
    """Attention of each candidate over the shopper's recent items (target attention as in DIN, arXiv:1706.06978, with a softmax).

    Only the history is projected: with one head, a projection of the candidates adds nothing that its product with this one lacks.
    """

    def __init__(self, item: int) -> None:
        super().__init__()
        self.key = nn.Linear(item, item)
        self.scale = item**-0.5

    def forward(self, candidates: Tensor, history: Tensor, mask: Tensor) -> Tensor:
        """candidates [B, K, item], history [B, H, item], mask [B, H] -> attended [B, K, item]; zero without history"""
        logits = torch.matmul(candidates, (self.key(history) * self.scale).transpose(1, 2))  # [B, K, H]
        shares = torch.softmax(logits + (mask.unsqueeze(1) - 1.0) * FAR, -1) * mask.unsqueeze(1)
        return torch.matmul(shares, history)


#: Middles of the bins in which cosines to recent items are counted; each bin falls to nothing at the next one's middle.
LIKENESSES = (-0.25, 0.0, 0.25, 0.5, 0.75, 1.0)
BIN = 0.25


def histogram(candidates: Tensor, history: Tensor, mask: Tensor) -> Tensor:
    """candidates [B, K, dim], history [B, H, dim], both of unit length, mask [B, H] -> [B, K, bins]: the share of recent items that are so
    much like the candidate, soft-counted. Zero without history. A mean cannot tell one twin among strangers from many distant relations."""
    cosines = torch.matmul(candidates, history.transpose(1, 2)).clamp(LIKENESSES[0], LIKENESSES[-1])  # [B, K, H]
    each = (mask / mask.sum(1, keepdim=True).clamp(min=1.0)).unsqueeze(2)  # [B, H, 1]
    return torch.cat([torch.matmul(relu(1.0 - (cosines - middle).abs() / BIN), each) for middle in LIKENESSES], -1)


class Surroundings(nn.Module):
    """What a candidate stands among: how alike the list is to it by text and by image, and the features of what is most alike.

    m = [t . mean(t), i . mean(i)];  A = softmax(s_t T T' + s_i I I' + mask);  n = A F

    Two numbers are learned: how sharp "alike" is, by text and by image. The next layer sees the candidate's own features beside n, so "dear
    for what it is" is a difference there. Ours. It stands where MPSA did, which learns what to compare: no better where both were tried, on
    32,000 lists, and slower (docs/design/training-recipe.md).
    """

    COLUMNS = 2 + FEATURE_DIM
    SHARPNESS = 6.0  # at the start: a twin counts e^6 times as much as what has nothing in common

    def __init__(self) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.full((2,), self.SHARPNESS))

    def forward(self, text: Tensor, image: Tensor, features: Tensor, mask: Tensor) -> Tensor:
        """text, image [B, K, D] of unit length or zero, features [B, K, F], mask [B, K] -> [B, K, COLUMNS]"""
        among = [torch.matmul(vectors, masked_mean(vectors, mask).unsqueeze(2)) for vectors in (text, image)]
        pair = torch.cat([text, image], -1)
        sharp = torch.cat([text * self.sharpness[0], image * self.sharpness[1]], -1)
        logits = torch.matmul(sharp, pair.transpose(1, 2)) + ((mask - 1.0) * FAR).unsqueeze(1)  # [B, K, K]
        return torch.cat([*among, torch.matmul(torch.softmax(logits, -1), features)], -1)


def per_perspective(x: Tensor, weight: Tensor) -> Tensor:
    """x [S, B, K, i] times weight [S, i, o] -> [S, B, K, o]"""
    if torch.onnx.is_in_onnx_export():
        return torch.matmul(x, weight.unsqueeze(1))  # one node; with B = 1 nothing is copied
    # Broadcasting would copy the weights once per list of the batch: one product per perspective over all of its rows is far quicker.
    s, b, k, i = x.shape
    return torch.bmm(x.reshape(s, b * k, i), weight).view(s, b, k, weight.shape[2])


def normalise(x: Tensor) -> Tensor:
    """Divides each vector by its root mean square. As good as a layer norm here, and half its time in wasm."""
    return x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()


class MultiPerspectiveSelfAttention(nn.Module):
    """MPSA: one masked self-attention over the list per perspective (item, personalised, features).

    A_s = softmax(N(H_s) Q_s (N(H_s) K_s)^T / sqrt(e) + mask);  F_s = H_s + A_s N(H_s) V_s O_s        s = 1..S

    Ours in form; one head per perspective, so the perspectives are the heads. A head is narrow (e = EACH): of full width it learned the
    noise of the log. O_s starts at zero: the list has no effect until training gives it one. There is no feed-forward layer after it
    (on 40,000 lists it learned noise), and no positional term: the candidates' order enters only through the engine's rank among the
    features, so the scores do not depend on the order in which candidates are given.
    """

    EACH = 16

    def __init__(self, width: int, perspectives: int) -> None:
        super().__init__()
        # Query, key and value side by side: one product.
        self.joint = nn.Parameter(torch.randn(perspectives, width, 3 * self.EACH) * width**-0.5)
        self.out = nn.Parameter(torch.zeros(perspectives, self.EACH, width))

    def forward(self, views: Tensor, mask: Tensor) -> Tensor:
        """views [S, B, K, d], mask [B, K] -> [S, B, K, d]"""
        far = ((mask - 1.0) * FAR).unsqueeze(1)  # [B, 1, K]
        query, key, value = torch.split(per_perspective(normalise(views), self.joint), self.EACH, -1)
        logits = torch.matmul(query * self.EACH**-0.5, key.transpose(-1, -2))  # [S, B, K, K]
        return views + per_perspective(torch.matmul(torch.softmax(logits + far, -1), value), self.out)
