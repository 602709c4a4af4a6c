"""Which runs a part of the study has, in an order in which each finds what it needs.

A run is one model and one seed. Students wait for the teachers whose ensemble they learn from; an ensemble waits for its members.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from armmt.baselines import NEURAL
from armmt.model.backbone import WHOLE, Components

Kind = Literal["fitted", "trees", "ensemble", "distilled", "outsider"]
ENSEMBLE_SIZE = 3
#: Seeds of a kind of part when none are asked for.
SEEDS: dict[str, int] = {"table": 5, "ablations": 8, "controls": 3, "doses": 5, "outsider": 4}
#: Parts with another number of seeds than their kind: as many as two cores train in an hour and a half.
SEEDS_OF_PART: dict[str, int] = {"drawn world 2 table": 4, "drawn world 2 doses": 4}
#: Variants that a scenario without one part of the simulated shoppers makes useless.
CONTROLS: dict[str, tuple[str, ...]] = {
    "without-picture": ("no-image", "no-matching-image"),
    "without-context": ("no-surroundings",),
    "without-personal": ("no-personal",),
}


@dataclass(frozen=True)
class Run:
    """Identity of a run, besides the lists and the tuned options."""

    model: str  # name in the tables, and folder
    seed: int
    kind: Kind
    architecture: str  # whose tuned options it takes
    components: Components = field(default=WHOLE)
    images: bool = True
    texts: bool = True
    mixed_images: bool = False  # every item has the picture of another one
    examination: bool = True
    neighbours: bool = True
    members: tuple[tuple[str, int], ...] = ()  # (model, seed) of those whose mean it is, or learns from
    hands_on: bool = False  # its scores of the training lists are kept, for students

    @property
    def name(self) -> str:
        return f"{self.model} seed-{self.seed}"

    @property
    def whole(self) -> bool:
        """False for a variant, whose graph costs what the whole model's does, or lacks inputs of the contract"""
        return self.components == WHOLE and self.images and self.texts and self.examination and self.neighbours and not self.mixed_images


def teacher(seed: int) -> Run:
    """The whole teacher"""
    return Run("teacher", seed, "fitted", "teacher")


def lesser_teacher(what: str, seed: int) -> Run:
    """The teacher with one thing taken away: "no-image", "no-matching-image" (each item has another's), "no-text", "no-examination",
    "no-neighbours", or "no-" and one of Components"""
    model = f"teacher-{what}"
    whole = replace(teacher(seed), model=model)
    if what == "no-image":
        return replace(whole, images=False)
    if what == "no-matching-image":
        return replace(whole, mixed_images=True)
    if what == "no-text":
        return replace(whole, texts=False)
    if what == "no-examination":
        return replace(whole, examination=False)
    if what == "no-neighbours":
        return replace(whole, neighbours=False)
    return replace(whole, components=replace(WHOLE, **{what.removeprefix("no-"): False}))


def member(model: str, seed: int) -> Run:
    """A whole model whose scores of the training lists are kept"""
    return Run(model, seed, "trees" if model == "lambdamart" else "fitted", model, hands_on=True)


def members(model: str, seed: int, seeds: int) -> tuple[tuple[str, int], ...]:
    """Seeds s, s + 1, s + 2 in a circle; fewer when there are fewer"""
    chosen = sorted((seed - 1 + i) % seeds + 1 for i in range(min(ENSEMBLE_SIZE, seeds)))
    return tuple((model, each) for each in chosen)


def table(seeds: int) -> list[Run]:
    """Every contender: alone, three together, and a pupil of each three, of our architecture and of the plainest one"""
    every = range(1, seeds + 1)
    runs = [member("teacher", seed) for seed in every]
    runs += [Run("student-labels", seed, "fitted", "student") for seed in every]
    runs += [member("lambdamart", seed) for seed in every]
    runs += [replace(member(name, seed), hands_on=name == "pointwise") for name in NEURAL for seed in every]
    runs += [lesser_teacher("no-image", seed) for seed in every]
    for seed in every:
        teachers, plain = members("teacher", seed, seeds), members("pointwise", seed, seeds)
        with_trees = (*teachers, ("lambdamart", seed))
        runs += [
            Run("teacher-ensemble", seed, "ensemble", "teacher", members=teachers),
            Run("tree-and-nets", seed, "ensemble", "teacher", members=with_trees),
            Run("pointwise-ensemble", seed, "ensemble", "pointwise", members=plain),
            Run("student", seed, "distilled", "student", members=teachers),
            Run("student-of-tree-and-nets", seed, "distilled", "student", members=with_trees),
            Run("pointwise-distilled", seed, "distilled", "pointwise", members=plain),
            Run("pointwise-of-teachers", seed, "distilled", "pointwise", members=teachers),
        ]
    return runs


def ablations(seeds: int) -> list[Run]:
    """The whole teacher, without each piece, each tower, a modality, and with each piece that is off"""
    components = ("cafu", "context", "personal", "attention", "surroundings", "auxiliary")
    what = [*(f"no-{piece}" for piece in components), "no-examination", "no-neighbours", "no-image", "no-matching-image", "no-text"]
    every = range(1, seeds + 1)
    more = [
        replace(teacher(seed), model=f"teacher-with-{piece}", components=replace(WHOLE, **{piece: True}))
        for piece in ("histograms", "mpsa")
        for seed in every
    ]
    return [teacher(seed) for seed in every] + [lesser_teacher(piece, seed) for piece in what for seed in every] + more


def outsider(seeds: int) -> list[Run]:
    """A ranker by others, and two of a table that learn from the same clicks alone: trees on the same columns, and the student"""
    every = range(1, seeds + 1)
    runs = [member("lambdamart", seed) for seed in every] + [Run("student-labels", seed, "fitted", "student") for seed in every]
    return runs + [Run("allrank", seed, "outsider", "allrank") for seed in every]


def compared(what: Iterable[str], seeds: int) -> list[Run]:
    """The whole teacher, and the teacher without something"""
    every = range(1, seeds + 1)
    return [teacher(seed) for seed in every] + [lesser_teacher(piece, seed) for piece in what for seed in every]


def kind_of(part: str) -> str:
    """ "drawn table" -> "table"; throws ValueError for a part that trains nothing here"""
    kind = part.rpartition(" ")[2]
    if kind not in SEEDS:
        raise ValueError(f'Part "{part}" has nothing to train: expected a level and one of {", ".join(SEEDS)}, for instance "drawn table"')
    return kind


def seeds_of(part: str) -> int:
    """Throws ValueError as `kind_of` does."""
    return SEEDS_OF_PART.get(part, SEEDS[kind_of(part)])


def runs_of(part: str, seeds: int, scenario: str = "") -> list[Run]:
    """Runs of a part. `scenario` is the name of the lists, or their path; "without-..." in it identifies a control."""
    kind = kind_of(part)
    if kind == "table":
        return table(seeds)
    if kind == "ablations":
        return ablations(seeds)
    if kind == "outsider":
        return outsider(seeds)
    if kind == "doses":
        return compared(CONTROLS["without-picture"], seeds)
    control = next((name for name in CONTROLS if name in scenario), None)
    if control is None:
        raise ValueError(f"{scenario}: a control's lists have one of {', '.join(CONTROLS)} in their name")
    return compared(CONTROLS[control], seeds)
