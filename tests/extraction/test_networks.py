"""Networks: Keras and PyTorch, from scratch and pretrained, and how they are trained."""

from textwrap import dedent

import pytest

from linguacodus_core.extraction.evidence import Evidence
from linguacodus_core.extraction.networkcatalog import family_of_checkpoint
from linguacodus_core.extraction.static import hyperparameters_of
from linguacodus_core.extraction.syntax import evidence


def read(code: str) -> Evidence:
    return evidence(dedent(code))


@pytest.mark.parametrize(
    ("layers", "family", "also"),
    [
        ("Dense(64), Dropout(0.2), Dense(1)", "mlp", ()),
        ("Conv2D(32, 3), MaxPooling2D(), Flatten(), Dense(10)", "cnn", ()),
        ("Embedding(1000, 16), Bidirectional(LSTM(64)), Dense(1)", "rnn", ()),
        ("Conv1D(32, 3), GRU(16), Dense(1)", "rnn", ("cnn",)),
        ("MultiHeadAttention(4, 16), Dense(1)", "transformer", ()),
    ],
)
def test_a_keras_network_has_the_family_of_its_layers(
    layers: str, family: str, also: tuple[str, ...]
) -> None:
    imports = "from tensorflow.keras.models import Sequential\nfrom tensorflow.keras.layers import *\n"
    found = read(
        imports + f"model = Sequential([{layers}])\nmodel.compile('adam', 'mse')\nmodel.fit(X, y, epochs=3)"
    )
    assert [(m.family, m.also, m.role) for m in found.models] == [(family, also, "fitted")]


def test_layers_that_are_added_or_called_belong_to_their_network() -> None:
    found = read(
        """
        from tensorflow import keras
        from tensorflow.keras import layers as L
        a = keras.Sequential()
        a.add(L.Dense(8, activation="relu"))
        a.add(L.Dense(1))
        inputs = L.Input((32, 32, 3))
        x = L.Conv2D(16, 3)(inputs)
        x = L.Conv2D(32, 3)(x)
        b = keras.Model(inputs, L.Dense(10)(x))
        a.fit(X, y)
        b.fit(X, y)
        """
    )
    by_family = {m.family: dict(m.layers) for m in found.models}
    assert by_family == {"mlp": {"dense": 2}, "cnn": {"conv2d": 2, "dense": 1}}


def test_a_pytorch_class_counts_once_it_is_used_and_blocks_belong_to_it() -> None:
    found = read(
        """
        import torch.nn as nn

        class Block(nn.Module):
            def __init__(self, a, b):
                super().__init__()
                self.body = nn.Sequential(nn.Conv2d(a, b, 3), nn.BatchNorm2d(b), nn.ReLU())

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.blocks = nn.Sequential(Block(3, 16), Block(16, 32))
                self.head = nn.Linear(32, 10)
            def forward(self, x):
                return self.head(self.blocks(x))

        class Unused(nn.Module):
            def __init__(self):
                self.rnn = nn.LSTM(4, 8)

        net = Net()
        optimizer = torch.optim.AdamW(net.parameters(), lr=3e-4)
        criterion = nn.CrossEntropyLoss()
        for epoch in range(12):
            for xb, yb in loader:
                loss = criterion(net(xb), yb)
                loss.backward()
                optimizer.step()
        """
    )
    assert [(m.family, m.name, m.role) for m in found.models] == [("cnn", "Net", "fitted")]
    assert dict(found.models[0].layers)["dense"] == 1
    assert found.of("optimizer")[0].how == "AdamW"
    assert found.of("optimizer")[0].detail == "0.0003"
    assert found.of("epochs")[0].detail == "12"
    assert found.of("loss")[0].how == "cross-entropy"


def test_a_loss_written_as_a_module_is_no_model() -> None:
    found = read(
        """
        import torch.nn as nn
        class FocalLoss(nn.Module):
            def __init__(self):
                super().__init__()
                self.bce = nn.BCEWithLogitsLoss()
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(3, 1)
        loss = FocalLoss()(Net()(x), y)
        loss.backward()
        """
    )
    assert [m.name for m in found.models] == ["Net"]


@pytest.mark.parametrize(
    ("code", "family", "name"),
    [
        (
            "import timm\nm = timm.create_model('tf_efficientnet_b3_ns', pretrained=True)",
            "pretrained_cnn",
            "tf_efficientnet_b3_ns",
        ),
        (
            "import timm\nclass CFG:\n    model = 'swin_tiny_patch4_window7_224'\nm = timm.create_model(CFG.model, True)",
            "vision_transformer",
            "swin_tiny_patch4_window7_224",
        ),
        (
            "from tensorflow.keras.applications import DenseNet201\nm = DenseNet201(weights='imagenet')",
            "pretrained_cnn",
            "DenseNet201",
        ),
        (
            "import torchvision\nm = torchvision.models.resnet50(pretrained=True)",
            "pretrained_cnn",
            "resnet50",
        ),
        (
            "from torchvision.models.detection import fasterrcnn_resnet50_fpn\nm = fasterrcnn_resnet50_fpn()",
            "detection",
            "fasterrcnn_resnet50_fpn",
        ),
        (
            "import efficientnet.tfkeras as efn\nm = getattr(efn, 'EfficientNetB7')(weights='noisy-student')",
            "pretrained_cnn",
            "EfficientNetB7",
        ),
        (
            "from transformers import AutoModel\nm = AutoModel.from_pretrained('/kaggle/input/deberta-v3-base')",
            "transformer",
            "deberta-v3-base",
        ),
        (
            "from transformers import AutoModelForCausalLM\nm = AutoModelForCausalLM.from_pretrained('Qwen/Qwen2.5-7B')",
            "llm",
            "Qwen2.5-7B",
        ),
        (
            "from transformers import LlamaForSequenceClassification as L\nm = L.from_pretrained('/kaggle/input/llama-3/transformers/8b-chat-hf/1')",
            "llm",
            "llama-3",
        ),
        (
            "m = Gemma2ForSequenceClassification.from_pretrained(path)",
            "llm",
            "Gemma2ForSequenceClassification",
        ),
        (
            "import segmentation_models_pytorch as smp\nm = smp.Unet(encoder_name='resnet34')",
            "segmentation",
            "Unet",
        ),
        ("from ultralytics import YOLO\nm = YOLO('yolov8n.pt')", "detection", "yolov8n"),
        ("import esm\nm = esm.pretrained.esm2_t33_650M_UR50D()", "transformer", "esm2_t33_650M_UR50D"),
    ],
)
def test_pretrained_networks_have_the_family_of_their_checkpoint(code: str, family: str, name: str) -> None:
    found = read(code + "\nout = m(x)")
    assert [(m.family, m.name) for m in found.models] == [(family, name)]


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("microsoft/deberta-v3-large", "transformer"),
        ("vit_base_patch16_224", "vision_transformer"),
        ("facebook/dinov2-base", "vision_transformer"),
        ("convnext_tiny", "pretrained_cnn"),
        ("google/gemma-2-9b-it", "llm"),
        ("nvidia/segformer-b0", "segmentation"),
        ("my_own_net", None),
    ],
)
def test_checkpoint_names(name: str, family: str | None) -> None:
    assert family_of_checkpoint(name) == family


def test_a_backbone_inside_a_network_gives_it_its_family_and_name() -> None:
    found = read(
        """
        import timm, torch.nn as nn
        class Model(nn.Module):
            def __init__(self, name="resnet18"):
                super().__init__()
                self.backbone = timm.create_model(name, pretrained=True, num_classes=0)
                self.head = nn.Linear(512, 5)
        model = Model()
        loss = nn.MSELoss()(model(x), y)
        loss.backward()
        """
    )
    assert [(m.family, m.name, m.role) for m in found.models] == [("pretrained_cnn", "resnet18", "fitted")]


def test_backbones_that_are_passed_to_a_builder_are_in_the_network() -> None:
    found = read(
        """
        import tensorflow as tf
        from tensorflow.keras.applications import Xception
        def build(base):
            return tf.keras.Sequential([base, tf.keras.layers.Dense(104)])
        model = build(Xception(weights="imagenet", include_top=False))
        model.fit(data, epochs=2)
        """
    )
    assert [(m.family, m.name, m.role) for m in found.models] == [("pretrained_cnn", "Xception", "fitted")]


def test_a_frozen_network_that_computes_features_stands_behind_the_model() -> None:
    found = read(
        """
        from transformers import AutoModel
        net = AutoModel.from_pretrained("facebook/dinov2-small")
        features = [net(image) for image in images]
        model = Ridge().fit(np.array(features), y)
        """
    )
    assert [(m.family, m.role) for m in found.models] == [
        ("linear", "fitted"),
        ("vision_transformer", "applied"),
    ]


def test_generators_u_nets_and_autoencoders_are_known_by_their_names() -> None:
    conv = "import torch.nn as nn\nclass {0}(nn.Module):\n    def __init__(self):\n        self.a = nn.Conv2d(3, 8, 3)\nm = {0}()\nm(x).backward()"
    families = {
        name: read(conv.format(name)).models[0].family
        for name in ("UNet", "Discriminator", "AutoEncoder", "Net")
    }
    assert families == {
        "UNet": "segmentation",
        "Discriminator": "gan",
        "AutoEncoder": "autoencoder",
        "Net": "cnn",
    }


def test_training_of_a_keras_network() -> None:
    found = read(
        """
        from tensorflow import keras
        BATCH = 16 * 8
        model = keras.Sequential([keras.layers.Dense(32), keras.layers.Dense(1, activation="sigmoid")])
        model.compile(optimizer=keras.optimizers.Adam(learning_rate=1e-3), loss="binary_crossentropy", metrics=["accuracy"])
        stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
        plateau = keras.callbacks.ReduceLROnPlateau()
        model.fit(X, y, epochs=50, batch_size=BATCH, validation_split=0.1, callbacks=[stop, plateau], class_weight=weights)
        """
    )
    assert [
        (s.kind, s.how, s.detail)
        for s in found.of("optimizer", "loss", "epochs", "batch", "stop", "schedule", "weights")
    ] == [
        ("optimizer", "Adam", "0.001"),
        ("loss", "binary cross-entropy", ""),
        ("stop", "", "5"),
        ("schedule", "reduced on plateaus", ""),
        ("epochs", "", "50"),
        ("batch", "", "128"),
        ("weights", "class weights", ""),
    ]
    assert hyperparameters_of(found) == {
        "optimizer": "Adam",
        "learning_rate": 0.001,
        "epochs": 50,
        "batch_size": 128,
    }


def test_training_arguments_of_transformers() -> None:
    found = read(
        """
        from transformers import AutoModelForSequenceClassification, Trainer, TrainingArguments
        model = AutoModelForSequenceClassification.from_pretrained("roberta-base")
        args = TrainingArguments("out", learning_rate=2e-5, num_train_epochs=3, per_device_train_batch_size=8, fp16=True)
        trainer = Trainer(model, args, train_dataset=train, eval_dataset=valid)
        trainer.train()
        """
    )
    assert [(m.name, m.role) for m in found.models] == [("roberta-base", "fitted")]
    assert (found.of("optimizer")[0].detail, found.of("epochs")[0].detail, found.of("batch")[0].detail) == (
        "2e-05",
        "3",
        "8",
    )
    assert found.of("precision")
    assert [s.scheme for s in found.splits] == ["holdout"]
