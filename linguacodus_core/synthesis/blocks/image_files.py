"""Verified blocks that find the image of each id in folders, tar and zip files, and read it as an array."""

import io
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image, ImageOps

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff")
TAR_ENDINGS = (".tar", ".tar.gz", ".tgz")


def archive_members(path: str) -> list[str]:
    """The names inside a tar (.gz) or zip; none of any other file, nor of an archive that cannot be read."""
    try:
        if path.lower().endswith(TAR_ENDINGS):
            with tarfile.open(path, "r|*") as archive:
                return [entry.name for entry in archive if entry.isfile()]
        if path.lower().endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                return archive.namelist()
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error) as error:
        print(f"{path} cannot be read: {error}")
    return []


def find_images(data_dir: str) -> dict[str, tuple[str, str]]:
    """Every image under data_dir: its path there, archives taken for folders -> (container, member).

    A container is data_dir itself, a tar (.gz) or a zip; an unreadable archive is named and left out.
    """
    found: dict[str, tuple[str, str]] = {}
    for folder, _, files in sorted(os.walk(data_dir)):
        for file in sorted(files):
            path = Path(folder) / file
            inside = path.relative_to(data_dir).as_posix()
            if file.lower().endswith(IMAGE_ENDINGS) and not file.startswith("."):
                found[inside] = (str(data_dir), inside)
            for member in archive_members(str(path)):
                hidden = PurePosixPath(member).name.startswith(".") or member.startswith("__MACOSX")
                if member.lower().endswith(IMAGE_ENDINGS) and not hidden:
                    found[f"{inside}/{member.removeprefix('./')}"] = (str(path), member)
    return found


def match_images(
    found: dict[str, tuple[str, str]], ids: list[Any], prefer: str = ""
) -> list[tuple[str, str] | None]:
    """The (container, member) of each id, by path, file name or name without ending; None where none fits.

    Of several images with the same name, the one with `prefer` ("train" or "test") in its path is taken.
    """
    by_name: dict[str, tuple[str, str]] = {}
    for key in sorted(found, key=lambda key: prefer not in key.lower()):
        parts = PurePosixPath(key.lower()).parts
        for depth in range(len(parts)):
            tail = PurePosixPath(*parts[depth:])
            stem = str(tail.with_suffix(""))
            for name in (str(tail), stem, stem.lstrip("0") or "0"):
                by_name.setdefault(name, found[key])
    places = []
    for identity in ids:
        name = str(identity).strip().lower().replace("\\", "/").removeprefix("./")
        place = by_name.get(name) or by_name.get(name.lstrip("0") or "0")
        if place is None and name.endswith(IMAGE_ENDINGS):  # the same image in another format
            place = by_name.get(str(PurePosixPath(name).with_suffix("")))
        places.append(place)
    return places


def decode_image(content: bytes, size: int) -> np.ndarray | None:
    """One image as uint8 size x size x 3 (stretched to the square), or None when it is broken."""
    try:
        image: Image.Image = Image.open(io.BytesIO(content))
        image.draft("RGB", (size, size))  # lets JPEG decode at a fraction of its size
        image = ImageOps.exif_transpose(image)
        if image.mode in ("I", "F") or image.mode.startswith("I;16"):  # more than 8 bits of grey
            grey = np.asarray(image, dtype=np.float32)
            grey = (grey - grey.min()) / max(float(np.ptp(grey)), 1e-9) * 255
            image = Image.fromarray(grey.astype(np.uint8))
        image = image.convert("RGB")
        if image.size != (size, size):
            image = image.resize((size, size), Image.Resampling.BOX if min(image.size) > size else None)
        return np.asarray(image, dtype=np.uint8)
    except Exception:  # Pillow raises many kinds for damaged files: whatever it is, the image is unusable
        return None


def stream_contents(container: str, members: set[str]) -> Iterator[tuple[str, bytes]]:
    """The bytes of the wanted members of one container; a tar is read once, from start to end."""
    try:
        if Path(container).is_dir():
            for member in sorted(members):
                file = Path(container) / member
                if file.is_file():
                    yield member, file.read_bytes()
        elif container.lower().endswith(".zip"):
            with zipfile.ZipFile(container) as archive:
                for member in archive.namelist():
                    if member in members:
                        yield member, archive.read(member)
        else:
            with tarfile.open(container, "r|*") as stream:
                for entry in stream:
                    content = stream.extractfile(entry) if entry.name in members and entry.isfile() else None
                    if content is not None:
                        yield entry.name, content.read()
    except (OSError, EOFError, RuntimeError, tarfile.TarError, zipfile.BadZipFile, zlib.error) as error:
        print(f"{container} is damaged: {error}")


def load_images(places: list[tuple[str, str] | None], size: int) -> tuple[np.ndarray, int]:
    """uint8 n x size x size x 3, and how many were missing or broken (those are all zeros)."""
    images = np.zeros((len(places), size, size, 3), dtype=np.uint8)
    rows: dict[str, dict[str, list[int]]] = {}
    for row, place in enumerate(places):
        if place is not None:
            rows.setdefault(place[0], {}).setdefault(place[1], []).append(row)
    good = 0
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        pending: list[tuple[list[int], Future[np.ndarray | None]]] = []

        def store(keep: int) -> int:
            stored = 0
            while len(pending) > keep:
                wanted, future = pending.pop(0)
                image = future.result()
                if image is not None:
                    images[wanted] = image
                    stored += len(wanted)
            return stored

        for container, members in rows.items():
            for member, content in stream_contents(container, set(members)):
                pending.append((members.pop(member, []), pool.submit(decode_image, content, size)))
                good += store(keep=64)  # so that no more than these images wait in memory
        good += store(keep=0)
    return images, len(places) - good


def native_size(places: list[tuple[str, str] | None], sample: int = 20, largest: int = 64) -> int:
    """The median shorter side of the first readable images, at most `largest` and at least 8 pixels."""
    by_container: dict[str, set[str]] = {}
    for place in places:
        if place is not None and sum(map(len, by_container.values())) < 50 * sample:
            by_container.setdefault(place[0], set()).add(place[1])
    sides: list[int] = []
    for container, members in by_container.items():
        for _, content in stream_contents(container, members):
            try:
                sides.append(min(Image.open(io.BytesIO(content)).size))
            except Exception:  # a broken image has no size
                continue
            if len(sides) >= sample:
                break
    return int(np.clip(np.median(sides), 8, largest)) if sides else largest


def read_images(
    train_ids: list[Any], test_ids: list[Any], data_dir: str = "data", size: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The images of the train and the test ids, uint8 n x size x size x 3; size 0 takes their own, up to 64.

    Every archive is opened once for its names and once for its images. Images that are missing or broken are
    black, and their number is printed.
    """
    found = find_images(data_dir)
    places = match_images(found, list(train_ids), "train") + match_images(found, list(test_ids), "test")
    size = size or native_size(places)
    images, failed = load_images(places, size)
    print(f"images: {len(places)} read at {size} x {size}, {failed} missing or broken")
    return images[: len(train_ids)], images[len(train_ids) :]
