"""The search for each model's options: as many settings for every model, a part of the training lists, validation clicks alone.

Settings are compared by a GAUC of logged clicks in which each click weighs the inverse of how often its position is clicked on lists
shown in random order (inverse propensity scoring, Joachims et al., arXiv:1608.04468): a model is not chosen for agreeing with the engine.
It needs no probabilities, so neural models and trees are judged alike. The test split is never opened here.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from armmt.model.backbone import WHOLE
from armmt.study.models import build, fingerprint, size_of, some_of
from armmt.study.outsider import OUTSIDER_GRID, Others, OutsiderOptions
from armmt.study.outsider import rank as rank_by_outsider
from armmt.study.schedule import Schedule, Task
from armmt.training.data import Lists
from armmt.training.fit import FitOptions, fit, score
from armmt.training.runtime import device, prepare, write_json
from armmt.training.train_trees import Columns, TreeOptions
from armmt.training.train_trees import fit as fit_trees
from armmt.training.train_trees import score as score_trees

SHARE = 0.15
TRIAL_PASSES = 1.0  # a trial must be cheap: there are six for every model
CRITERION = "GAUC of validation clicks, weighed by inverse propensity"
Setting = dict[str, float | str]
#: Six settings for every model: three rates times two of what else matters most.
NEURAL_GRID: list[Setting] = [{"rate": rate, "listwise": listwise} for rate in (1.5e-3, 3e-3, 6e-3) for listwise in (0.5, 2.0)]
TREE_GRID: list[Setting] = [{"rate": rate, "leaves": leaves} for rate in (0.03, 0.06, 0.12) for leaves in (15, 63)]
LEAST_PROPENSITY = 0.05
EDGES = torch.tensor([1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30])  # last position of each group; clicks far down are few

GRIDS: dict[str, list[Setting]] = {"lambdamart": TREE_GRID, "allrank": OUTSIDER_GRID}


def grid_of(architecture: str) -> list[Setting]:
    return [dict(setting) for setting in GRIDS.get(architecture, NEURAL_GRID)]


def propensities(lists: Lists) -> Tensor:
    """Clicks per showing on randomised lists, by position from 0 (nothing there), relative to the first -> [longest + 1]"""
    rows = lists.randomised.cpu()
    position, click = lists.position.cpu()[rows], lists.click.cpu()[rows]
    longest = int(lists.position.max())
    group = torch.bucketize(torch.arange(longest + 1), EDGES)
    shown = torch.zeros(len(EDGES) + 1).index_add_(0, group[position.flatten()], (position > 0).float().flatten())
    clicked = torch.zeros(len(EDGES) + 1).index_add_(0, group[position.flatten()], click.flatten())
    rate = (clicked + 0.01) / (shown + 1.0)
    return (rate / rate[0]).clamp(LEAST_PROPENSITY, 1.0)[group]


def weighted_gauc(scores: NDArray[np.float32], lists: Lists, propensity: Tensor) -> float:
    """Share of the other shown items that stand below a clicked one (a tie counts half), each click weighed by 1 / propensity"""
    above = below = 0.0
    everything = torch.from_numpy(scores)
    for rows in torch.split(torch.arange(len(lists)), 512):
        position = lists.position.cpu()[rows]
        shown = (position > 0).float()
        weight = lists.click.cpu()[rows] * shown / propensity[position]
        of = everything[rows, : position.shape[1]]
        gap = of.unsqueeze(2) - of.unsqueeze(1)
        beaten = (((gap > 0).float() + 0.5 * (gap == 0).float()) * shown.unsqueeze(1)).sum(2) - 0.5  # not itself
        others = shown.sum(1, keepdim=True) - 1.0
        weight = weight * (others > 0)
        above += float((weight * beaten / others.clamp(min=1.0)).sum())
        below += float(weight.sum())
    return above / max(below, 1e-9)


@dataclass(frozen=True)
class Trial:
    """One setting of one model."""

    architecture: str
    index: int
    setting: tuple[tuple[str, float | str], ...]
    lists: Path
    out: Path  # JSON
    epochs: float
    most_lists: int | None
    outsider: Path | None  # a Python that has allRank


def attempt_all(trials: tuple[Trial, ...]) -> None:
    """Trials of one model over the same lists, which are read once"""
    folder, where = trials[0].lists, device()
    everything, validation = Lists(folder, "train", where=where), Lists(folder, "validation", where=where)
    part = some_of(everything, SHARE, trials[0].most_lists)
    propensity = propensities(everything)
    for trial in trials:
        prepare(1, threads=1)
        started = time.monotonic()
        scores, notes = attempt(trial, part, validation, propensity)
        gauc = round(weighted_gauc(scores, validation, propensity), 5)
        write_json(trial.out, {**key_of(trial), "gauc": gauc, **notes, "seconds": round(time.monotonic() - started, 1)})


def attempt(trial: Trial, lists: Lists, validation: Lists, propensity: Tensor) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Trains with one setting -> scores of the validation lists, what else to note"""
    vectors = torch.from_numpy(np.load(trial.lists / "tokens.npy"))
    setting: dict[str, Any] = dict(trial.setting)
    if trial.architecture == "lambdamart":
        columns = Columns(lists, vectors)
        booster = fit_trees(lists, validation, columns, with_setting(TreeOptions(), setting))
        return score_trees(booster, validation, columns), {"rounds": booster.best_iteration}
    if trial.architecture == "allrank":
        options = replace(OutsiderOptions(passes=math.ceil(trial.epochs)), **setting)
        return rank_by_outsider(trial.outsider, lists, Others(validation, validation), vectors, propensity, options)
    model = build(trial.architecture, vectors)
    fitted = fit(model, lists, validation, replace(FitOptions(epochs=trial.epochs), **setting), label=trial.architecture)
    return score(model, validation).score, {"validation": fitted.history[-1]}


def with_setting(options: TreeOptions, setting: Setting) -> TreeOptions:
    """The setting's numbers come from JSON, where a count of leaves may be a float"""
    return replace(options, rate=float(setting.get("rate", options.rate)), leaves=int(setting.get("leaves", options.leaves)))


def key_of(trial: Trial) -> dict[str, Any]:
    """All settings that decide a trial's result"""
    return {
        "setting": dict(trial.setting),
        "size": 0 if trial.architecture in GRIDS else size_of(trial.architecture, WHOLE),
        "lists": fingerprint(trial.lists),
        "epochs": trial.epochs,
        "mostLists": trial.most_lists,
    }


def is_done(trial: Trial) -> bool:
    if not trial.out.exists():
        return False
    known = json.loads(trial.out.read_text())
    return all(known.get(name) == value for name, value in key_of(trial).items())


@dataclass(frozen=True)
class Search:
    """Folders and sizes of the trials."""

    lists: Path
    runs: Path
    epochs: float
    most_lists: int | None
    outsider: Path | None = None

    def trials(self, architecture: str) -> list[Trial]:
        """One per setting"""
        out = self.runs / "tuning"
        return [
            Trial(
                architecture,
                i,
                tuple(setting.items()),
                self.lists,
                out / f"{architecture}-{i}.json",
                self.epochs,
                self.most_lists,
                self.outsider,
            )
            for i, setting in enumerate(grid_of(architecture), 1)
        ]

    def task(self, trials: list[Trial]) -> Task:
        """Trials of one architecture, in one process"""
        name = trials[0].architecture
        log = self.runs / "tuning" / f"{name}.log"
        return Task(name, f"tuning {name}, {len(trials)} settings", name, attempt_all, (tuple(trials),), log)


def tune(architectures: list[str], search: Search, make: Callable[[list[Task]], Schedule], path: Path) -> dict[str, Setting]:
    """The best setting of each architecture, tried now or before; leaves all in `path`. `make` schedules tasks."""
    trials = {name: search.trials(name) for name in architectures}
    untried = [[trial for trial in each if not is_done(trial)] for each in trials.values()]
    make([search.task(each) for each in untried if each]).run()
    return keep(trials, path)


def keep(trials: dict[str, list[Trial]], path: Path) -> dict[str, Setting]:
    """Writes every trial and the chosen ones, beside those of other models that are there"""
    known: dict[str, Any] = json.loads(path.read_text())["models"] if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    for name, each in trials.items():
        tried = [json.loads(trial.out.read_text()) for trial in each]
        known[name] = {"chosen": max(tried, key=lambda trial: float(trial["gauc"]))["setting"], "trials": tried}
    write_json(path, {"criterion": CRITERION, "share": SHARE, "models": known})
    return {name: known[name]["chosen"] for name in trials}


def read_tuning(path: Path) -> dict[str, Setting]:
    """The chosen settings of a tuning.json; none where there is no such file"""
    if not path.exists():
        return {}
    return {name: entry["chosen"] for name, entry in json.loads(path.read_text())["models"].items()}
