from pathlib import Path

import pytest

from linguacodus_core.errors import TrainingError
from linguacodus_core.training.config import FinetuneConfig, list_configs, load_config

HEAD = 'name = "mine"\nbase = "owner/name"\n'


def loaded(folder: Path, text: str) -> FinetuneConfig:
    file = folder / "mine.toml"
    file.write_text(HEAD + text)
    return load_config(str(file))


def told(folder: Path, text: str) -> str:
    with pytest.raises(TrainingError) as caught:
        loaded(folder, text)
    assert str(folder / "mine.toml") in caught.value.problem
    return caught.value.problem.removeprefix(f"{folder / 'mine.toml'}: ")


def test_four_configurations_ship() -> None:
    assert set(list_configs()) >= {
        "llama2-7b-paper",
        "llama3.1-8b",
        "qwen2.5-coder-1.5b",
        "smollm2-135m-cpu",
    }
    for name in list_configs():
        assert load_config(name).name == name


def test_the_papers_table_value_by_value() -> None:
    paper = load_config("llama2-7b-paper")
    assert paper.prompt_set == "paper"
    assert paper.base == "meta-llama/Llama-2-7b-chat-hf"
    assert (paper.quantization.bits, paper.quantization.type, paper.quantization.double) == (4, "nf4", False)
    assert (paper.lora.r, paper.lora.alpha, paper.lora.dropout) == (64, 16, 0.1)
    assert paper.lora.targets == ("q_proj", "v_proj")
    training = paper.training
    assert (training.epochs, training.max_steps) == (1.0, 0)
    assert (training.batch, training.accumulation) == (4, 1)
    assert (training.learning_rate, training.schedule, training.warmup) == (2e-4, "constant", 0.03)
    assert (training.weight_decay, training.max_grad_norm) == (0.001, 0.3)
    assert training.optimizer == "paged_adamw_32bit"
    assert training.gradient_checkpointing
    assert (training.batching, training.max_length) == ("by_length", 4096)
    assert (training.save_steps, training.log_steps) == (500, 25)
    assert training.precision == "float16"


def test_the_one_for_the_cpu_needs_no_card_and_no_network() -> None:
    cpu = load_config("smollm2-135m-cpu")
    assert cpu.base.startswith("embedded:")
    assert cpu.hardware.device == "cpu"
    assert cpu.training.precision == "float32"
    assert cpu.quantization.bits == 0


def test_what_a_file_does_not_say_has_its_default(tmp_path: Path) -> None:
    config = loaded(tmp_path, "[training]\nlearning_rate = 1\n")
    assert config.training.learning_rate == 1.0
    assert config.training.batch == 4
    assert config.lora.targets == "all-linear"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[training]\nlearning_rte = 1", "training.learning_rte: no such key; did you mean learning_rate?"),
        ("learning_rate = 1", "learning_rate: no such key; did you mean training.learning_rate?"),
        ("[training]\nr = 3", "training.r: no such key; did you mean lora.r?"),
        ("[trainig]\nbatch = 1", "trainig: no such key; did you mean training?"),
        ("[lora]\nzzz = 1", "lora.zzz: no such key; there are: r, alpha, dropout, targets"),
        ("lora = 3", "lora: it is a table: write [lora]"),
        ('[training]\nbatch = "4"', "training.batch = '4': input should be a valid integer"),
        ("[training]\nbatch = 4.0", "training.batch = 4.0: input should be a valid integer"),
        ("[training]\nbatch = true", "training.batch = True: input should be a valid integer"),
        ("[training]\nbatch = 0", "training.batch = 0: input should be greater than or equal to 1"),
        ("[training]\nwarmup = 1.5", "training.warmup = 1.5: input should be less than 1"),
        ("[training]\nepochs = nan", "training.epochs = nan: input should be a finite number"),
        (
            '[training]\nschedule = "cosin"',
            "training.schedule = 'cosin': input should be 'constant', 'cosine'",
        ),
        ("[quantization]\nbits = 8", "quantization.bits = 8: input should be 0 or 4"),
        ('[lora]\ntargets = "q_proj"', "lora.targets = 'q_proj': write \"all-linear\" or a list of names"),
        ("[lora]\ntargets = []", "lora.targets = []: write the names of projections"),
    ],
)
def test_a_wrong_file_is_told_by_its_dotted_key(tmp_path: Path, text: str, words: str) -> None:
    assert words in told(tmp_path, text)


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    problem = told(tmp_path, "[training]\nbatch = 0\nwarmup = 2\n[lora]\nq = 1")
    assert {"lora.q:", "training.batch", "training.warmup"} <= set(problem.split())


def test_what_must_be_given_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\n')
    with pytest.raises(TrainingError, match="base: it must be given"):
        load_config(str(file))


def test_a_file_that_is_no_toml_or_not_there_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("a = = 1")
    with pytest.raises(TrainingError, match="is not valid TOML"):
        load_config(str(tmp_path / "mine.toml"))
    with pytest.raises(TrainingError, match="cannot be read"):
        load_config(str(tmp_path / "none.toml"))


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(TrainingError) as caught:
        load_config("smolm2-135m")
    assert "did you mean smollm2-135m-cpu?" in caught.value.remedy
    assert "llama2-7b-paper" in caught.value.remedy


def test_ones_own_configuration_is_found_by_name(home: Path) -> None:
    (home / "configs").mkdir(parents=True)
    (home / "configs" / "mine.toml").write_text(HEAD)
    assert load_config("mine").base == "owner/name"
    assert "mine" in list_configs()


def test_steps_and_seed_are_changed_and_checked() -> None:
    config = load_config("smollm2-135m-cpu")
    changed = config.changed(max_steps=3, seed=5)
    assert (changed.training.max_steps, changed.preferences.max_steps, changed.training.seed) == (3, 3, 5)
    assert config.changed() == config
    with pytest.raises(TrainingError, match=r"training\.seed = -1"):
        config.changed(seed=-1)


@pytest.mark.parametrize("name", ["llama2-7b-paper", "smollm2-135m-cpu"])
def test_a_configuration_written_as_toml_is_read_back(tmp_path: Path, name: str) -> None:
    config = load_config(name)
    file = tmp_path / "written.toml"
    file.write_text(config.as_toml())
    assert load_config(str(file)) == config
