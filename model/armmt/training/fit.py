"""One training loop for every model of the study, so that they differ in architecture and in nothing else.

L = L_click + w_list L_list + w_buy L_purchase + w_aux L_aux, all against logged clicks and purchases at shown positions; the examination
tower takes the position's part, the neighbours' tower that of what stood above. One process, or several under torchrun: each takes its
rows of every batch, gradients are averaged, and because every loss is a mean over lists the sum is the same.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from armmt.model.contract import ListBatch
from armmt.model.ranker import Predictions, Ranker, ranking_score
from armmt.training.data import Labels, Lists, modality_dropout
from armmt.training.examination import Examination
from armmt.training.losses import examined_click, listwise_click, purchase_given_click
from armmt.training.neighbours import Neighbours
from armmt.training.runtime import Workers, alone, device, progress

TOWER_RATE = 0.05
#: As many passes, and lists read over all of them, as a shop's own training has at most (src/cli/train/recipe.ts).
MOST_PASSES = 4.0
MOST_READINGS = 250_000


@dataclass(frozen=True)
class FitOptions:
    """Options of training, besides the model and the lists."""

    epochs: float = 1.0  # may be a fraction: 0.5 is half a pass
    batch: int = 64  # lists per step, over all processes
    rate: float = 3e-3  # peak of the one-cycle schedule
    decay: float = 1e-2
    seed: int = 1
    listwise: float = 2.0
    purchase: float = 0.5
    auxiliary: float = 0.2
    auxiliary_on: str = "clicks"  # or "purchases", the main target
    examination: bool = True  # False: clicks are taken as they are
    neighbours: bool = True  # False: no effect of the items above
    dropout: bool = False  # modality dropout: for models that serve shops without pictures, prices or histories


def passes_over(lists: int) -> float:
    """How often a network reads so many training lists, by docs/design/training-recipe.md"""
    return min(MOST_PASSES, MOST_READINGS / max(lists, 1))


class Fitted(NamedTuple):
    """Result of training besides the weights."""

    examination: Examination
    history: list[dict[str, float]]
    seconds: float


class Trained(nn.Module):
    """The model with the towers that explain a log's clicks: one module, so that one wrapper averages all gradients."""

    def __init__(self, model: Ranker, options: FitOptions) -> None:
        super().__init__()
        self.model = model
        self.examination = Examination()
        self.neighbours = Neighbours() if options.neighbours else None
        self.options = options

    def forward(self, batch: ListBatch, labels: Labels) -> dict[str, Tensor]:
        """Loss terms, each a mean over lists, and their weighted sum "loss" """
        return self.terms(self.model.predict(batch, labels.prior), batch, labels)

    def terms(self, predictions: Predictions, batch: ListBatch, labels: Labels) -> dict[str, Tensor]:
        """The same of predictions that are at hand"""
        options = self.options
        shown = (labels.position > 0).float() * batch.mask
        examined = self.examination(labels.position)
        if not options.examination:
            examined = examined * 0.0 + 20.0  # certain, and the tower still has a (zero) gradient
        if self.neighbours is not None:
            predictions = minus_neighbour_effect(predictions, self.neighbours(batch, labels.position))
        terms = {
            "click": examined_click(predictions.click, examined, labels.click, shown),
            "listwise": listwise_click(predictions.click, examined, labels.gain, shown),
        }
        loss = terms["click"] + options.listwise * terms["listwise"]
        if predictions.purchase is not None:
            terms["purchase"] = purchase_given_click(predictions.purchase, labels.purchase, labels.click)
            loss = loss + options.purchase * terms["purchase"]
        if predictions.auxiliary is not None:
            is_click = options.auxiliary_on == "clicks"
            happened, gain = (labels.click, labels.gain) if is_click else (labels.purchase, labels.purchase)
            terms["auxiliary"] = examined_click(
                predictions.auxiliary, examined.detach(), happened, shown
            ) + options.listwise * listwise_click(predictions.auxiliary, examined, gain, shown)
            loss = loss + options.auxiliary * terms["auxiliary"]
        return {"loss": loss, **terms}


def minus_neighbour_effect(predictions: Predictions, less: Tensor) -> Predictions:
    """Predictions of the shown list: `less` [B, K] off every logit. The auxiliary task does not train the neighbours' tower."""
    return Predictions(
        predictions.click - less,
        None if predictions.purchase is None else predictions.purchase - less,
        None if predictions.auxiliary is None else predictions.auxiliary - less.detach(),
    )


def optimiser_of(trained: Trained, options: FitOptions, steps: int) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """AdamW under a one-cycle schedule"""
    towers = set(trained.examination.parameters())
    if trained.neighbours is not None:
        towers.update(trained.neighbours.scalars())
    groups: list[dict[str, Any]] = [
        {"params": [p for p in trained.parameters() if p not in towers]},
        # A few numbers that every list informs: they may move fast, and nothing pulls them to zero.
        {"params": [p for p in trained.parameters() if p in towers], "weight_decay": 0.0},
    ]
    rates = [options.rate, TOWER_RATE]
    optimiser = torch.optim.AdamW(groups, lr=options.rate, weight_decay=options.decay, fused=True)
    return optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=steps + 1, pct_start=0.15)


class Step(NamedTuple):
    """One batch of training."""

    rows: Tensor  # [B] of the training lists
    batch: ListBatch  # after modality dropout
    labels: Labels
    done: float  # share of all steps before this one, 0..1


def fit(
    model: Ranker, lists: Lists, validation: Lists, options: FitOptions, workers: Workers | None = None, label: str = "Training"
) -> Fitted:
    """Trains `model` in place on logged labels."""
    workers = workers or alone()
    trained = Trained(model, options).to(device())
    step_module: nn.Module = workers.wrap(trained)

    def loss(step: Step) -> Tensor:
        terms: dict[str, Tensor] = step_module(*workers.share(step.batch, step.labels))
        return terms["loss"]

    return minimise(loss, trained, lists, validation, label, quiet=workers.rank > 0)


def minimise(loss: Callable[[Step], Tensor], trained: Trained, lists: Lists, validation: Lists, label: str, quiet: bool = False) -> Fitted:
    """Trains the parameters of `trained` for a fixed number of steps. Validation losses are recorded; nothing is selected by them."""
    options = trained.options
    generator = torch.Generator().manual_seed(options.seed)
    steps = max(1, round(options.epochs * math.ceil(len(lists) / options.batch)))
    optimiser, schedule = optimiser_of(trained, options, steps)
    bar = progress(steps, label, quiet=quiet)
    started = time.monotonic()
    history = [{"step": 0, **validation_loss(trained, validation)}]
    trained.train()
    done = 0
    while done < steps:
        for rows in lists.epoch(options.batch, generator):
            if done == steps:
                break
            batch, labels = lists.batch(rows)
            if options.dropout:
                batch = modality_dropout(batch, generator)
            value = loss(Step(rows, batch, labels, done / steps))
            optimiser.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(trained.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            done += 1
            bar.update()
        history.append({"step": done, **validation_loss(trained, validation)})
        bar.write(f"{label}: {history[-1]}")
    bar.close()
    return Fitted(trained.examination, history, time.monotonic() - started)


def validation_loss(trained: Trained, lists: Lists, size: int = 256, most: int = 4000) -> dict[str, float]:
    """Mean loss terms over the first `most` lists of a split, without dropout, rounded to 5 decimals"""
    trained.eval()
    sums: dict[str, float] = {}
    count = min(most, len(lists))
    with torch.no_grad():
        for rows in torch.split(torch.arange(count), size):
            for name, value in trained(*lists.batch(rows)).items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(rows)
    trained.train()
    return {name: round(value / max(count, 1), 5) for name, value in sums.items()}


class Scored(NamedTuple):
    """Scores of one split, rows as in lists.parquet, zero where padded."""

    score: NDArray[np.float32]  # [N, K], what orders the list
    click: NDArray[np.float32]  # [N, K], P(click) at the position where the item was shown


def score(model: Ranker, lists: Lists, examination: Examination | None = None, size: int = 256) -> Scored:
    """Scores every list of a split, without dropout"""
    model.eval()
    widest = lists.items.shape[1]
    scores = np.zeros((len(lists), widest), dtype=np.float32)
    clicks = np.zeros_like(scores)
    order = lists.lengths.argsort(stable=True)  # like lengths together: little padding
    with torch.no_grad():
        for rows in torch.split(order, size):
            batch, labels = lists.batch(rows)
            predictions = model.predict(batch, labels.prior)
            k = batch.mask.shape[1]
            scores[rows.numpy(), :k] = (ranking_score(predictions) * batch.mask).cpu().numpy()
            log_p = F.logsigmoid(predictions.click)
            if examination is not None:
                log_p = log_p + F.logsigmoid(examination(labels.position))
            clicks[rows.numpy(), :k] = (log_p.exp() * batch.mask * (labels.position > 0)).cpu().numpy()
    return Scored(scores, clicks)
