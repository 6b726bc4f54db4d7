import importlib.util
import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from linguacodus_core.synthesis.blocks import image_features, image_files, image_network

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None,
    reason="torch is not installed (pip install 'linguacodus[train]')",
)


def encoded(colour, size=(12, 12), kind="PNG", mode="RGB"):
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, kind)
    return buffer.getvalue()


def tar_with(path, files, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def stripes(n, side=16, seed=0):
    """Images with upright (0) or level (1) stripes of random phase, noise and strength."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    wave = np.sin(np.arange(side) * 1.5 + rng.uniform(0, 6, (n, 1)))[:, None, :] * rng.uniform(
        30, 90, (n, 1, 1)
    )
    wave = np.repeat(wave, side, axis=1)
    wave[y == 1] = wave[y == 1].transpose(0, 2, 1)
    images = 128 + wave[..., None] + rng.normal(0, 15, (n, side, side, 3))
    return images.clip(0, 255).astype(np.uint8), y


def test_images_are_found_in_folders_tars_and_zips(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.png").write_bytes(encoded("red"))
    (tmp_path / "train.csv").write_text("id\na\n")
    tar_with(
        tmp_path / "more.tar.gz", {"train/b.JPG": encoded("green", kind="JPEG"), "train/notes.txt": b"no"}
    )
    tar_with(tmp_path / "plain.tar", {"./c.bmp": encoded("blue", kind="BMP")}, "w")
    with zipfile.ZipFile(tmp_path / "rest.zip", "w") as archive:
        archive.writestr("deep/er/d.gif", encoded("white", kind="GIF"))
        archive.writestr("__MACOSX/._d.gif", b"not an image")
    found = image_files.find_images(str(tmp_path))
    assert sorted(found) == [
        "more.tar.gz/train/b.JPG",
        "plain.tar/c.bmp",
        "rest.zip/deep/er/d.gif",
        "train/a.png",
    ]
    train, test = image_files.read_images(["a", "b.jpg", "c"], ["deep/er/d"], str(tmp_path))
    assert train.shape == (3, 12, 12, 3)
    assert train.dtype == np.uint8
    means = train.mean(axis=(1, 2))
    assert means.argmax(axis=1).tolist() == [0, 1, 2]
    assert (test > 250).all()


def test_ids_match_by_number_with_zeros_case_and_another_ending():
    found = {k: ("box", k) for k in ("x/0001.png", "x/0000.png", "x/Cat.JPG", "x/12.png")}
    places = image_files.match_images(found, [1, 0, "cat", "12.jpg", "x/cat.jpg", "nothing", None])
    assert [p and p[1] for p in places] == [
        "x/0001.png", "x/0000.png", "x/Cat.JPG", "x/12.png", "x/Cat.JPG", None, None,
    ]  # fmt: skip


def test_the_same_name_in_train_and_test_is_told_apart(tmp_path):
    for folder, colour in (("test", "black"), ("train", "white")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.png").write_bytes(encoded(colour))
    train, test = image_files.read_images([1], [1], str(tmp_path))
    assert train.min() == 255
    assert test.max() == 0


def test_the_same_name_in_two_archives_is_told_apart(tmp_path):
    for name, colour in (("train.zip", "white"), ("test.zip", "black")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("1.png", encoded(colour))
    train, test = image_files.read_images([1], [1], str(tmp_path))
    assert train.min() == 255
    assert test.max() == 0


def test_broken_and_missing_images_are_black_and_counted(tmp_path, capsys):
    (tmp_path / "good.png").write_bytes(encoded("white"))
    (tmp_path / "cut.png").write_bytes(encoded("white", (200, 200))[:60])
    (tmp_path / "text.png").write_text("not an image")
    (tmp_path / "bad.tar.gz").write_bytes(b"not a tar")
    (tmp_path / "bad.zip").write_bytes(b"not a zip")
    places = image_files.match_images(image_files.find_images(str(tmp_path)), ["good", "cut", "text", "none"])
    images, failed = image_files.load_images(places, 8)
    assert failed == 3
    assert images[0].min() == 255
    assert images[1:].max() == 0
    assert "bad.tar.gz cannot be read" in capsys.readouterr().out


def test_a_tar_that_is_cut_off_gives_the_images_before_the_cut(tmp_path):
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)) for _ in range(6)]
    files = {}
    for i, image in enumerate(noise):
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        files[f"{i}.png"] = buffer.getvalue()
    whole = tmp_path / "images.tar.gz"
    tar_with(whole, files)
    places = image_files.match_images(image_files.find_images(str(tmp_path)), list(range(6)))
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    images, failed = image_files.load_images(places, 40)
    assert 1 <= failed <= 5
    assert images[0].any()


def test_a_tar_is_read_from_start_to_end_only(tmp_path, monkeypatch):
    tar_with(tmp_path / "a.tar.gz", {f"{i}.png": encoded((i, i, i)) for i in range(5)})
    places = image_files.match_images(image_files.find_images(str(tmp_path)), [4, 0, 3, 0])
    opened = []
    monkeypatch.setattr(
        image_files.tarfile,
        "open",
        lambda path, mode, real=tarfile.open: opened.append(mode) or real(path, mode),
    )
    images, failed = image_files.load_images(places, 12)
    assert opened == ["r|*"]
    assert failed == 0
    assert images[:, 0, 0, 0].tolist() == [4, 0, 3, 0]


@pytest.mark.parametrize(("mode", "kind", "colour"), [("L", "PNG", 200), ("RGBA", "PNG", (9, 9, 9, 0)), ("P", "GIF", 3), ("1", "BMP", 1), ("I;16", "PNG", 40000), ("CMYK", "JPEG", (0, 0, 0, 0))])  # fmt: skip
def test_every_colour_mode_becomes_rgb(mode, kind, colour):
    image = image_files.decode_image(encoded(colour, (30, 20), kind, mode), 16)
    assert image is not None
    assert image.shape == (16, 16, 3)


def test_the_size_is_the_images_own_up_to_a_limit(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded("red", (48, 40)))
    (tmp_path / "b.png").write_bytes(encoded("red", (500, 400)))
    found = image_files.find_images(str(tmp_path))
    assert image_files.native_size(image_files.match_images(found, ["a"])) == 40
    assert image_files.native_size(image_files.match_images(found, ["b"])) == 64
    assert image_files.native_size([None]) == 64
    assert image_files.read_images(["a"], ["b"], str(tmp_path), size=10)[1].shape == (1, 10, 10, 3)


def test_no_images_at_all_give_black_ones(tmp_path, capsys):
    train, test = image_files.read_images(["a", "b"], [], str(tmp_path))
    assert train.shape == (2, 64, 64, 3)
    assert len(test) == 0
    assert "2 missing" in capsys.readouterr().out


@pytest.mark.parametrize(
    "make",
    [
        image_features.thumbnail_features,
        image_features.colour_features,
        image_features.hog_features,
        lambda a, b: image_features.patch_features(a, b, centroids=20),
    ],
)
def test_features_are_finite_float32_of_equal_width_and_the_same_each_time(make):
    images, _ = stripes(20)
    images[3] = 0
    for test in (images[:3], images[:0]):
        a, b = make(images, test)
        assert a.dtype == b.dtype == np.float32
        assert a.shape == (20, b.shape[1])
        assert len(b) == len(test)
        assert np.isfinite(a).all()
        assert np.allclose(a[: len(test)], b, atol=1e-4)
    assert np.array_equal(a, make(images, images[:0])[0])


def test_hog_tells_the_direction_of_edges_and_not_the_brightness():
    level = np.zeros((1, 16, 16, 3), dtype=np.uint8)
    level[:, ::4] = level[:, 1::4] = 100
    upright = level.transpose(0, 2, 1, 3)
    a, b = image_features.hog_features(np.concatenate([level, level + 50]), upright)
    assert np.allclose(a[0], a[1], atol=1e-3)
    assert np.abs(a[0] - b[0]).max() > 0.1


def test_patch_features_with_flips_do_not_change_under_a_mirror():
    images, _ = stripes(12)
    a, b = image_features.patch_features(images, images[:, :, ::-1], centroids=10)
    quarters = a.reshape(12, 4, 10), b.reshape(12, 4, 10)
    assert np.allclose(*quarters, atol=1e-3)


def test_patch_features_take_a_longer_stride_when_there_is_too_much_work(monkeypatch):
    images, _ = stripes(12)
    monkeypatch.setattr(image_features, "PATCH_WORK", 1e6)
    assert image_features.patch_features(images, images[:2], centroids=10)[0].shape == (12, 40)


def test_images_smaller_than_a_patch_have_features():
    tiny = np.random.default_rng(0).integers(0, 255, (30, 4, 4, 3), dtype=np.uint8)
    assert image_features.patch_features(tiny, tiny[:1], centroids=5)[0].shape == (30, 20)
    assert np.isfinite(image_features.hog_features(tiny, tiny)[0]).all()


def test_patch_features_and_the_svm_separate_what_pixels_do_not():
    images, y = stripes(200)
    held, y_held = stripes(60, seed=1)
    X, X_held = image_features.patch_features(images, held, centroids=30)
    (predicted,) = image_features.image_svm_model(X, y, [X_held], "binary", 2, 0)
    assert (predicted.argmax(axis=1) == y_held).mean() > 0.95


MODELS = [image_features.image_logistic_model, image_features.image_svm_model, image_network.feature_network]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.__name__)
class TestModelsOnDenseFeatures:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 10)).astype(np.float32)
    codes = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)

    def test_classes_sum_to_one_and_missing_classes_keep_a_column(self, model):
        on_train, one = model(self.X, self.codes, [self.X, self.X[:1]], "multiclass", 4, 0)
        assert on_train.shape == (150, 4)
        assert one.shape == (1, 4)
        assert np.allclose(on_train.sum(axis=1), 1, atol=1e-3)
        assert (on_train.argmax(axis=1) == self.codes).mean() > 0.7
        assert (on_train[:, 3] == 0).all()

    def test_a_single_class_is_predicted_with_certainty(self, model):
        (predicted,) = model(self.X, np.ones(150, dtype=int), [self.X[:3]], "binary", 2, 0)
        assert predicted.tolist() == [[0, 1]] * 3

    def test_labels_are_predicted_one_by_one(self, model):
        labels = np.column_stack([self.codes > 0, self.codes > 1, np.zeros(150)]).astype(int)
        (predicted,) = model(self.X, labels, [self.X], "multilabel", 3, 0)
        assert predicted.shape == (150, 3)
        assert ((predicted[:, 0] > 0.5) == labels[:, 0]).mean() > 0.8
        assert (predicted[:, 2] < 0.3).mean() > 0.9

    @pytest.mark.parametrize("targets", [1, 2])
    def test_values_keep_their_scale(self, model, targets):
        values = 1000 + 50 * self.X[:, :targets]
        goal = values[:, 0] if targets == 1 else values
        problem = "regression" if targets == 1 else "multiregression"
        (predicted,) = model(self.X, goal, [self.X], problem, targets, 0)
        assert predicted.shape == (150, targets)
        assert np.abs(predicted - values).mean() < 25

    def test_a_class_of_one_row_is_no_obstacle(self, model):
        codes = np.zeros(150, dtype=int)
        codes[7] = 1
        assert model(self.X, codes, [self.X[:2]], "binary", 2, 0)[0].shape == (2, 2)


def test_a_constant_feature_does_not_make_predictions_nan():
    X = np.ones((40, 6), dtype=np.float32)
    y = np.arange(40) % 2
    for model in MODELS:
        assert np.isfinite(model(X, y, [X], "binary", 2, 0)[0]).all()


def test_without_torch_the_network_is_a_perceptron(monkeypatch):
    monkeypatch.setattr(image_network.importlib.util, "find_spec", lambda name: None)
    images = np.zeros((60, 8, 8, 3), dtype=np.uint8)
    y = np.arange(60) % 2
    images[y == 1] = 200
    (predicted,) = image_network.train_network(images, y, [images[:4]], "binary", 2, 0, seconds=5)
    assert predicted.argmax(axis=1).tolist() == [0, 1, 0, 1]


@needs_torch
@pytest.mark.parametrize("problem", ["binary", "multilabel", "regression"])
def test_the_convolutional_network_learns(problem):
    images, y = stripes(160)
    goal, width = {
        "binary": (y, 2),
        "multilabel": (np.column_stack([y, 1 - y]), 2),
        "regression": (100.0 + 50 * y, 1),
    }[problem]
    on_train, none = image_network.convolutional_network(
        images, goal, [images, images[:0]], problem, width, 0, seconds=600, epochs=8
    )
    assert on_train.shape == (160, width)
    assert none.shape == (0, width)
    guess = on_train[:, 0] > 125 if problem == "regression" else on_train[:, -1] > 0.5
    assert (guess == (1 - y if problem == "multilabel" else y)).mean() > 0.9


@needs_torch
def test_the_convolutional_network_stops_when_its_time_is_spent(capsys):
    images, y = stripes(160)
    (predicted,) = image_network.train_network(images, y, [images[:5]], "binary", 2, 0, seconds=0.01)
    assert np.allclose(predicted.sum(axis=1), 1, atol=1e-3)
    assert float(capsys.readouterr().out.split()[1]) < 5  # of 30 epochs


@needs_torch
def test_the_large_network_takes_large_and_small_images():
    import torch

    for side in (16, 96):
        network = image_network.build_network(5, side, large=True).eval()
        assert network(torch.zeros(2, 3, side, side)).shape == (2, 5)
