"""Train the mode model: `python benchmarks/train_modes.py [--check] [--reference DIR]`.

It writes `personal_store/trips/model/mode-trees.json` from the labelled data and the synthetic
legs, and prints its SHA-256; with `--check` it writes nothing and ends with 1 unless the bytes are
the same. scikit-learn (test extra) is needed here and nowhere else.
"""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import mode_learning
import mode_traces

REPOSITORY = Path(__file__).resolve().parents[1]
MODEL = REPOSITORY / "personal_store" / "trips" / "model" / "mode-trees.json"


def main() -> None:
    """Train, then write or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = REPOSITORY.parent / "shared" / "reference"
    parser.add_argument("--reference", type=Path, default=default)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    # One thread: sums in one order, and no slower for so small a model.
    os.environ["OMP_NUM_THREADS"] = "1"
    document = trained(arguments.reference / "trips")
    written = encoded(document)
    print(f"{len(document['trees']):,} trees, {len(written):,} bytes")
    print(f"SHA-256 {hashlib.sha256(written).hexdigest()}")
    if arguments.check:
        sys.exit(0 if MODEL.read_bytes() == written else 1)
    MODEL.write_bytes(written)


def trained(folder: Path) -> dict[str, Any]:
    """Return the model learned from everything."""
    legs = mode_traces.mobilitynet(folder) + mode_traces.ssi(folder) + mode_traces.goal(folder)
    return mode_learning.learn(mode_learning.examples(legs))


def encoded(document: dict[str, Any]) -> bytes:
    """Return the document as the bytes that are shipped: one line a field, one line a tree."""
    lines = [
        f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}"
        for key, value in document.items()
        if key != "trees"
    ]
    trees = ",\n".join(json.dumps(tree, separators=(",", ":")) for tree in document["trees"])
    return ("{" + ",\n".join(lines) + ',\n"trees": [\n' + trees + "\n]}\n").encode()


if __name__ == "__main__":
    main()
