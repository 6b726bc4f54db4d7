"""Figure 2 of the paper as a picture: the most popular model by data type (rows) and metric (columns)."""

import io

import pyarrow as pa

from linguacodus_core.dataset.popularity import ANY

CELL_INCHES = (1.25, 0.62)


def heat_map(popularity: pa.Table) -> bytes:
    """A PNG: each cell names the most popular family, its share (also the colour) and the solutions counted.

    popularity: table `popularity`. Without a row it is an empty picture that says so.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = popularity.to_pylist()
    kinds = sorted({row["data_type"] for row in rows}, key=lambda kind: -_total(rows, kind))
    categories = sorted({row["metric_category"] for row in rows}, key=lambda name: (name == ANY, name))
    width = max(4.0, 1.8 + CELL_INCHES[0] * len(categories))
    figure, axes = pyplot.subplots(figsize=(width, 2.0 + CELL_INCHES[1] * len(kinds)), dpi=120)
    if rows:
        shares = [[_top(rows, kind, name)[1] for name in categories] for kind in kinds]
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for y, kind in enumerate(kinds):
            for x, name in enumerate(categories):
                family, share, cell = _top(rows, kind, name)
                text = f"{family.replace('_', ' ')}\n{share:.0%} of {cell:,}" if family else ""
                colour = "white" if share > 0.55 else "black"
                axes.text(x, y, text, ha="center", va="center", fontsize=6.5, color=colour)
        axes.set_xticks(range(len(categories)), [name or "any metric" for name in categories], fontsize=7)
        axes.set_yticks(range(len(kinds)), kinds, fontsize=8)
        axes.tick_params(axis="x", labelrotation=20)
    else:
        axes.text(0.5, 0.5, "no instruction names a model", ha="center")
        axes.set_axis_off()
    axes.set_title("The most popular model by data type and metric", fontsize=9)
    figure.tight_layout()
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    pyplot.close(figure)
    return picture.getvalue()


def _total(rows: list[dict[str, object]], kind: str) -> int:
    return max(int(str(row["cell_solutions"])) for row in rows if row["data_type"] == kind)


def _top(rows: list[dict[str, object]], kind: str, category: str) -> tuple[str, float, int]:
    """(family, share, solutions) of the most popular family of a cell; ("", 0, 0) for an empty one."""
    for row in rows:  # best first within a cell
        if row["data_type"] == kind and row["metric_category"] == category:
            return str(row["family"]), float(str(row["share"])), int(str(row["cell_solutions"]))
    return "", 0.0, 0
