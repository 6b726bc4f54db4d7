import pytest

from linguacodus_core.curation.data_types import from_code, from_description, from_names


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        (["Tabular", "Binary Classification"], ("tabular",)),
        (["Image", "Text"], ("text", "image")),
        (["time-series"], ("time series",)),
        (["NLP"], ("text",)),
        (["Beginner"], ()),
        ([], ()),
    ],
)
def test_metadata_name_kinds(names: list[str], kinds: tuple[str, ...]) -> None:
    assert from_names(names) == kinds


def test_a_description_tells_images_from_the_table_that_lists_them() -> None:
    text = "Classify images of leaves. Each image is a photo. train.csv has columns id and label. Images are .jpg"
    assert from_description(text) == ("image",)


def test_an_aside_is_no_kind_of_data() -> None:
    assert from_description("The picture above shows our office. Predict the price from the columns.") == ()


def test_forecasts_are_time_series() -> None:
    assert "time series" in from_description(
        "Forecast daily sales. The forecasts are for future sales of stores."
    )


def test_code_tells_what_the_kernels_work_with() -> None:
    image = "import torchvision\nmodel = torchvision.models.resnet18()\nfrom sklearn.preprocessing import LabelEncoder"
    table = "import lightgbm as lgb\nlgb.train(p, d)"
    assert from_code([image, image, table]) == ("image",)
    assert from_code([table, table, table, image]) == ("tabular",)
    assert from_code([]) == ()
