"""Keeps the newest lists of a long log: `python -m armmt.training.newest --lists <folder> --out <folder> --most <n>`.

Training holds its lists in memory. What shoppers wanted years ago also says less of what they want now. Test lists are left out: training
never reads them.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

#: Validation lists kept, as a share of the training lists: 8 % of shoppers against 80 %.
VALIDATION_SHARE = 0.1


def keep_newest(folder: Path, out: Path, most: int) -> dict[str, int]:
    """Writes a folder of lists with at most `most` for training; returns how many of each split. Memory holds one row group."""
    out.mkdir(parents=True, exist_ok=True)
    source = pq.ParquetFile(folder / "lists.parquet")
    known = source.read(columns=["split", "at"])
    split, at = np.asarray(known["split"].to_pylist()), known["at"].to_numpy()
    kept = np.zeros(len(at), dtype=bool)
    for name, count in (("train", most), ("validation", max(1, round(most * VALIDATION_SHARE)))):
        rows = np.flatnonzero(split == name)
        kept[rows[np.argsort(at[rows], kind="stable")[-count:]]] = True
    begin = 0
    with pq.ParquetWriter(out / "lists.parquet", source.schema_arrow) as writer:
        for group in range(source.num_row_groups):
            rows_of_group = source.read_row_group(group)
            writer.write_table(rows_of_group.filter(pa.array(kept[begin : begin + rows_of_group.num_rows])))
            begin += rows_of_group.num_rows
    for name in ("features.json", "image.npy", "text.npy", "presence.npy", "tokens.npy"):
        shutil.copyfile(folder / name, out / name)
    return {name: int((kept & (split == name)).sum()) for name in ("train", "validation")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lists", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--most", type=int, required=True)
    a = parser.parse_args()
    print(keep_newest(a.lists, a.out, a.most))


if __name__ == "__main__":
    main()
