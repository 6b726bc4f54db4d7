"""What counts as a usable reply in prose."""

import pytest

from linguacodus_core.instructions.reply import flaw, tidy

GOOD = "Data preprocessing: fill age with its median. Model architecture: LightGBM with 300 trees. Model training: five folds."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "12345 67890 " * 20,
        "ok",
        "the the the " * 60,
        "a" * 400,
        "Fill the age with its median value. " * 40,
        "!!! ??? ### " * 30,
    ],
)
def test_nonsense_has_a_name(text: str) -> None:
    assert flaw(text)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "Подготовка данных: заполнить возраст медианой. Модель: градиентный бустинг. Обучение: пять частей.",
    ],
)
def test_sense_has_none(text: str) -> None:
    assert flaw(text) == ""


def test_repeated_sentences_are_said_once() -> None:
    assert tidy("Use five folds of the data. " * 30) == "Use five folds of the data."


def test_an_unfinished_end_and_a_greeting_go() -> None:
    assert tidy("Sure, here it is:\n\n" + GOOD + " Then we", cut_short=True) == GOOD
    assert tidy(GOOD + "\n6.", cut_short=True) == GOOD
    assert tidy("<think>hm</think>" + GOOD) == GOOD
