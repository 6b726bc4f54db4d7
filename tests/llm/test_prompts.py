from pathlib import Path

import pytest

from linguacodus_core.errors import PromptError
from linguacodus_core.llm import prompts

GOOD = """---
name: plan
version: 3
description: Fill a plan.
variables: [task, columns, place]
system: You answer {{ task.name }} questions.
---
Task: {{ task.name }}
{% for column in columns %}
- {{ column }}
{% endfor %}
Answer.
"""
VALUES = {"task": {"name": "wine"}, "columns": ["a", "{{ b }}"], "place": 1}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, "default", "plan", GOOD)
    (tmp_path / "paper").mkdir()
    return tmp_path


def write(root: Path, set_: str, name: str, text: str) -> Path:
    file = root / set_ / f"{name}.md"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def test_a_prompt_becomes_messages_with_its_version_and_hash(root: Path):
    rendered = prompts.load("default", "plan", root).render(**VALUES)
    assert rendered.messages == (
        {"role": "system", "content": "You answer wine questions."},
        {"role": "user", "content": "Task: wine\n- a\n- {{ b }}\nAnswer."},
    )
    assert rendered.prompt == "default/plan@3"
    assert len(rendered.sha256) == 64


def test_a_declared_variable_need_not_be_used_but_must_be_given(root: Path):
    with pytest.raises(PromptError, match="needs place"):
        prompts.load("default", "plan", root).render(task={"name": "x"}, columns=[])


def test_an_unknown_variable_is_an_error(root: Path):
    with pytest.raises(PromptError, match="does not know plase"):
        prompts.load("default", "plan", root).render(**VALUES, plase=1)


def test_what_a_variable_lacks_is_an_error(root: Path):
    with pytest.raises(PromptError, match="cannot be filled"):
        prompts.load("default", "plan", root).render(**VALUES | {"task": {}})


def test_a_set_falls_back_to_default_and_says_so(root: Path):
    assert prompts.load("paper", "plan", root).label == "default/plan@3"
    write(root, "paper", "plan", GOOD)
    assert prompts.load("paper", "plan", root).label == "paper/plan@3"


def test_a_set_may_be_a_folder_of_ones_own(root: Path, tmp_path: Path):
    own = tmp_path / "mine"
    write(tmp_path, "mine", "plan", GOOD.replace("version: 3", "version: 9"))
    assert prompts.load(str(own), "plan", root).label == "mine/plan@9"


def test_unknown_sets_and_names_come_with_close_ones(root: Path):
    with pytest.raises(PromptError, match="did you mean paper"):
        prompts.load("papr", "plan", root)
    with pytest.raises(PromptError, match="did you mean plan"):
        prompts.load("default", "plam", root)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("variables: [task, columns, place]", "variables: [task, place]", "uses columns"),
        ("version: 3", "version: three", "version"),
        ("version: 3", "version: 0", "version"),
        ("version: 3\n", "", "version"),
        ("version: 3", "version: 3\nmodel: gpt", "model"),
        ("version: 3", "version: 3\nbody: x", "may not set body"),
        ("name: plan", "name: other", "calls itself 'other'"),
        ("name: plan", "name: [", "not valid YAML"),
        ("---\nname", "name", "no front matter"),
        ("{% endfor %}", "", "not a valid template"),
        ("{{ task.name }} questions", "{{ tsk }} questions", "uses tsk"),
    ],
)
def test_a_file_that_is_wrong_is_found_at_load(root: Path, old: str, new: str, message: str):
    write(root, "default", "plan", GOOD.replace(old, new, 1))
    with pytest.raises(PromptError, match=message):
        prompts.load("default", "plan", root)
    with pytest.raises(PromptError, match=message):
        prompts.check_all(root)


def test_a_prompt_without_a_body_or_in_another_encoding_is_an_error(root: Path):
    write(root, "default", "plan", GOOD.split("Task:")[0])
    with pytest.raises(PromptError, match="no body"):
        prompts.load("default", "plan", root)
    (root / "default" / "plan.md").write_bytes("é".encode("latin-1"))
    with pytest.raises(PromptError, match="UTF-8"):
        prompts.load("default", "plan", root)


def test_a_template_cannot_reach_into_python(root: Path):
    write(root, "default", "plan", GOOD.replace("Answer.", "{{ place.__class__.__mro__ }}"))
    with pytest.raises(PromptError, match="cannot be filled"):
        prompts.load("default", "plan", root).render(**VALUES)


def test_a_changed_file_is_read_again_with_another_hash(root: Path):
    before = prompts.load("default", "plan", root)
    write(root, "default", "plan", GOOD.replace("Answer.", "Answer briefly."))
    assert prompts.load("default", "plan", root).sha256 != before.sha256


def test_every_prompt_that_ships_is_valid():
    assert all(prompt.version >= 1 for prompt in prompts.check_all())
