"""The study's plan, its schedule and its runs on the small made-up world."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from armmt.model.backbone import WHOLE
from armmt.study.models import fingerprint, some_of, with_mixed_images, without_texts
from armmt.study.plan import Run, lesser_teacher, members, runs_of
from armmt.study.schedule import Schedule, StudyError, Task
from armmt.study.train_part import Study, carry_out, is_done, options_of, recipe
from armmt.training.data import Lists
from armmt.training.distill import ensemble


@pytest.fixture(scope="module")
def folder(lists_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small world with test lists, and some lists in random order"""
    out = tmp_path_factory.mktemp("study")
    for file in lists_folder.iterdir():
        (out / file.name).write_bytes(file.read_bytes())
    table = pq.read_table(out / "lists.parquet")
    splits = ["test" if i % 5 == 1 else split for i, split in enumerate(table["split"].to_pylist())]
    table = table.set_column(table.schema.get_field_index("split"), "split", pa.array(splits))
    table = table.set_column(table.schema.get_field_index("randomised"), "randomised", pa.array([i % 4 == 0 for i in range(len(table))]))
    pq.write_table(table, out / "lists.parquet")
    return out


def study_of(folder: Path, runs: Path) -> Study:
    return Study(folder, runs, epochs=2.0, share=1.0, most_lists=None)


def run_here(run: Run, study: Study) -> Path:
    """One run in this process -> its folder"""
    out = study.folder(run.model, run.seed)
    out.mkdir(parents=True, exist_ok=True)
    carry_out(run, study, recipe(run, study, {}), options_of(run, study, {}, fingerprint(study.lists)))
    return out


def test_the_table_has_every_model_with_every_seed() -> None:
    runs = runs_of("drawn table", 5)
    models = {run.model for run in runs}
    assert models == {
        *("pointwise", "lambdamart", "dlcm", "prm", "setrank"),
        *("teacher", "teacher-ensemble", "teacher-no-image", "student", "student-labels"),
        *("tree-and-nets", "student-of-tree-and-nets", "pointwise-ensemble", "pointwise-distilled", "pointwise-of-teachers"),
    }
    assert set(Counter((run.model, run.seed) for run in runs).values()) == {1}
    assert len(runs) == 5 * len(models)


def test_students_come_after_the_teachers_they_need() -> None:
    runs = runs_of("fashion table", 4)
    for i, run in enumerate(runs):
        earlier = {(other.model, other.seed) for other in runs[:i] if other.hands_on}
        assert set(run.members) <= earlier


def test_ensembles_go_round_the_seeds() -> None:
    rounds = [[seed for _, seed in members("teacher", first, 5)] for first in (1, 4, 5)]
    assert rounds == [[1, 2, 3], [1, 4, 5], [1, 2, 5]]
    assert members("pointwise", 2, 2) == (("pointwise", 1), ("pointwise", 2))
    assert members("teacher", 1, 1) == (("teacher", 1),)


def test_an_ablation_takes_one_thing_away() -> None:
    assert lesser_teacher("no-surroundings", 1).components == replace(WHOLE, surroundings=False)
    assert not lesser_teacher("no-image", 1).images
    assert lesser_teacher("no-matching-image", 1).mixed_images
    assert not lesser_teacher("no-examination", 1).examination
    models = {run.model for run in runs_of("fashion ablations", 3)}
    assert {run.components for run in runs_of("fashion ablations", 1) if "-with-" in run.model} == {
        replace(WHOLE, histograms=True),
        replace(WHOLE, mpsa=True),
    }
    assert {"teacher", "teacher-no-cafu", "teacher-no-context", "teacher-no-personal", "teacher-no-auxiliary"} <= models
    with pytest.raises(TypeError, match="horoscope"):
        lesser_teacher("no-horoscope", 1)


def test_a_control_is_told_by_its_lists() -> None:
    pictures = {run.model for run in runs_of("drawn controls", 2, "data/drawn-without-picture/lists")}
    assert pictures == {"teacher", "teacher-no-image", "teacher-no-matching-image"}
    assert {run.model for run in runs_of("drawn controls", 2, "without-context")} == {"teacher", "teacher-no-surroundings"}
    with pytest.raises(ValueError, match="without-personal"):
        runs_of("drawn controls", 2, "data/drawn/lists")


def test_a_part_without_runs_is_refused() -> None:
    with pytest.raises(ValueError, match="horoscope"):
        runs_of("drawn horoscope", 2)


def test_part_of_the_lists_is_always_the_same_part(folder: Path) -> None:
    lists = Lists(folder, "train")
    part = some_of(lists, 0.25)
    assert len(part) == len(part.query_ids) == round(0.25 * len(lists))
    row = lists.query_ids.index(part.query_ids[3])
    assert torch.equal(part.batch(torch.tensor([3]))[0].image, lists.batch(torch.tensor([row]))[0].image)
    assert some_of(lists, 0.25).query_ids == part.query_ids
    assert some_of(lists, 1.0) is lists
    assert len(some_of(lists, 1.0, most=7)) == 7


def test_pictures_can_be_dealt_anew(folder: Path) -> None:
    lists = Lists(folder, "train")
    mixed = with_mixed_images(lists)
    assert torch.equal(mixed.image[-1], lists.image[-1])
    assert torch.equal(mixed.text, lists.text)
    assert sorted(mixed.image[:, 0].tolist()) == sorted(lists.image[:, 0].tolist())
    stayed = (mixed.image == lists.image).all(1).float().mean()
    assert stayed < 0.3
    assert torch.equal(with_mixed_images(Lists(folder, "validation")).image, mixed.image)


def test_texts_can_be_removed(folder: Path) -> None:
    batch, _ = without_texts(Lists(folder, "train")).batch(torch.arange(4))
    assert batch.text.abs().sum() == 0
    assert batch.history_text.abs().sum() == 0
    assert batch.presence[..., 1].sum() == 0
    assert batch.presence[..., 0].sum() > 0


def test_runs_leave_what_the_judge_reads(folder: Path, tmp_path: Path) -> None:
    study = study_of(folder, tmp_path)
    test = Lists(folder, "test")
    padding = torch.arange(test.items.shape[1]) >= test.lengths.unsqueeze(1)
    by_model = {run.model: run for run in reversed(runs_of("drawn table", 2))}  # of each model seed 1
    teachers = [run_here(replace(by_model["teacher"], seed=seed), study) for seed in (1, 2)]
    for model in ("teacher-ensemble", "student", "pointwise", "lambdamart"):
        run_here(by_model[model], study)
    for run in [by_model[model] for model in ("teacher", "teacher-ensemble", "student", "pointwise", "lambdamart")]:
        out = study.folder(run.model, 1)
        scores = np.load(out / "scores.npy")
        assert scores.dtype == np.float32
        assert scores.shape == tuple(test.items.shape)
        assert (scores[padding.numpy()] == 0).all()
        report = json.loads((out / "run.json").read_text())
        assert {"model", "seed", "parameters", "tokenTable", "options", "trainLists", "seconds", "history"} <= report.keys()
        assert (report["model"], report["seed"], report["trainLists"]) == (run.model, 1, 96)
        assert (out / "model.onnx").exists() == (run.model in ("teacher", "student", "pointwise"))
        assert is_done(run, study, report["options"])
        if run.model == "lambdamart":
            continue
        clicks = np.load(out / "clicks.npy")
        assert ((clicks[~padding.numpy()] > 0) & (clicks[~padding.numpy()] < 1)).all()
        assert report["flops"] > 1e6
    both = ensemble([np.load(out / "scores.npy") for out in teachers], test.lengths)
    assert np.array_equal(np.load(study.folder("teacher-ensemble", 1) / "scores.npy"), both)


def test_other_options_make_a_run_again(folder: Path, tmp_path: Path) -> None:
    study = study_of(folder, tmp_path)
    run = Run("prm", 2, "fitted", "prm")
    key = fingerprint(folder)
    run_here(run, study)
    options = options_of(run, study, {}, key)
    assert is_done(run, study, options)
    assert not is_done(run, study, options_of(run, study, {"prm": {"rate": 1e-4}}, key))
    assert not is_done(run, study, options_of(run, replace(study, epochs=1.0), {}, key))
    assert not is_done(run, study, options_of(run, study, {}, "other lists"))
    assert not is_done(replace(run, hands_on=True), study, options)  # its targets were not kept


def test_a_student_depends_on_how_its_teachers_were_trained(folder: Path, tmp_path: Path) -> None:
    study = study_of(folder, tmp_path)
    student = next(run for run in runs_of("drawn table", 3) if run.model == "student")
    assert options_of(student, study, {}, "k") != options_of(student, study, {"teacher": {"rate": 1e-4}}, "k")


def directory(path: Path, needs: Path | None = None) -> Task:
    """A task that makes a directory, which fails when its parent is not there"""
    wanted = frozenset() if needs is None else frozenset([needs])
    return Task(path, f"make {path.name}", "directories", os.mkdir, (path,), path.parent.parent / f"{path.name}.log", wanted)


def test_tasks_wait_for_what_they_need(tmp_path: Path) -> None:
    first = tmp_path / "a" / "first"
    first.parent.mkdir()
    lines: list[str] = []
    Schedule([directory(first / "second", needs=first), directory(first)], 2, lines.append).run()
    assert (first / "second").is_dir()
    assert [line.split(":")[0] for line in lines] == ["[1/2] make first", "[2/2] make second"]
    assert "min left" in lines[0]


def test_a_failure_is_named_and_stops_only_what_needs_it(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    good, bad = tmp_path / "a" / "good", tmp_path / "missing" / "bad"
    tasks = [directory(bad), directory(bad / "dependent", needs=bad), directory(good)]
    with pytest.raises(StudyError, match=r"make bad: FileNotFoundError.*1 more"):
        Schedule(tasks, 1, lambda _: None).run()
    assert good.is_dir()


def test_a_study_goes_on_where_it_was(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "armmt.study.train_part", "--part", "drawn ablations", "--seeds", "1", "--epochs", "0.5"]
    command += ["--models", "teacher", "teacher-no-examination"]
    where = ["--lists", str(folder), "--runs", str(tmp_path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ARMMT_DEVICE": "cpu"}
    first = subprocess.run([*command, *where], check=True, env=environment, capture_output=True, text=True, timeout=300)
    assert "0 of 2 runs are done" in first.stdout
    tuning = json.loads((tmp_path / "tuning.json").read_text())
    trials = tuning["models"]["teacher"]["trials"]
    assert len(trials) == 6
    assert tuning["models"]["teacher"]["chosen"] in [trial["setting"] for trial in trials]
    run = json.loads((tmp_path / "teacher-no-examination" / "seed-1" / "run.json").read_text())
    assert run["options"]["training"]["rate"] == tuning["models"]["teacher"]["chosen"]["rate"]
    assert "examination" not in run
    again = subprocess.run([*command, *where], check=True, env=environment, capture_output=True, text=True, timeout=300)
    assert again.stdout.splitlines() == ["2 of 2 runs are done"]


def test_an_unknown_part_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "armmt.study.train_part", "--part", "tea leaves", "--lists", str(tmp_path), "--runs", str(tmp_path)]
    failed = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert failed.returncode == 1
    assert 'Part "tea leaves"' in failed.stderr
