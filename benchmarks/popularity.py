"""The table of popular models that ships, out of a version: `python benchmarks/popularity.py [VERSION]`.

It prints the version's table `popularity` as the CSV in linguacodus_core/dataset/popularity.csv, which is the
prior of `generate` as long as the user has no version of his own. The one that ships was made from pulled
notebooks of 18 competitions (those of a course, whose exercises all use one model, left out):

    linguacodus dataset rebuild --source kernels --path KERNELS_DIR --competitions-file CSV \\
        --unranked keep --competitions NAME,...
    python benchmarks/popularity.py latest > linguacodus_core/dataset/popularity.csv
"""

import csv
import sys

from linguacodus_core.dataset.version import open_version

COLUMNS = ("data_type", "metric_category", "family", "solutions", "cell_solutions")


def main() -> None:
    """Print the CSV."""
    version = open_version(sys.argv[1] if len(sys.argv) > 1 else "latest")
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(COLUMNS)
    for row in version.table("popularity").to_pylist():
        out.writerow([row[column] for column in COLUMNS])


if __name__ == "__main__":
    main()
