"""Trains the models of one part of the study, each with several seeds, and leaves their scores of the test lists for the judge.

Nothing here reads the truth. `<runs>/<model>/seed-<n>/` holds scores.npy, clicks.npy (the probability of a click where the item stood),
run.json, log.txt and, of a whole model's seed 1, model.onnx. A run whose run.json says the same options is not repeated.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from armmt.study.models import (
    build,
    count,
    count_flops,
    export,
    fingerprint,
    size_of,
    some_of,
    stored_options,
    with_mixed_images,
    without_texts,
)
from armmt.study.outsider import Others, OutsiderOptions
from armmt.study.outsider import rank as rank_by_outsider
from armmt.study.plan import Run, member, runs_of, seeds_of
from armmt.study.schedule import Schedule, StudyError, Task
from armmt.study.tuning import TRIAL_PASSES, Search, Setting, propensities, read_tuning, tune, with_setting
from armmt.training.data import Lists, count_lists
from armmt.training.distill import DistilOptions, distil, ensemble
from armmt.training.fit import FitOptions, Fitted, fit, passes_over, score
from armmt.training.runtime import device, prepare, write_json
from armmt.training.train_trees import Columns, TreeOptions
from armmt.training.train_trees import fit as fit_trees
from armmt.training.train_trees import score as score_trees


@dataclass(frozen=True)
class Study:
    """Settings that all runs of a part share."""

    lists: Path
    runs: Path
    epochs: float
    share: float
    most_lists: int | None  # of training, for trials
    outsider: Path | None = None  # a Python that has allRank

    def folder(self, model: str, seed: int) -> Path:
        return self.runs / model / f"seed-{seed}"


Recipe = FitOptions | TreeOptions | DistilOptions | OutsiderOptions | None


def recipe(run: Run, study: Study, tuned: dict[str, Setting]) -> Recipe:
    chosen: dict[str, Any] = dict(tuned.get(run.architecture, {}))
    if run.kind == "trees":
        return with_setting(TreeOptions(seed=run.seed), chosen)
    if run.kind == "outsider":
        return replace(OutsiderOptions(seed=run.seed, passes=math.ceil(study.epochs)), **chosen)
    # A student serves shops that lack things; a teacher or a baseline is compared on lists that lack nothing.
    # So is any other pupil: it is taught as the student is.
    is_pupil = run.architecture == "student" or run.kind == "distilled"
    fit_options = FitOptions(epochs=study.epochs, seed=run.seed, examination=run.examination, neighbours=run.neighbours, dropout=is_pupil)
    if run.kind == "fitted":
        return replace(fit_options, **chosen)
    if run.kind == "distilled":
        return DistilOptions(fit=replace(fit_options, **{"rate": DistilOptions().fit.rate, **chosen}))
    return None


def options_of(run: Run, study: Study, tuned: dict[str, Setting], lists: str) -> dict[str, Any]:
    """All settings that decide a run's result, as run.json keeps them. `lists` is their fingerprint."""
    how = recipe(run, study, tuned)
    options: dict[str, Any] = {
        **{name: value for name, value in asdict(run).items() if name not in ("model", "seed", "hands_on")},
        "training": None if how is None else asdict(how),
        "size": size_of(run.architecture, run.components) if run.kind in ("fitted", "distilled") else 0,
        "share": study.share,
        "mostLists": study.most_lists,
        "lists": lists,
    }
    if run.members:
        options["members"] = [options_of(member(*each), study, tuned, lists) for each in run.members]
    return stored_options(options)


def is_done(run: Run, study: Study, options: dict[str, Any]) -> bool:
    """Whether the run is finished under the same options"""
    folder = study.folder(run.model, run.seed)
    path = folder / "run.json"
    if not path.exists() or (run.hands_on and not (folder / "targets.npy").exists()):
        return False
    return bool(json.loads(path.read_text())["options"] == options)


def open_lists(run: Run, study: Study, split: str) -> Lists:
    """A split as the run sees it"""
    lists = Lists(study.lists, split, images=run.images, where=device())
    if not run.texts:
        lists = without_texts(lists)
    if run.mixed_images:
        lists = with_mixed_images(lists)
    return some_of(lists, study.share, study.most_lists) if split == "train" else lists


def carry_out(run: Run, study: Study, how: Recipe, options: dict[str, Any]) -> None:
    """One run, from lists to run.json. run.json comes last: without it the run is not finished."""
    prepare(run.seed, threads=1)
    folder = study.folder(run.model, run.seed)
    (folder / "run.json").unlink(missing_ok=True)
    started = time.monotonic()
    if isinstance(how, TreeOptions):
        report = grow(run, study, how, folder)
    elif isinstance(how, OutsiderOptions):
        report = ask(study, run, how, folder)
    elif how is None:
        report = average(run, study, folder)
    else:
        report = train(run, study, how, folder)
    wall = round(time.monotonic() - started, 1)
    write_json(folder / "run.json", {"model": run.model, "seed": run.seed, **report, "wallSeconds": wall, "options": options})


def grow(run: Run, study: Study, how: TreeOptions, folder: Path) -> dict[str, Any]:
    lists, validation, test = (open_lists(run, study, split) for split in ("train", "validation", "test"))
    started = time.monotonic()
    columns = Columns(lists, torch.from_numpy(np.load(study.lists / "tokens.npy")))
    booster = fit_trees(lists, validation, columns, how)
    seconds = time.monotonic() - started
    np.save(folder / "scores.npy", score_trees(booster, test, columns))
    if run.hands_on:
        np.save(folder / "targets.npy", score_trees(booster, lists, columns))
    # A tree's numbers: a threshold per split and a value per leaf.
    numbers = sum(2 * tree["num_leaves"] - 1 for tree in booster.dump_model()["tree_info"])
    trained_on = min(len(lists), how.most_lists)
    return {
        "parameters": numbers,
        "tokenTable": 0,
        "trainLists": trained_on,
        "rounds": booster.best_iteration,
        "seconds": round(seconds, 1),
        "history": [],
    }


def ask(study: Study, run: Run, how: OutsiderOptions, folder: Path) -> dict[str, Any]:
    """A ranker by others"""
    lists, validation, test = (open_lists(run, study, split) for split in ("train", "validation", "test"))
    tokens = torch.from_numpy(np.load(study.lists / "tokens.npy"))
    scores, report = rank_by_outsider(study.outsider, lists, Others(validation, test), tokens, propensities(lists), how)
    np.save(folder / "scores.npy", scores)
    return {"tokenTable": 0, "trainLists": len(lists), "history": [], **report}


def average(run: Run, study: Study, folder: Path) -> dict[str, Any]:
    """The ensemble: no training, the mean of its members' z-scored scores"""
    test = open_lists(run, study, "test")
    folders = [study.folder(*each) for each in run.members]
    np.save(folder / "scores.npy", ensemble([np.load(each / "scores.npy") for each in folders], test.lengths.cpu()))
    if all((each / "clicks.npy").exists() for each in folders):  # trees give no probabilities
        np.save(folder / "clicks.npy", np.mean([np.load(each / "clicks.npy") for each in folders], axis=0, dtype=np.float32))
    reports = [json.loads((each / "run.json").read_text()) for each in folders]
    sums = {name: sum(report.get(name, 0) for report in reports) for name in ("parameters", "tokenTable", "flops")}
    seconds = round(sum(report["seconds"] for report in reports), 1)
    return {**sums, "trainLists": reports[0]["trainLists"], "seconds": seconds, "history": []}


def train(run: Run, study: Study, how: FitOptions | DistilOptions, folder: Path) -> dict[str, Any]:
    """A neural model, on labels or towards an ensemble"""
    lists, validation = open_lists(run, study, "train"), open_lists(run, study, "validation")
    model = build(run.architecture, torch.from_numpy(np.load(study.lists / "tokens.npy")), run.components)
    fitted: Fitted
    if isinstance(how, DistilOptions):
        scores = [np.load(study.folder(*each) / "targets.npy") for each in run.members]
        fitted = distil(model, lists, validation, ensemble(scores, lists.lengths.cpu()), how, label=run.name)
    else:
        fitted = fit(model, lists, validation, how, label=run.name)
    if run.hands_on:
        np.save(folder / "targets.npy", score(model, lists).score)
    scored = score(model, open_lists(run, study, "test"), fitted.examination if run.examination else None)
    np.save(folder / "scores.npy", scored.score)
    np.save(folder / "clicks.npy", scored.click)
    model.cpu()
    torch.save(model.state_dict(), folder / "model.pt")
    if run.seed == 1 and run.whole:
        export(model, folder / "model.onnx")
    parameters, table = count(model)
    return {
        "parameters": parameters,
        "tokenTable": table,
        "trainLists": len(lists),
        "seconds": round(fitted.seconds, 1),
        "flops": count_flops(model),
        "history": fitted.history,
        **({"examination": fitted.examination.curve()} if run.examination else {}),
    }


def say(line: str) -> None:
    print(line, flush=True)


def carry_out_all(runs: list[Run], study: Study, tuned: dict[str, Setting], workers: int) -> None:
    """All runs that are not done. Throws StudyError."""
    lists = fingerprint(study.lists)
    open_runs = []
    redone: set[tuple[str, int]] = set()
    for run in runs:
        options = options_of(run, study, tuned, lists)
        # A run that learns from a repeated run is repeated too.
        if not is_done(run, study, options) or any(each in redone for each in run.members):
            redone.add((run.model, run.seed))
            open_runs.append((run, options))
    say(f"{len(runs) - len(open_runs)} of {len(runs)} runs are done")
    tasks = [
        Task(
            key=(run.model, run.seed),
            name=run.name,
            group=run.model,
            work=carry_out,
            given=(run, study, recipe(run, study, tuned), options),
            log=study.folder(run.model, run.seed) / "log.txt",
            needs=frozenset(run.members),
        )
        for run, options in open_runs
    ]
    Schedule(tasks, workers, say).run()


def settle(runs: list[Run], study: Study, tuning: Path, again: bool, workers: int) -> dict[str, Setting]:
    """Tuned options of all the runs' architectures: from a file, which then has those that are searched now too"""
    known = {} if again else read_tuning(tuning)
    architectures = [name for name in dict.fromkeys(run.architecture for run in runs) if name not in known]
    search = Search(study.lists, study.runs, min(study.epochs, TRIAL_PASSES), study.most_lists, study.outsider)
    found = tune(architectures, search, lambda tasks: Schedule(tasks, workers, say), tuning) if architectures else {}
    return {**known, **found}


def scenarios(given: list[str], runs: Path) -> list[tuple[str, Path, Path]]:
    """--lists arguments -> (name that identifies a control, lists, runs). "name=folder" has its runs below <runs>/<name>."""
    found = []
    for argument in given:
        name, equals, folder = argument.partition("=")
        found.append((name, Path(folder), runs / name) if equals else (argument, Path(argument), runs))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", required=True, help='for instance "drawn table"')
    parser.add_argument("--lists", action="append", required=True, help="folder that `armmt lists` wrote, or name=folder; may be repeated")
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2, help="runs side by side, one thread each; on a GPU one after another")
    parser.add_argument("--seeds", type=int, help="seeds of each model; the part's own number when left out")
    parser.add_argument("--epochs", type=float, help="passes over the training lists; by their number when left out")
    parser.add_argument("--share", type=float, default=1.0, help="of the training lists")
    parser.add_argument("--most-lists", type=int, help="training lists at most, for trials")
    parser.add_argument("--models", nargs="+", help="only these, for trials")
    parser.add_argument(
        "--tuning", type=Path, help="JSON of known settings, which gets those that are searched (default: all, <runs>/tuning.json)"
    )
    parser.add_argument("--again", action="store_true", help="search all settings, known or not")
    parser.add_argument("--outsider", type=Path, help="a Python with the packages of model/outsider/requirements.txt, for allRank")
    a = parser.parse_args()
    try:
        seeds = a.seeds or seeds_of(a.part)
        for scenario, lists, runs_folder in scenarios(a.lists, a.runs):
            runs = [run for run in runs_of(a.part, seeds, scenario) if not a.models or run.model in a.models]
            runs_folder.mkdir(parents=True, exist_ok=True)
            epochs = a.epochs or passes_over(round(a.share * count_lists(lists, "train")))
            study = Study(lists, runs_folder, epochs, a.share, a.most_lists, a.outsider)
            tuning, again = (runs_folder / "tuning.json", True) if a.tuning is None else (a.tuning, a.again)
            carry_out_all(runs, study, settle(runs, study, tuning, again, a.workers), a.workers)
    except (StudyError, ValueError, FileNotFoundError) as error:
        parser.exit(1, f"armmt.study.train_part: {error}\n")


if __name__ == "__main__":
    main()
