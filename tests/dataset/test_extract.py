import json
from pathlib import Path
from typing import Any

import pytest

from linguacodus_core.dataset.extract import Extracted, by_model, by_reading, code_tokens, row
from linguacodus_core.dataset.instruct import InstructedShard, ask_shards, chosen, finished, read_shard
from linguacodus_core.dataset.study import SCHEMA, StudiedShard
from linguacodus_core.errors import EndpointError, UnusableReply
from linguacodus_core.llm import replies
from linguacodus_core.llm.profiles import load_profile
from linguacodus_core.store import write_table
from linguacodus_core.tables import DATASET
from tests.dataset.kernels import KERNELS, studied_kernel
from tests.replay import Replay

COMPETITION = {"competition": "c", "title": "Contest", "metric": "auc"}
LIGHTGBM = KERNELS[1]


def reply(**changes: Any) -> str:
    fields = {
        "preprocessing": "Missing values are filled.",
        "architecture": "A LightGBM classifier.",
        "training": "It is validated by 5 folds.",
        "libraries": ["lightgbm"],
        "families": ["lightgbm"],
        "validation": "stratified_kfold",
        "features": [],
        "hyperparameters": [{"name": "learning_rate", "value": "0.05"}],
    }
    return json.dumps(fields | changes)


FALSE = reply(
    architecture="An XGBoost classifier and a BERT model.", families=["xgboost", "transformer"], libraries=["xgboost"],
    validation="leave_one_out",
)  # fmt: skip


@pytest.mark.parametrize("kernel", KERNELS)
def test_what_is_read_off_the_code_is_borne_out_by_it(kernel: str) -> None:
    made = by_reading(studied_kernel(kernel))
    assert made.grounding.score == 1.0
    assert made.fields.families
    assert row(studied_kernel(kernel), made)["text"].startswith("Data preprocessing: ")


def test_a_true_instruction_is_taken_as_it_comes() -> None:
    client = Replay({"extraction": [reply()]})
    made = by_model(client, studied_kernel(LIGHTGBM), COMPETITION, "default", 0.5)  # type: ignore[arg-type]
    assert made.grounding.score >= 0.5
    assert len(client.asked["extraction"]) == 1
    assert "Contest (metric: auc)" in client.asked["extraction"][0]["text"]
    assert "<code>" in client.asked["extraction"][0]["text"]


def test_a_false_one_is_asked_for_once_more_with_what_was_wrong() -> None:
    client = Replay({"extraction": [FALSE, reply()]})
    made = by_model(client, studied_kernel(LIGHTGBM), COMPETITION, "default", 0.9)  # type: ignore[arg-type]
    first, second = client.asked["extraction"]
    assert "XGBoost" in second["text"]
    assert second["text"] != first["text"]
    assert made.fields.families == ("lightgbm",)
    assert len(made.calls) == 2


def test_the_better_of_two_false_ones_counts() -> None:
    worse = reply(families=["xgboost", "catboost", "cnn"], libraries=["torch"], validation="leave_one_out")
    client = Replay({"extraction": [FALSE, worse]})
    made = by_model(client, studied_kernel(LIGHTGBM), COMPETITION, "default", 1.0)  # type: ignore[arg-type]
    assert made.grounding.score < 0.5
    assert made.grounding.unsupported


def test_a_reply_outside_the_vocabulary_is_no_instruction() -> None:
    client = Replay({"extraction": [reply(families=["magic"])]})
    with pytest.raises(UnusableReply, match="wrote no instruction"):
        by_model(client, studied_kernel(LIGHTGBM), COMPETITION, "default", 0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", ["qwen2.5-coder-0.5b"])
def test_the_replies_of_a_real_model_become_instructions(model: str) -> None:
    client = Replay.recorded(model)
    for kernel in KERNELS:
        made = by_model(client, studied_kernel(kernel), COMPETITION, "default", 0.5)  # type: ignore[arg-type]
        found = row(studied_kernel(kernel), made)
        assert set(found) == set(DATASET["instructions"].names)
        assert 0 <= found["grounding"] <= 1
        assert found["text"]


def test_code_for_a_model_fills_a_quarter_of_its_context() -> None:
    assert code_tokens(None) == 0
    assert code_tokens(load_profile("local")) == 2048
    assert code_tokens(load_profile("openai")) == 8000


def shard(folder: Path, *kernels: str, number: int = 0) -> StudiedShard:
    rows = [studied_kernel(kernel) | {"competition": kernel.split("/")[0]} for kernel in kernels]
    rows.append(
        {"solution": "eda", "kernel": "eda", "competition": "eda", "place": 9, "unusable": "trains no model"}
    )
    import pyarrow as pa

    path = folder / f"studied-{number}.parquet"
    write_table(path, pa.Table.from_pylist(rows, schema=SCHEMA))
    return StudiedShard(
        number=number, path=path, solutions=len(rows), usable=len(kernels), tokens=1, sha256=str(number)
    )


def test_a_shard_is_read_and_what_is_no_solution_is_dropped_with_the_reason(tmp_path: Path) -> None:
    made = read_shard(shard(tmp_path, *KERNELS), None, 0.5, tmp_path / "out")
    assert made.instructions == 3
    assert [row["solution"] for row in made.read().to_pylist()] == sorted(KERNELS)
    from pyarrow import parquet

    (dropped,) = parquet.read_table(made.dropped).to_pylist()
    assert (dropped["row"], dropped["reason"], dropped["detail"]) == ("eda", "no solution", "trains no model")
    assert finished(tmp_path / "out") == made


def test_shards_that_are_finished_are_not_asked_for_again(tmp_path: Path) -> None:
    client = Replay({"extraction": [reply()]})
    about = dict.fromkeys(("chen", "emil", "greta"), COMPETITION)
    shards = [shard(tmp_path, LIGHTGBM), shard(tmp_path, KERNELS[0], KERNELS[2], number=1)]

    def asked() -> int:
        made = ask_shards(
            shards, None, about, client, "default", 0.0, lambda s: tmp_path / str(s.number), lambda _: None  # type: ignore[arg-type]
        )  # fmt: skip
        assert [item.number for item in made] == [0, 1]
        return len(client.asked["extraction"])

    assert asked() == 3
    assert asked() == 3
    (tmp_path / "1" / "shard.json").unlink()
    assert asked() == 5


def test_a_solution_without_an_answer_is_not_given_up(tmp_path: Path) -> None:
    client = Replay({"extraction": [reply()]})
    answer, faults = client.complete, ["HTTP 500"]

    def sometimes(role: str, rendered: Any, **more: Any) -> Any:
        if faults:
            raise EndpointError(faults.pop())
        return answer(role, rendered, **more)

    client.complete = sometimes  # type: ignore[method-assign]
    shards = [shard(tmp_path, *KERNELS)]
    about = dict.fromkeys(("chen", "emil", "greta"), COMPETITION)

    def asked() -> list[InstructedShard]:
        return ask_shards(
            shards, None, about, client, "default", 0.0, lambda _: tmp_path / "out", lambda _: None  # type: ignore[arg-type]
        )  # fmt: skip

    with pytest.raises(EndpointError, match="1 solutions got no answer: HTTP 500"):
        asked()
    assert finished(tmp_path / "out") is None
    assert asked()[0].instructions == 3


def test_half_a_character_in_a_reply_breaks_nothing(tmp_path: Path) -> None:
    text = reply(preprocessing="Odd \\ud800 text.").replace("\\\\u", "\\u")
    parsed = replies.parse(text, replies.validator({"type": "object"}))
    assert parsed["preprocessing"] == "Odd ? text."


def test_an_instruction_that_is_not_borne_out_is_dropped_and_says_why(tmp_path: Path) -> None:
    client = Replay({"extraction": [FALSE]})
    (made,) = ask_shards(
        [shard(tmp_path, LIGHTGBM)], None, {"chen": COMPETITION}, client, "default", 0.9,  # type: ignore[arg-type]
        lambda _: tmp_path / "out", lambda _: None,
    )  # fmt: skip
    from pyarrow import parquet

    rows = {item["row"]: item for item in parquet.read_table(made.dropped).to_pylist()}
    assert made.instructions == 0
    assert rows[LIGHTGBM]["reason"] == "not grounded"
    assert "XGBoost" in rows[LIGHTGBM]["detail"]


def test_a_limit_takes_the_best_of_each_competition_first(tmp_path: Path) -> None:
    shards = [shard(tmp_path, LIGHTGBM, KERNELS[0]), shard(tmp_path, KERNELS[2], number=1)]
    assert chosen(shards, None) is None
    assert chosen(shards, 2) == {LIGHTGBM, KERNELS[0]}
    assert chosen(shards, 99) == set(KERNELS)


def test_what_a_limit_cuts_off_is_dropped_with_that_reason(tmp_path: Path) -> None:
    from pyarrow import parquet

    made = read_shard(shard(tmp_path, *KERNELS), frozenset(KERNELS[:1]), 0.5, tmp_path / "out")
    reasons = {row["row"]: row["reason"] for row in parquet.read_table(made.dropped).to_pylist()}
    assert reasons == {KERNELS[1]: "beyond the limit", KERNELS[2]: "beyond the limit", "eda": "no solution"}


def test_the_record_says_who_wrote_it() -> None:
    made = Extracted(by_reading(studied_kernel(LIGHTGBM)).fields, by_reading(studied_kernel(LIGHTGBM)).grounding, "model", "m", "p@1", ("k",))  # fmt: skip
    found = row(studied_kernel(LIGHTGBM), made)
    assert (found["extractor"], found["model"], found["prompt"], found["calls"]) == (
        "model",
        "m",
        "p@1",
        ["k"],
    )
