"""The page of a fine-tune: complete, self-contained, harmless whatever stands in the tables."""

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from linguacodus_core import store
from linguacodus_core.errors import TrainingError
from linguacodus_core.training.curves import curve
from linguacodus_core.training.drawing import bars, changed, grouped, interval, reach
from linguacodus_core.training.evaluation import Comparison, Row, compare
from linguacodus_core.training.gate import judge, summary
from linguacodus_core.training.job import Job
from linguacodus_core.training.measured import read, samples_of
from linguacodus_core.training.report import duration, memory, render, write
from linguacodus_core.training.standing import examples, standings
from tests.training.jobs import job_in
from tests.training.measured import Subject, change, write_job

BASE = Subject(form=0.4)
BETTER = Subject(loss=1.5, gain=0.3, form=1.0, skill=0.8)
FINISHED = {
    "steps": 120,
    "loss": 1.5,
    "seconds": 732.0,
    "tokens": 90_000,
    "tokens_per_second": 122.9,
    "peak_memory": 2_912_345_678,
    "examples": 1_012,
    "left_out": 14,
    "replacements": ["paged_adamw_32bit <needs a card>: adamw_torch"],
    "device": "CPU, 2 cores",
    "resumed": 1,
}


def finished(job: Job, stage: str, **changes: Any) -> None:
    folder = job.stage(stage)
    folder.mkdir(exist_ok=True)
    lines = [
        json.dumps({"event": "step", "step": step, "loss": 2.4 - step / 150, "lr": 1e-3 * (1 - step / 130)})
        for step in range(5, 121, 5)
    ]
    (folder / "events.jsonl").write_text("\n".join(lines) + "\n")
    store.write_json(folder / "finished.json", FINISHED | changes)


def job_with(folder: Path, subjects: dict[str, Subject] | None = None, **tables: Any) -> Job:
    job = job_in(folder)
    write_job(folder, subjects or {"base": BASE, "sft": BETTER}, **{"competitions": 5} | tables)
    finished(job, "sft")
    return job


def page(job: Job, base: str = "base", tuned: str = "sft") -> str:
    comparison = compare(job.folder, base, tuned, draws=200)
    return render(job, comparison, judge(comparison))


class Tags(HTMLParser):
    """The tags and what they load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.loaded += [f"{tag} {name}={value}" for name, value in attrs if name in ("src", "href", "onload")]
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(text: str) -> Tags:
    parser = Tags()
    parser.feed(text)
    assert parser.open == []
    return parser


def test_a_page_has_the_verdict_on_top_and_every_row(tmp_path: Path) -> None:
    job = job_with(tmp_path, competitions=12)
    text = page(job)
    assert "The gate passes it." in text
    assert text.index("The gate passes it.") < text.index("<h2>")
    comparison = compare(job.folder)
    for row in comparison.rows:
        assert f"{row.tuned:.3f}" in text, row.metric
        assert row.metric.replace("'", "&#39;") in text
    for metric, why in comparison.left_out.items():
        assert f"{metric} is not known: {why}" in text
    for part in (
        "12.2 min",
        "123 tokens/s",
        "2.9 GB",
        "14 left out for their length",
        "resumed 1 time",
        "CPU, 2 cores",
    ):
        assert part in text
    assert "targets = &#34;all-linear&#34;" in text


def test_a_refused_model_is_shown_with_what_it_lacks(tmp_path: Path) -> None:
    job = job_with(tmp_path, {"base": BETTER, "sft": BASE})
    text = page(job)
    assert "The gate refuses it." in text
    assert "the whole interval must lie below 0" in text
    assert text.count("✗") == len(judge(compare(tmp_path, draws=200)).failed)


def test_the_page_needs_nothing_from_outside(tmp_path: Path) -> None:
    found = tags(page(job_with(tmp_path)))
    assert not found.seen & {"script", "iframe", "link", "object", "img", "form"}
    assert all(re.search(r"href=#\w+$", each) for each in found.loaded), found.loaded
    assert "svg" in found.seen


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}$x^2$ \"'&"


def test_untrusted_text_is_shown_and_never_run(tmp_path: Path) -> None:
    job = job_with(tmp_path, competitions=3)

    def hostile(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in rows:
            row["competition"] = row["competition"].replace("competition-00", HOSTILE)
            if "text" in row:
                row["text"] = HOSTILE + row["text"]
            if row.get("family"):
                row["family"] = row["family"].replace("xgboost", "</td><script>")
        return rows

    for name in ("references", "prior", "measure/losses", "measure/samples"):
        change(tmp_path, name, hostile)
    text = page(job)
    assert not tags(text).seen & {"script", "img"}
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "{{ 7 * 7 }}" in text
    assert "&lt;needs a card&gt;" in text


def test_texts_of_the_nearest_the_median_and_the_farthest_stand_side_by_side(tmp_path: Path) -> None:
    job = job_with(tmp_path, competitions=5)
    measured = read(tmp_path, "base", "sft")
    standing = standings(measured)
    assert [one.tuned for one in standing] == sorted((one.tuned for one in standing), reverse=True)
    shown = examples(measured, samples_of(tmp_path), standing)
    assert [one.competition for one in shown] == [standing[number].competition for number in (0, 2, 4)]
    for example in shown:
        assert [(pair[0].place, pair[1].place) for pair in example.rows if pair[0] and pair[1]] == [
            (1, 1), (2, 2), (3, 3)
        ]  # fmt: skip
    text = page(job)
    said = shown[0].rows[0][1]
    assert said is not None
    assert said.text.split("\n")[0].replace("'", "&#39;") in text
    assert "the nearest" in text
    assert "the farthest" in text


def test_a_bar_each_for_base_tuned_kernels_and_prior(tmp_path: Path) -> None:
    job_with(tmp_path, competitions=2)
    one = standings(read(tmp_path, "base", "sft"))[0]
    drawn = bars({"base": one.base, "tuned": one.tuned, "kernels": one.kernels, "prior": one.prior})
    assert drawn.count("<text") == 4
    assert f">{one.tuned:.2f}<" in drawn
    assert bars({"base": 0.5, "tuned": 0.25, "kernels": None, "prior": None}).count("<text") == 2


def test_a_report_of_preferences_shows_both_stages(tmp_path: Path) -> None:
    subjects = {
        "base": BASE,
        "sft": BETTER,
        "dpo": Subject(loss=1.5, gain=0.3, form=1.0, skill=0.8, accuracy=0.9),
    }
    job = job_with(tmp_path, subjects, pairs=4)
    finished(job, "dpo", steps=30)
    text = page(job, "sft", "dpo")
    assert "Training · sft" in text
    assert "Training · dpo" in text
    assert "preference accuracy" in text
    assert "Training · dpo" not in page(job)


def test_a_report_without_anything_measured_is_still_a_page(tmp_path: Path) -> None:
    job = job_with(tmp_path, competitions=0)
    text = page(job)
    tags(text)
    assert "The gate refuses it." in text
    assert "NaN" not in text
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)


def test_a_job_that_was_not_measured_has_no_report(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    empty = Comparison(base="base", tuned="sft", competitions=0, rows=())
    with pytest.raises(TrainingError, match="nothing is measured yet"):
        render(job, empty, judge(empty))


def test_the_same_job_gives_the_same_page(tmp_path: Path) -> None:
    job = job_with(tmp_path, competitions=2)
    assert page(job) == page(job)


def test_write_leaves_one_file(tmp_path: Path) -> None:
    job = job_with(tmp_path / "job", competitions=2)
    comparison = compare(job.folder, draws=200)
    path = write(job, comparison, judge(comparison), tmp_path / "out")
    assert path.read_text("utf-8").startswith("<!doctype html>")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["report.html"]


def step(number: int, loss: float | None, lr: float | None = 1e-3) -> dict[str, Any]:
    return {"step": number, "loss": loss, "lr": lr}


def test_a_curve_bears_gaps_and_length() -> None:
    assert curve([], "loss") == ""
    assert curve([step(1, None)], "loss") == ""
    assert curve([step(1, 2.0), step(2, math.nan), step(3, 1.5, None)], "loss").startswith("<svg")
    long = curve([step(number, 2 - number / 20_000) for number in range(20_000)], "loss")
    assert len(long) < 400_000


def known(metric: str, low: float, high: float, better: str = "more", base: float = 2.0) -> Row:
    middle = (low + high) / 2
    return Row.model_validate(
        {
            "metric": metric, "base": base, "tuned": base + middle, "difference": middle, "low": low, "high": high,
            "tuned_low": base + low, "tuned_high": base + high, "better": better,
        }
    )  # fmt: skip


def test_intervals_share_an_axis_within_their_group() -> None:
    rows = [
        known("completion loss", -1.0, -0.5, "less"),
        known("form", 0.1, 0.3),
        known("own prompt", -0.01, 0.02),
    ]
    assert [(key, [row.metric for row in own]) for key, _, own in grouped(rows)] == [
        ("share", ["completion loss"]), ("points", ["form"]), ("nats", ["own prompt"])
    ]  # fmt: skip
    assert changed(rows[0], "share") == (-37.5, -50.0, -25.0)
    assert reach(rows[:1], "share") == pytest.approx(54.0)
    assert 'cx="35.1"' in interval(rows[0], "share", 54.0)  # 115 * (1 - 37.5 / 54)


@pytest.mark.parametrize(
    ("row", "colour"),
    [
        (known("form", 0.1, 0.3), "#047857"),
        (known("form", -0.3, -0.1), "#b91c1c"),
        (known("form", -0.1, 0.1), "#64748b"),
        (known("perplexity", -0.3, -0.1, "less"), "#047857"),
        (known("perplexity", 0.1, 0.3, "less"), "#b91c1c"),
    ],
)
def test_an_interval_has_the_colour_of_what_it_shows(row: Row, colour: str) -> None:
    assert colour in interval(row, "points", 1.0)


def test_figures_are_short() -> None:
    assert [duration(seconds) for seconds in (None, 41.24, 732, 18_400)] == [
        "",
        "41.2 s",
        "12.2 min",
        "5.1 h",
    ]
    assert [memory(size) for size in (None, 812_000_000, 2_912_345_678)] == ["", "812 MB", "2.9 GB"]


def test_one_line_sums_a_fine_tune_up(tmp_path: Path) -> None:
    comparison = compare(job_with(tmp_path, competitions=12).folder)
    assert re.fullmatch(
        r"completion loss \d\.\d\d -> 1\.\d\d; decisions 0\.\d\d -> 0\.\d\d; form 0\.\d\d -> 1\.00; passed",
        summary(comparison, judge(comparison)),
    )
