"""Stand-in for ComfyUI's `folder_paths`: model folders, output names, nothing cached.

`tools.hosts.standin.activate` points it at a base directory.
"""

import os
import re
import time

supported_pt_extensions: set[str] = {
    ".ckpt", ".pt", ".pt2", ".bin", ".pth", ".safetensors", ".pkl", ".sft"
}  # fmt: skip
folder_names_and_paths: dict[str, tuple[list[str], set[str]]] = {}
base_path = models_dir = ""
output_directory = temp_directory = input_directory = user_directory = ""

_MODEL_FOLDERS = {
    "checkpoints": ("checkpoints",),
    "loras": ("loras",),
    "vae": ("vae",),
    "text_encoders": ("text_encoders", "clip"),
    "diffusion_models": ("unet", "diffusion_models"),
}


def set_base_directory(path: str) -> None:
    """Forget everything and start over below `path` (only the stand-in has this)."""
    global base_path, models_dir
    global output_directory, temp_directory, input_directory, user_directory
    base_path = os.path.abspath(path)
    models_dir = os.path.join(base_path, "models")
    output_directory, temp_directory, input_directory, user_directory = (
        os.path.join(base_path, name) for name in ("output", "temp", "input", "user")
    )
    folder_names_and_paths.clear()
    for name, folders in _MODEL_FOLDERS.items():
        paths = [os.path.join(models_dir, folder) for folder in folders]
        folder_names_and_paths[name] = (paths, supported_pt_extensions)
    for folder in (output_directory, temp_directory, input_directory, user_directory):
        os.makedirs(folder, exist_ok=True)


def get_output_directory() -> str:
    return output_directory


def get_temp_directory() -> str:
    return temp_directory


def get_system_user_directory(name: str) -> str:
    return os.path.join(user_directory, f"__{name}")


def get_input_directory() -> str:
    return input_directory


def get_folder_paths(folder_name: str) -> list[str]:
    return folder_names_and_paths[folder_name][0][:]


def get_filename_list(folder_name: str) -> list[str]:
    folders, suffixes = folder_names_and_paths[folder_name]
    found = {
        os.path.relpath(os.path.join(place, file), folder)
        for folder in folders
        for place, _, files in os.walk(folder, followlinks=True)
        for file in files
        if not suffixes or os.path.splitext(file)[-1].lower() in suffixes
    }
    return sorted(found)


def get_full_path(folder_name: str, filename: str) -> str | None:
    """The first file of that name; a name cannot climb out of its folder."""
    inside = os.path.relpath(os.path.join("/", filename), "/")
    folders, _ = folder_names_and_paths.get(folder_name, ([], set()))
    paths = (os.path.join(folder, inside) for folder in folders)
    return next((path for path in paths if os.path.isfile(path)), None)


def get_save_image_path(
    filename_prefix: str, output_dir: str, image_width: int = 0, image_height: int = 0
) -> tuple[str, str, int, str, str]:
    """Folder, name, next counter, subfolder and prefix for `{name}_{counter:05}_.ext`."""
    prefix = _fill(filename_prefix, image_width, image_height)
    subfolder, name = os.path.split(os.path.normpath(prefix))
    folder = os.path.join(output_dir, subfolder)
    if os.path.commonpath((output_dir, os.path.abspath(folder))) != output_dir:
        raise Exception("**** ERROR: Saving image outside the output folder is not allowed.")
    os.makedirs(folder, exist_ok=True)
    counted = re.compile(re.escape(name) + r"_(\d+)(?=[_.]|$)")
    counts = [counted.match(file) for file in os.listdir(folder)]
    last = max((int(count.group(1)) for count in counts if count), default=0)
    return folder, name, last + 1, subfolder, prefix


def _fill(prefix: str, width: int, height: int) -> str:
    now = time.localtime()
    fields = {"width": str(width), "height": str(height), "year": str(now.tm_year)}
    clock = zip(("month", "day", "hour", "minute", "second"), now[1:6], strict=True)
    fields |= {name: str(value).zfill(2) for name, value in clock}
    for name, value in fields.items():
        prefix = prefix.replace(f"%{name}%", value)
    return prefix
