"""Position bias: what a ranker trained on biased clicks loses, and what the examination tower gives back.

Five ways to train the same teacher, each with several seeds, all scored on the same test lists:
- position-tower: biased clicks, examination learned beside the ranker;
- position-naive: biased clicks, taken as they are;
- position-known: biased clicks, each weighted by the inverse of the true P(examined), which no shop knows (needs --true-curve);
- position-unbiased: clicks of the same simulated searches when every position is examined;
- position-thinned: those clicks, a random share of them wherever they stood, so that there are as many as in the biased log. Where every
  position is examined there are more clicks to learn from; this log differs from the biased one by the bias alone.

`<out>/runs/<model>/seed-<n>/` holds runs as the judge reads them, `<out>/examination.json` every estimate of the curve. A run whose
run.json says the same options is not repeated. Nothing here reads the truth but the curve that is given.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from torch import Tensor

from armmt.model.contract import ListBatch
from armmt.model.teacher import DEPTH, WIDTH, Teacher
from armmt.study.models import count, count_flops, fingerprint, some_of, stored_options
from armmt.study.propensity import Curve, Floats, aggregate, mean_by_key, randomised_curve, regression_em
from armmt.study.schedule import Schedule, StudyError, Task
from armmt.training.data import Labels, Lists, padded
from armmt.training.examination import Examination
from armmt.training.fit import FitOptions, fit, score
from armmt.training.runtime import device, prepare, write_json

TOWER, NAIVE, KNOWN, UNBIASED, THINNED = MODELS = (
    "position-tower",
    "position-naive",
    "position-known",
    "position-unbiased",
    "position-thinned",
)
#: Trained on the log in which every position is examined.
WITHOUT_BIAS = (UNBIASED, THINNED)
POSITIONS = 10


@dataclass(frozen=True)
class Trial:
    """Settings that all runs share."""

    biased: Path
    unbiased: Path
    out: Path
    epochs: float = 2.0
    share: float = 1.0  # of the training lists
    width: int = WIDTH
    depth: int = DEPTH
    true_curve: tuple[float, ...] = ()  # P(examined) from position 1, the last one for all that follow

    def folder(self, model: str, seed: int) -> Path:
        return self.out / "runs" / model / f"seed-{seed}"

    def log(self, model: str) -> Path:
        """The lists that a model learns from"""
        return self.unbiased if model in WITHOUT_BIAS else self.biased


class Weighted(Lists):
    """Lists whose clicks count the inverse of P(examined), relative to position 1: on average, the clicks of a log in which every position
    is examined like the first."""

    def __init__(self, lists: Lists, curve: Floats) -> None:
        vars(self).update(vars(lists))
        relative = torch.tensor(curve / curve[0], dtype=torch.float32, device=lists.where)
        self.weight = 1.0 / relative[(lists.position - 1).clamp(0, len(relative) - 1)]  # [N, K]

    def batch(self, rows: Tensor) -> tuple[ListBatch, Labels]:
        """As of Lists. A purchase is judged among clicks, so the click's weight is its weight too."""
        batch, labels = super().batch(rows)
        weight = self.weight[rows, : labels.click.shape[1]]
        return batch, labels._replace(click=labels.click * weight, gain=labels.gain * weight)


class Thinned(Lists):
    """Lists of which every click, with the cart and purchase that followed, is kept by the same chance: the log of shoppers who examine all
    positions alike, and none for certain. Another seed keeps other clicks."""

    def __init__(self, lists: Lists, share: float, seed: int) -> None:
        vars(self).update(vars(lists))
        generator = torch.Generator().manual_seed(seed)
        kept = (torch.rand(lists.click.shape, generator=generator) < share).float().to(lists.where)
        self.click, self.cart, self.purchase = lists.click * kept, lists.cart * kept, lists.purchase * kept


def count_clicks(folder: Path) -> int:
    table = pq.read_table(folder / "lists.parquet", columns=["clicks"], filters=[("split", "==", "train")])
    return int(padded(table, "clicks")[0].sum())


def mean_examination(biased: Path, unbiased: Path) -> float:
    """Clicks of the biased log over those of the log in which every position is examined. Throws ValueError above 1."""
    share = count_clicks(biased) / max(count_clicks(unbiased), 1)
    if share > 1:
        raise ValueError(f"{biased} has more clicks than {unbiased}: in the second every position must be examined")
    return share


def fit_options(model: str, trial: Trial, seed: int) -> FitOptions:
    """Only the tower's run has an examination tower; what stood above is accounted for in all"""
    return FitOptions(epochs=trial.epochs, seed=seed, examination=model == TOWER)


def options_of(model: str, trial: Trial, seed: int) -> dict[str, Any]:
    """All settings that decide a run's result, as run.json keeps them"""
    return stored_options(
        {
            "training": asdict(fit_options(model, trial, seed)),
            "share": trial.share,
            "width": trial.width,
            "depth": trial.depth,
            "lists": fingerprint(trial.log(model)),
            "test": fingerprint(trial.biased),
            "thinned": model == THINNED,
            "trueCurve": list(trial.true_curve) if model == KNOWN else None,
        }
    )


def is_done(folder: Path, options: dict[str, Any]) -> bool:
    """Whether the run is finished under the same options"""
    path = folder / "run.json"
    return path.exists() and bool(json.loads(path.read_text())["options"] == options)


def open_lists(model: str, trial: Trial, split: str, seed: int) -> Lists:
    """A split with the labels that the model learns from"""
    lists = Lists(trial.log(model), split, where=device())
    if split == "train":
        lists = some_of(lists, trial.share)
    if model == THINNED:
        return Thinned(lists, mean_examination(trial.biased, trial.unbiased), seed)
    return Weighted(lists, np.asarray(trial.true_curve)) if model == KNOWN else lists


def tower_of(curve: Floats) -> Examination:
    """A tower that says this curve, relative to position 1"""
    tower = Examination()
    relative = np.clip(curve / curve[0], 1e-4, 1 - 1e-4)
    extended = np.concatenate([relative, np.full(max(0, len(tower.logit) - len(relative)), relative[-1])])[: len(tower.logit)]
    with torch.no_grad():
        tower.logit.copy_(torch.logit(torch.from_numpy(extended).float()))
    return tower.to(device())


def carry_out(model: str, trial: Trial, seed: int, options: dict[str, Any]) -> None:
    """One run. run.json comes last: without it the run is not finished."""
    prepare(seed, threads=1)
    folder = trial.folder(model, seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").unlink(missing_ok=True)
    lists, validation = (open_lists(model, trial, split, seed) for split in ("train", "validation"))
    teacher = Teacher(torch.from_numpy(np.load(trial.log(model) / "tokens.npy")), trial.width, trial.depth)
    fitted = fit(teacher, lists, validation, fit_options(model, trial, seed), label=f"{model} seed-{seed}")
    examination = {TOWER: fitted.examination, KNOWN: tower_of(np.asarray(trial.true_curve)) if model == KNOWN else None}.get(model)
    scored = score(teacher, Lists(trial.biased, "test", where=device()), examination)
    np.save(folder / "scores.npy", scored.score)
    np.save(folder / "clicks.npy", scored.click)
    parameters, table = count(teacher.cpu())
    report = {
        "model": model,
        "seed": seed,
        "parameters": parameters,
        "tokenTable": table,
        "trainLists": len(lists),
        "trainClicks": int(lists.click.sum()),
        "seconds": round(fitted.seconds, 1),
        "flops": count_flops(teacher),
        "history": fitted.history,
        **({"examination": fitted.examination.curve(POSITIONS)} if model == TOWER else {}),
        "options": options,
    }
    write_json(folder / "run.json", report)


def check_pair(biased: Path, unbiased: Path) -> None:
    """Throws ValueError unless both folders hold the same searches with the same candidates, differing in clicks alone"""
    a, b = Lists(biased, "test"), Lists(unbiased, "test")
    if a.query_ids != b.query_ids or not torch.equal(a.items, b.items):
        raise ValueError(f"{biased} and {unbiased} hold other test searches or candidates: make both with the same seed and sizes")
    if not torch.equal(a.image, b.image) or not torch.equal(a.text, b.text):
        raise ValueError(f"{biased} and {unbiased} hold other item vectors")
    for one, other in zip(a.meta["features"], b.meta["features"], strict=True):
        if not np.allclose([one["mean"], one["std"]], [other["mean"], other["std"]], rtol=1e-3, atol=1e-6):
            raise ValueError(f'{biased} and {unbiased} scale the feature "{one["name"]}" in different ways')


def errors(curve: Floats, truth: Floats) -> dict[str, float]:
    """Over positions 2 to n, both curves relative to position 1, where they agree by construction"""
    one, other = curve / curve[0], truth / truth[0]
    gap = np.abs(one - other)[1:]
    return {"meanAbsoluteError": round(float(gap.mean()), 5), "meanRelativeError": round(float((gap / other[1:]).mean()), 5)}


def curve_on_shuffled(lists: Lists) -> Curve:
    """The randomised estimator on those training lists that were shown shuffled"""
    rows = lists.randomised
    return randomised_curve(lists.position[rows].cpu().numpy(), lists.click[rows].cpu().numpy(), POSITIONS)


def curve_by_em(lists: Lists) -> Floats:
    """Regression-EM over all training lists; relevance is a mean per engine rank. [POSITIONS]

    Lists in engine order tell a rank's relevance times its position's examination, shuffled ones take the two apart. A mean per (query,
    item) would be closer to the method's first use, but most pairs are shown too seldom here.
    """
    position = lists.position.cpu().numpy()
    rank = np.broadcast_to(np.arange(position.shape[1]), position.shape)
    cells = aggregate(position, lists.click.cpu().numpy(), rank, POSITIONS)
    return regression_em(cells, mean_by_key(cells.key)).relative()


def estimates(trial: Trial, seeds: int) -> dict[str, Any]:
    """Every estimate of the curve, relative to position 1, with its error where the truth is given"""
    lists = some_of(Lists(trial.biased, "train"), trial.share)
    padded = [*trial.true_curve, *trial.true_curve[-1:] * POSITIONS][:POSITIONS]
    truth = np.asarray(padded) if padded else None

    def judged(curve: Floats) -> dict[str, Any]:
        relative = [round(float(value), 5) for value in curve / curve[0]]
        return {"share": relative, **(errors(curve, truth) if truth is not None else {})}

    learned = []
    for seed in range(1, seeds + 1):
        report = json.loads((trial.folder(TOWER, seed) / "run.json").read_text())
        learned.append(np.asarray(report["examination"]))
    shuffled = curve_on_shuffled(lists)
    return {
        "positions": POSITIONS,
        "errorsOver": f"positions 2 to {POSITIONS}, relative to position 1",
        "true": None if truth is None else [round(float(value), 5) for value in truth / truth[0]],
        "tower": {"seeds": [{"seed": i + 1, **judged(curve)} for i, curve in enumerate(learned)], "mean": judged(np.mean(learned, axis=0))},
        "randomised": {
            "lists": int(lists.randomised.sum()),
            **judged(shuffled.share),
            "low": [round(float(value), 5) for value in shuffled.low],
            "high": [round(float(value), 5) for value in shuffled.high],
            "shown": shuffled.shown.tolist(),
            "clicks": shuffled.clicks.tolist(),
        },
        "regressionEm": judged(curve_by_em(lists)),
    }


def say(line: str) -> None:
    print(line, flush=True)


def run_all(trial: Trial, models: list[str], seeds: int, workers: int) -> None:
    """All runs that are not done, then examination.json. Throws StudyError, ValueError."""
    if any(model in WITHOUT_BIAS for model in models):
        check_pair(trial.biased, trial.unbiased)
    tasks = []
    for seed in range(1, seeds + 1):
        for model in models:
            options = options_of(model, trial, seed)
            folder = trial.folder(model, seed)
            if not is_done(folder, options):
                name = f"{model} seed-{seed}"
                tasks.append(Task((model, seed), name, model, carry_out, (model, trial, seed, options), folder / "log.txt"))
    say(f"{len(models) * seeds - len(tasks)} of {len(models) * seeds} runs are done")
    Schedule(tasks, workers, say).run()
    if TOWER in models:
        write_json(trial.out / "examination.json", estimates(trial, seeds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lists", type=Path, required=True, help="folder that `armmt lists` wrote, clicks of the position-based model")
    parser.add_argument("--unbiased", type=Path, help="the same searches with every position examined; without it two models are left out")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2, help="runs side by side, one thread each")
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--share", type=float, default=1.0, help="of the training lists")
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--depth", type=int, default=DEPTH)
    parser.add_argument(
        "--true-curve", type=float, nargs="+", default=[], help="P(examined) from position 1 on; for position-known and errors"
    )
    a = parser.parse_args()
    if any(not 0 < value <= 1 for value in a.true_curve):
        parser.error("--true-curve takes probabilities above 0")
    trial = Trial(a.lists, a.unbiased or a.lists, a.out, a.epochs, a.share, a.width, a.depth)
    models = [model for model in MODELS if (model not in WITHOUT_BIAS or a.unbiased) and (model != KNOWN or a.true_curve)]
    try:
        run_all(replace(trial, true_curve=tuple(a.true_curve)), models, a.seeds, a.workers)
    except (StudyError, ValueError, FileNotFoundError) as error:
        parser.exit(1, f"armmt.study.position_bias: {error}\n")


if __name__ == "__main__":
    main()
