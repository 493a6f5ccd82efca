"""Names in widgets, and the files they stand for. Paths never leave ComfyUI's own folders."""

import re
from pathlib import Path, PurePosixPath, PureWindowsPath

import folder_paths

from ..ace_core.errors import CheckpointError, SaveError
from ..ace_core.weights.published import where_to_get


def choices(folder: str) -> list[str]:
    """The model files that a widget may name, as ComfyUI lists them."""
    return folder_paths.get_filename_list(folder)


def complaint(folder: str, name: str) -> str | None:
    """What is wrong with `name` as a file of models/`folder`; `None` when it is there."""
    if folder_paths.get_full_path(folder, name) is not None:
        return None
    places = " or ".join(folder_paths.get_folder_paths(folder))
    return (
        f"{name!r} is not in models/{folder}. Put it in {places} and press R to refresh. "
        f"{where_to_get(name, folder)}"
    )


def model_path(folder: str, name: str) -> Path:
    """The file that a widget names.

    Raises:
        CheckpointError: it is not there.
    """
    problem = complaint(folder, name)
    if problem is not None:
        raise CheckpointError(problem)
    return Path(folder_paths.get_full_path(folder, name))


def check_prefix(prefix: str) -> str:
    """`prefix` itself, if it names a place inside the output folder.

    Raises:
        SaveError: it is empty, absolute, or climbs with `..`.
    """
    parts = PureWindowsPath(prefix).parts  # splits at both kinds of slash
    absolute = PurePosixPath(prefix).is_absolute() or PureWindowsPath(prefix).anchor
    if not prefix.strip() or absolute or ".." in parts:
        raise SaveError(
            f"{prefix!r} is not a name inside the output folder. Write a file name such as "
            "'song', or one with folders such as 'audio/song', without '..' and without a leading "
            "slash or drive."
        )
    return prefix


def prefix_complaint(prefix: str) -> str | None:
    """What is wrong with `prefix`, for a node that validates it before anything runs."""
    try:
        check_prefix(prefix)
    except SaveError as error:
        return str(error)
    return None


def output_place(prefix: str) -> tuple[Path, str, int, str]:
    """Folder, file name, next counter and subfolder for files named after `prefix`."""
    root = folder_paths.get_output_directory()
    folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(
        check_prefix(prefix), root
    )
    return Path(folder), name, counter, subfolder


def output_files(prefix: str, count: int, suffix: str) -> list[Path]:
    """Names for `count` new files after `prefix`, in a folder that exists."""
    folder, name, counter, _ = output_place(prefix)
    stems = [name.replace("%batch_num%", str(number)) for number in range(count)]
    return [folder / f"{stem}_{counter + number:05}_.{suffix}" for number, stem in enumerate(stems)]


def write_text(path: Path, text: str) -> None:
    """
    Raises:
        SaveError: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SaveError(
            f"{path} cannot be written: {error.strerror or error}. Free space or choose another "
            "folder, and run it again."
        ) from error


def temporary_file(name: str) -> Path:
    """`name` in the folder of files that the page may ask for until ComfyUI ends, which exists.

    Raises:
        SaveError: the folder cannot be made.
    """
    folder = Path(folder_paths.get_temp_directory())
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(
            f"{folder} cannot be made: {error.strerror or error}. Make room, or choose another "
            "folder with ComfyUI's option --temp-directory."
        ) from error
    return folder / name


def file_name(text: str) -> str:
    """`text` without what a file's name cannot hold on every system."""
    return re.sub(r'[\x00-\x1f<>:"/\\|?*\s]+', "_", text).strip("._") or "stem"
