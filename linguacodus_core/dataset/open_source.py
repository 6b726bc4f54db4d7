"""The source that a request names, ready to be read."""

from pathlib import Path

from linguacodus_core.dataset.request import RebuildRequest
from linguacodus_core.errors import CorpusError
from linguacodus_core.settings import local_home
from linguacodus_core.sources.code4ml import Code4MLSource
from linguacodus_core.sources.kaggle_api import KaggleSource
from linguacodus_core.sources.kernels import KernelsSource
from linguacodus_core.sources.narrowed import Narrowed
from linguacodus_core.sources.sample import SampleSource
from linguacodus_core.sources.source import Source


def kaggle_folder(request: RebuildRequest) -> Path:
    """Where pulled kernels are kept."""
    return request.path or local_home() / "kaggle"


def open_source(request: RebuildRequest) -> Source:
    """The source of a request. Raises CorpusError when its folder is missing."""
    if request.source == "sample":
        return _only(SampleSource(), request)
    if request.source == "kaggle":
        return KaggleSource(kaggle_folder(request), request.competitions)
    if request.path is None or not request.path.is_dir():
        raise CorpusError(f"there is no folder {request.path}", "give the corpus's folder: --path DIR")
    if request.source == "code4ml":
        return _only(Code4MLSource(request.path), request)
    return _only(KernelsSource(request.path, request.competitions_file), request)


def _only(source: Source, request: RebuildRequest) -> Source:
    return Narrowed(source, request.competitions) if request.competitions else source
