"""Models small enough for some fifty judged lists. Each says what it scores held-out lists under every setting that may be chosen.

Inputs are those of every other model: scaled features as the serving code wrote them, title vectors, and the query's words. The one product
below is the input layer of the models that cannot multiply, as in `armmt.baselines`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import lightgbm as lgb
import torch
from torch import Tensor

from armmt.model.contract import FEATURE_DIM, ListBatch
from armmt.model.student import Student
from armmt.training.losses import masked_log_softmax

#: Setting -> scores [B, K] of the held-out lists.
Settings = dict[str, Tensor]


class Judged(NamedTuple):
    """Judged lists, padded alike."""

    batch: ListBatch
    rating: Tensor  # [B, K] int64, 0 irrelevant .. 3 best, 0 where padded
    zero_shot: Tensor  # [B, K] scores of the exported student
    tokens: Tensor  # [rows, TEXT_DIM] the text encoder's token vectors

    def at(self, rows: list[int]) -> Judged:
        """The same lists, some of them"""
        return Judged(ListBatch(*(part[rows] for part in self.batch)), self.rating[rows], self.zero_shot[rows], self.tokens)


#: (training lists, held-out lists, seed) -> scores of the latter. Never looks at their ratings.
Fit = Callable[[Judged, Judged, int], Settings]

LABEL_GAIN = (0.0, 1.0, 3.0, 7.0)  # 2^rating - 1


def gains(judged: Judged) -> Tensor:
    """2^rating - 1, [B, K]"""
    return torch.tensor(LABEL_GAIN)[judged.rating]


def columns(judged: Judged) -> Tensor:
    """-> [B, K, FEATURE_DIM + 1]: features, and the title's product with the sum of the query's words, both of unit length"""
    batch = judged.batch
    words = torch.matmul(batch.query_mask.unsqueeze(1), judged.tokens[batch.query_token_ids.long()])  # [B, 1, TEXT_DIM]
    lexical = words / (words.square().sum(2, keepdim=True) + 1e-6).sqrt()
    return torch.cat([batch.features, torch.matmul(batch.text, lexical.transpose(1, 2))], -1)


def listwise(score: Tensor, gain: Tensor, mask: Tensor) -> Tensor:
    """-sum_i (g_i / sum g) log softmax_i(s), mean over the lists (ListNet's top-one cross-entropy, with gains as the target)"""
    share = gain / gain.sum(-1, keepdim=True).clamp(min=1.0)
    return -(share * masked_log_softmax(score, mask)).sum(-1).mean()


RIDGES = (0.003, 0.03, 0.3)


def fit_linear(train: Judged, held_out: Judged, seed: int) -> Settings:
    """Listwise ridge regression; convex, so the seed changes nothing"""
    x, gain, mask = columns(train), gains(train), train.batch.mask
    scores: Settings = {}
    for ridge in RIDGES:
        weight = torch.zeros(FEATURE_DIM + 1, requires_grad=True)
        optimiser = torch.optim.LBFGS([weight], max_iter=200, line_search_fn="strong_wolfe")

        def loss(weight: Tensor = weight, optimiser: torch.optim.LBFGS = optimiser, ridge: float = ridge) -> Tensor:
            optimiser.zero_grad()
            value = listwise(x @ weight, gain, mask) + ridge * weight.square().sum()
            value.backward()  # type: ignore[no-untyped-call]
            return value

        optimiser.step(loss)  # type: ignore[no-untyped-call]
        scores[f"ridge {ridge}"] = columns(held_out) @ weight.detach()
    return scores


LEAVES = (3, 6)
ROUNDS = (10, 30, 100)


def fit_lambdamart(train: Judged, held_out: Judged, seed: int) -> Settings:
    """LightGBM's lambdarank on features and word match; rows and columns subsampled, so the seed matters"""
    real = train.batch.mask.bool()
    x = columns(train)[real].numpy()
    label = train.rating[real].numpy()
    group = real.sum(1).numpy()
    inputs, shape = columns(held_out), held_out.batch.mask.shape
    scores: Settings = {}
    for leaves in LEAVES:
        parameters: dict[str, Any] = {
            "objective": "lambdarank",
            "label_gain": list(LABEL_GAIN),
            "learning_rate": 0.05,
            "num_leaves": leaves,
            "min_data_in_leaf": 20,
            "bagging_fraction": 0.7,
            "bagging_freq": 1,
            "feature_fraction": 0.7,
            "seed": seed,
            "num_threads": 1,
            "deterministic": True,
            "force_col_wise": True,
            "verbosity": -1,
        }
        booster = lgb.train(parameters, lgb.Dataset(x, label, group=group), num_boost_round=max(ROUNDS))
        for rounds in ROUNDS:
            score = booster.predict(inputs.flatten(0, 1).numpy(), num_iteration=rounds, num_threads=1)
            scores[f"leaves {leaves}, rounds {rounds}"] = torch.from_numpy(score).float().view(shape)
    return scores


WIDTH = 8
STEPS = (5, 10, 20, 40)
RATE = 5e-3
DECAY = 0.1


def fit_student(train: Judged, held_out: Judged, seed: int) -> Settings:
    """The student's architecture, narrow, from scratch on these lists; settings are when to stop"""
    torch.manual_seed(seed)
    model = Student(train.tokens, width=WIDTH)
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    gain = gains(train)
    scores: Settings = {}
    for step in range(1, max(STEPS) + 1):
        optimiser.zero_grad()
        listwise(model(*train.batch).score, gain, train.batch.mask).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if step in STEPS:
            with torch.no_grad():
                scores[f"steps {step}"] = model(*held_out.batch).score
    return scores


def apply_zero_shot(train: Judged, held_out: Judged, seed: int) -> Settings:
    """The exported student as it is: nothing is trained"""
    return {"as exported": held_out.zero_shot}


class Model(NamedTuple):
    """A model of the comparison."""

    fit: Fit
    seeded: bool  # whether another seed gives another model


MODELS: dict[str, Model] = {
    "linear": Model(fit_linear, seeded=False),
    "lambdamart": Model(fit_lambdamart, seeded=True),
    "student from scratch": Model(fit_student, seeded=True),
    "student, zero-shot": Model(apply_zero_shot, seeded=False),
}
