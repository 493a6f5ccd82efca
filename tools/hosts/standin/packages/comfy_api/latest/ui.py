"""Stand-in for `comfy_api.latest.ui`: what a node shows, as the dictionaries of /history."""

import random
import string
from pathlib import Path
from typing import Any

import folder_paths
import numpy as np
import torch
from PIL import Image

from .options import FolderType


class SavedResult(dict[str, str]):
    """Where a file was written, relative to its folder."""

    def __init__(self, filename: str, subfolder: str, type: FolderType) -> None:
        super().__init__(filename=filename, subfolder=subfolder, type=type.value)


class SavedAudios:
    def __init__(self, results: list[SavedResult]) -> None:
        self.results = results

    def as_dict(self) -> dict[str, Any]:
        return {"audio": self.results}


class SavedImages:
    def __init__(self, results: list[SavedResult], is_animated: bool = False) -> None:
        self.results = results
        self.is_animated = is_animated

    def as_dict(self) -> dict[str, Any]:
        return {"images": self.results} | ({"animated": (True,)} if self.is_animated else {})


class PreviewText:
    def __init__(self, value: str, **_: Any) -> None:
        self.value = value

    def as_dict(self) -> dict[str, Any]:
        return {"text": (self.value,)}


class PreviewImage:
    """Writes PNG files of `image` [B, H, W, C] to the temp folder."""

    def __init__(self, image: torch.Tensor, animated: bool = False, cls: Any = None, **_: Any):
        self.animated = animated
        self.values = []
        for picture in image:
            path, result = _temp_file("png")
            save_png(picture, path)
            self.values.append(result)

    def as_dict(self) -> dict[str, Any]:
        return {"images": self.values, "animated": (self.animated,)}


def save_png(picture: torch.Tensor, path: Path) -> None:
    """Write one picture [H, W, C] with values 0 to 1."""
    pixels = np.clip(255.0 * picture.detach().cpu().float().numpy(), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path)


def _temp_file(suffix: str) -> tuple[Path, SavedResult]:
    prefix = "standin_temp_" + "".join(random.choices(string.ascii_lowercase, k=5))
    folder, name, count, subfolder, _ = folder_paths.get_save_image_path(
        prefix, folder_paths.get_temp_directory()
    )
    file = f"{name}_{count:05}_.{suffix}"
    return Path(folder) / file, SavedResult(file, subfolder, FolderType.temp)
