"""Layers, backbones and checkpoints: what kind of network they make."""

import re
from typing import Final

from linguacodus_core.extraction.vocabulary import word_set

LAYER_KINDS: Final[dict[str, str]] = {
    **dict.fromkeys(word_set("Dense Linear LazyLinear DenseFeatures DenseLayer"), "dense"),
    **dict.fromkeys(
        word_set("Conv2D Conv2d Conv2DLayer Convolution2D SeparableConv2D DepthwiseConv2D LazyConv2d"),
        "conv2d",
    ),
    **dict.fromkeys(word_set("Conv1D Conv1d SeparableConv1D"), "conv1d"),
    **dict.fromkeys(word_set("Conv3D Conv3d"), "conv3d"),
    "Parameter": "parameter",
    **dict.fromkeys(
        word_set("Conv2DTranspose ConvTranspose2d ConvTranspose1d Conv1DTranspose"), "transposed"
    ),
    **dict.fromkeys(word_set("LSTM CuDNNLSTM LSTMCell ConvLSTM2D"), "lstm"),
    **dict.fromkeys(word_set("GRU CuDNNGRU GRUCell"), "gru"),
    **dict.fromkeys(word_set("SimpleRNN RNN"), "rnn"),
    **dict.fromkeys(word_set("Bidirectional"), "bidirectional"),
    **dict.fromkeys(
        word_set(
            "MultiheadAttention MultiHeadAttention TransformerEncoderLayer TransformerDecoderLayer "
            "Transformer "
            "TransformerEncoder TransformerDecoder TokenAndPositionEmbedding"
        ),
        "attention",
    ),
    **dict.fromkeys(word_set("Embedding EmbeddingBag"), "embedding"),
    **dict.fromkeys(
        word_set("Dropout Dropout2d Dropout1d SpatialDropout1D SpatialDropout2D AlphaDropout"), "dropout"
    ),
    **dict.fromkeys(word_set("BatchNormalization BatchNorm1d BatchNorm2d"), "batch norm"),
    **dict.fromkeys(
        word_set("LayerNormalization LayerNorm GroupNorm InstanceNorm2d InstanceNormalization"), "norm"
    ),
    **dict.fromkeys(
        word_set("MaxPooling2D MaxPool2D MaxPool2d MaxPooling1D MaxPool1D MaxPool1d"), "max pooling"
    ),
    **dict.fromkeys(word_set("GlobalAveragePooling2D AdaptiveAvgPool2d GlobalAvgPool2D"), "average pooling"),
    **dict.fromkeys(
        word_set("GCNConv GATConv SAGEConv GINConv GraphConv TransformerConv GATv2Conv"), "graph"
    ),
}
"""Layer class -> its kind."""

NETWORK_LIBRARIES: Final = word_set(
    "torch tensorflow keras tf_keras tensorflow_addons torch_geometric keras_nlp keras_hub paddle mxnet flax "
    "tflearn fastai lasagne nolearn"
)

CONTAINERS: Final = frozenset(["Sequential", "Model", "Functional", "NeuralNet"])
"""Keras and PyTorch containers, of `NETWORK_LIBRARIES`."""

NETWORK_BASES: Final = re.compile(
    r"(^|\.)(nn\.Module|Module|LightningModule|keras\.Model|models\.Model|PreTrainedModel|"
    r"\w+PreTrainedModel|keras\.layers\.Layer|layers\.Layer)$"
)
"""Base classes, by their full name, that make a class a network or a part of one."""

_PRETRAINED_CNN = (
    r"efficient_?net|effnet|resnet|resnext|densenet|inception|xception|mobile_?net|vgg|nasnet|regnet|convnext|"
    r"nfnet|rexnet|ghostnet|hrnet|mnasnet|squeezenet|shufflenet|darknet|dpn\d|res2net|resnest|alexnet|"
    r"googlenet|mixnet|senet|tinynet|hardcorenas|cspnet|bit_m|bit-m|hgnet|repvgg|fastvit"
)
_VISION_TRANSFORMER = (
    r"\bvit|[-_/]vit|vit[-_.]|vision_?transformer|swin|deit|beit|dinov?\d?|\bclip|clip-|siglip|eva0?2|maxvit|"
    r"coatnet|maxxvit|caformer|convformer|poolformer|tiny_?vit|mvit|pvt_|levit|cait|xcit|volo|davit|aimv2|blip"
)
_LLM = (
    r"llama|gemma|qwen|mistral|mixtral|phi-?[1-4]|falcon-|zephyr|deepseek|\byi-|gpt|chatglm|vicuna|"
    r"openchat|internlm|glm-|causallm|bloom|opt-\d|command-r|olmo|stablelm|\bllm|smollm|gptq|baichuan"
)
_TRANSFORMER = (
    r"bert|electra|xlnet|longformer|bigbird|\bt5|t5[-_]|[-_]t5|mpnet|minilm|ernie|bart|sentence|\besm|[-_]esm|"
    r"prot_?t5|ankh|funnel|reformer|e5-|bge-|gte-|universal-sentence|wav2vec|whisper|pegasus|nnlm|luke|"
    r"camembert|xlm|marian|transformer|timesfm|chronos|moirai"
)
_SEGMENTATION = (
    r"u-?net|segformer|deeplab|mask2former|oneformer|linknet|pspnet|upernet|\bfpn|\bsam\b|"
    r"sam2|sam_|mask_?rcnn|maskrcnn|pan\b|fcn_|-seg\b"
)
_DETECTION = (
    r"yolo|faster_?rcnn|fasterrcnn|retinanet|\bdetr|detr_|effdet|efficientdet|fcos|centernet|"
    r"\bssd|rtdetr|groundingdino|keypoint_?rcnn"
)
_DIFFUSION = r"diffusion|ddpm|stable-diffusion|unet2dmodel"

_PATTERNS: Final = tuple(
    (family, re.compile(pattern, re.IGNORECASE))
    for family, pattern in (
        ("diffusion", _DIFFUSION),
        ("detection", _DETECTION),
        ("segmentation", _SEGMENTATION),
        ("llm", _LLM),
        ("vision_transformer", _VISION_TRANSFORMER),
        ("pretrained_cnn", _PRETRAINED_CNN),
        ("transformer", _TRANSFORMER),
    )
)


def family_of_checkpoint(name: str) -> str | None:
    """The family of a checkpoint or architecture by its name ("tf_efficientnet_b0_ns"), None if unknown."""
    for family, pattern in _PATTERNS:
        if pattern.search(name):
            return family
    return None


BACKBONES: Final = re.compile(
    r"^(EfficientNet|ResNet|DenseNet|Inception|Xception|MobileNet|VGG|NASNet|RegNet|ConvNeXt|SEResNe|ResNeXt|"
    r"resnet|resnext|densenet|inception|xception|mobilenet|vgg|efficientnet|convnext|vit_|swin|wide_resnet|"
    r"mnasnet|regnet|squeezenet|shufflenet|alexnet|googlenet|maxvit|ViT)\w*\d*\w*$"
)
"""Functions of keras.applications, torchvision.models and their like, by their bare name."""

HUB_CLASSES: Final[dict[str, str]] = {
    "AutoModelForCausalLM": "llm",
    "AutoPeftModelForCausalLM": "llm",
    "AutoModelForSeq2SeqLM": "transformer",
    "AutoModelForImageClassification": "vision_transformer",
    "AutoModelForSemanticSegmentation": "segmentation",
    "AutoModelForObjectDetection": "detection",
    "AutoModelForSequenceClassification": "transformer",
    "TFAutoModelForSequenceClassification": "transformer",
    "AutoModelForTokenClassification": "transformer",
    "AutoModelForMultipleChoice": "transformer",
    "AutoModelForMaskedLM": "transformer",
    "AutoModel": "transformer",
    "TFAutoModel": "transformer",
    "LLM": "llm",
    "SentenceTransformer": "transformer",
    "CrossEncoder": "transformer",
}
"""Classes of transformers and its like that load a checkpoint -> family where the checkpoint is unknown."""

_HUB_ROOTS = word_set(
    "transformers diffusers vllm sentence_transformers keras_nlp keras_hub simpletransformers esm open_clip"
)
_NO_MODEL = re.compile(
    r"Tokenizer|Processor|Config|FeatureExtractor|Preprocessor|Collator|Arguments|Dataset|Trainer$"
)


def hub_family(last: str, root: str) -> str | None:
    """The family of a class of a model hub's library by its name, None where it is no model."""
    if last in HUB_CLASSES:
        return HUB_CLASSES[last]
    if root == "diffusers":
        return "diffusion" if re.search(r"Pipeline|Model", last) else None
    if root not in _HUB_ROOTS or _NO_MODEL.search(last) or not last[:1].isupper():
        return None
    if re.search(r"Model|For[A-Z]\w+|Classifier|Backbone|Regressor|LM\b|Masker", last):
        return family_of_checkpoint(last) or "transformer"
    return None


MAKERS: Final[dict[str, str]] = {
    "timm.create_model": "pretrained_cnn",
    "torch.hub.load": "pretrained_cnn",
    "tensorflow_hub.KerasLayer": "transformer",
    "tensorflow_hub.load": "pretrained_cnn",
    "transformers.pipeline": "transformer",
    "ultralytics.YOLO": "detection",
    "effdet.create_model": "detection",
    "sentence_transformers.SentenceTransformer": "transformer",
    "sentence_transformers.CrossEncoder": "transformer",
    "open_clip.create_model_and_transforms": "vision_transformer",
    "vllm.LLM": "llm",
    "esm.pretrained.esm2_t33_650M_UR50D": "transformer",
    "segmentation_models.Unet": "segmentation",
    "segmentation_models.Linknet": "segmentation",
    "segmentation_models.FPN": "segmentation",
    "segmentation_models.PSPNet": "segmentation",
    "ktrain.text.Transformer": "transformer",
    "ktrain.text.text_classifier": "transformer",
    "simpletransformers.classification.ClassificationModel": "transformer",
}
"""Functions, by their full name, that load a network -> family where its name says nothing."""

FASTAI: Final[dict[str, str]] = {
    "cnn_learner": "pretrained_cnn",
    "vision_learner": "pretrained_cnn",
    "create_cnn": "pretrained_cnn",
    "unet_learner": "segmentation",
    "tabular_learner": "mlp",
    "text_classifier_learner": "rnn",
    "language_model_learner": "rnn",
    "collab_learner": "recommender",
}
"""fastai's learners -> family."""


def classify(layers: dict[str, int], title: str) -> tuple[str, tuple[str, ...]]:
    """(family, further families) of a network by its kinds of layer and the name that its author gave it."""
    have = {kind for kind, count in layers.items() if count}
    convolutional = bool(have & {"conv1d", "conv2d", "conv3d"})
    if re.search(r"u_?net|segment|deeplab|fpn", title, re.IGNORECASE) and convolutional:
        return "segmentation", ()
    if re.search(r"generator|discriminator|gan\b|gan_|^gan|cycle", title, re.IGNORECASE) and have:
        return "gan", ("cnn",) if convolutional else ()
    if re.search(r"auto_?encoder|\bvae|vae\b", title, re.IGNORECASE):
        return "autoencoder", ("cnn",) if convolutional else ()
    if "graph" in have:
        return "graph_network", ()
    recurrent = bool(have & {"lstm", "gru", "rnn"})
    found: list[str] = []
    if "attention" in have and not recurrent:
        found.append("transformer")
    if recurrent:
        found.append("rnn")
        if "attention" in have:
            found.append("transformer")
    if convolutional:
        found.append("cnn")
    if not found:
        found.append("mlp")
    return found[0], tuple(found[1:])
