"""Distils the teachers that `armmt.training.train_teachers` left into the student, and exports it."""

from __future__ import annotations

import argparse
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from armmt.model.backbone import WHOLE, Components
from armmt.model.export import export_student
from armmt.model.student import Student, StudentRanker, count_parameters
from armmt.training.data import Lists
from armmt.training.distill import DistilOptions, agreement, distil, ensemble
from armmt.training.fit import score
from armmt.training.runtime import device, prepare, write_json


def train_student(
    folder: Path, out: Path, options: DistilOptions, version: str, trained_on: str, components: Components = WHOLE
) -> Student:
    """Writes student.pt, student.json and the exported model."""
    prepare(options.fit.seed, threads=2)
    where = device()
    lists, validation = Lists(folder, "train", where=where), Lists(folder, "validation", where=where)
    token_vectors = torch.from_numpy(np.load(folder / "tokens.npy"))
    teachers = [path.stem.removeprefix("teacher-") for path in sorted(out.glob("teacher-*.json"))]  # nets, and trees
    if not teachers:
        raise FileNotFoundError(f"{out} holds no teacher-*.json: run armmt.training.train_teachers first")
    targets = ensemble([np.load(out / f"targets-{name}.npy") for name in teachers], lists.lengths)
    ranker = StudentRanker(Student(token_vectors, components=components))
    fitted = distil(ranker, lists, validation, targets, options)
    theirs = ensemble([np.load(out / f"validation-{name}.npy") for name in teachers], validation.lengths)
    agreed = {name: round(value, 4) for name, value in agreement(score(ranker, validation), theirs, validation.lengths).items()}
    student = ranker.student.cpu()
    torch.save(student.state_dict(), out / "student.pt")
    total, table = count_parameters(student)
    write_json(
        out / "student.json",
        {
            "lists": len(lists),
            "teachers": len(teachers),
            "parameters": total,
            "tokenTable": table,
            "seconds": round(fitted.seconds, 1),
            "examination": fitted.examination.curve(),
            "validation": agreed,
            "components": asdict(components),
        },
    )
    export_student(student, out, describe(lists.meta, f"{trained_on}, {len(lists)} lists", agreed, version))
    return student


def describe(meta: dict[str, Any], trained_on: str, agreed: dict[str, float], version: str) -> dict[str, Any]:
    """The manifest's fields that training knows; `armmt model` adds the figures of the evaluation"""
    return {
        "version": version,
        "features": meta["features"],
        "imageEncoder": meta["identity"]["imageEncoder"],
        "textEncoder": meta["identity"]["textEncoder"],
        "trainedOn": trained_on,
        "metrics": {f"teacher agreement, {name}": value for name, value in agreed.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lists", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="where armmt.training.train_teachers left its teachers")
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--version", required=True, help="name of the model in its manifest")
    parser.add_argument("--trained-on", required=True, help="what the lists come from, for the manifest")
    names = [field.name for field in fields(Components)]
    parser.add_argument("--without", choices=names, nargs="+", default=[], help="pieces that are off: the graph is smaller by them")
    parser.add_argument("--with", choices=names, nargs="+", default=[], dest="added", help="pieces that are on")
    a = parser.parse_args()
    components = replace(WHOLE, **dict.fromkeys(a.without, False), **dict.fromkeys(a.added, True))
    options = DistilOptions()
    options = replace(options, fit=replace(options.fit, epochs=a.epochs, batch=a.batch, seed=a.seed))
    train_student(a.lists, a.out, options, a.version, a.trained_on, components)


if __name__ == "__main__":
    main()
