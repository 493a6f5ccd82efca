"""Names in widgets, and the files they stand for. Paths never leave ComfyUI's own folders."""

import mimetypes
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path, PurePosixPath, PureWindowsPath

import folder_paths
from comfy_api.latest import io, ui

from ..ace_core.errors import CheckpointError, InvalidAudioError, SaveError
from ..ace_core.texts import name_fault, shown
from ..ace_core.weights.published import addresses, published
from ..ace_core.writing import (
    Content,
    bytes_content,
    make_folder,
    save_errors,
    write_file,
    write_set,
)

EXAMPLES = Path(__file__).parents[1] / "web" / "recordings"  # the page plays them from there
EXAMPLE = " [example]"  # behind a name, as ComfyUI's own [input] and [output]


def choices(folder: str) -> list[str]:
    """The model files that a widget may name, as ComfyUI lists them."""
    return folder_paths.get_filename_list(folder)


def complaint(folder: str, name: str) -> str | None:
    """What is wrong with `name` as a file of models/`folder`; `None` when it is there."""
    if folder_paths.get_full_path(folder, name) is not None:
        return None
    places = folder_paths.get_folder_paths(folder)
    usual_first = sorted(places, key=lambda place: Path(place).name != folder)
    where = f"put it in {' or '.join(usual_first)} and press R to refresh"
    file = published(name, folder)
    if file is not None:
        return f"{name!r} is not in models/{folder}. Download it from {file.url}, {where}."
    return f"{name!r} is not in models/{folder}. If you have it, {where}. {addresses(folder)}"


def model_path(folder: str, name: str) -> Path:
    """The file that a widget names.

    Raises:
        CheckpointError: it is not there.
    """
    problem = complaint(folder, name)
    if problem is not None:
        raise CheckpointError(problem)
    return Path(folder_paths.get_full_path(folder, name))


def recordings() -> list[str]:
    """The recordings that come with the pack, then the sounds and videos of the input folder."""
    examples = sorted(path.name + EXAMPLE for path in EXAMPLES.glob("*.flac"))
    folder = folder_paths.get_input_directory()
    found = os.listdir(folder) if os.path.isdir(folder) else []
    return examples + sorted(filter(_has_sound, found))


def _has_sound(name: str) -> bool:
    kind, _ = mimetypes.guess_type(name, strict=False)
    return kind is not None and kind.split("/")[0] in ("audio", "video")


def recording_path(name: str) -> Path:
    """The file that a widget with `recordings` names; one of the output or temp folder too, where
    ComfyUI's mark says so.

    Raises:
        InvalidAudioError: it is not there, or outside of these folders.
    """
    marked = {
        EXAMPLE: str(EXAMPLES),
        " [input]": folder_paths.get_input_directory(),
        " [output]": folder_paths.get_output_directory(),
        " [temp]": folder_paths.get_temp_directory(),
    }
    mark = next((each for each in marked if name.endswith(each)), "")
    root = marked.get(mark, folder_paths.get_input_directory())
    path = Path(root) / name.removesuffix(mark)
    inside = Path(os.path.abspath(path)).is_relative_to(os.path.abspath(root))
    if not inside or not path.is_file():
        raise InvalidAudioError(
            f"There is no recording {shown(name)!r}. Choose one from the list or with the button "
            f"of the node, or put it in {folder_paths.get_input_directory()} and press R to "
            "refresh."
        )
    return path


def check_prefix(prefix: str) -> str:
    """`prefix` itself, if it names a file inside the output folder that every system can hold.

    Raises:
        SaveError: it is empty, absolute, climbs with `..`, or has a part that some system refuses.
    """
    parts = PureWindowsPath(prefix).parts  # splits at both kinds of slash
    absolute = PurePosixPath(prefix).is_absolute() or PureWindowsPath(prefix).root
    if not prefix.strip() or not parts or absolute or ".." in parts:
        raise SaveError(
            f"{shown(prefix)!r} is not a name inside the output folder. Write a file name such as "
            "'song', or one with folders such as 'audio/song', without '..' and without a leading "
            "slash or drive."
        )
    for part in re.split(r"[/\\]", prefix):
        if part != "." and (fault := name_fault(part)):
            raise SaveError(
                f"{shown(prefix)!r} is no name for a file: {shown(part)!r} {fault}. Not every "
                "system can hold it; choose another."
            )
    return prefix


@dataclass(frozen=True, slots=True)
class Output:
    """Where the files of one run go. `name` may hold %batch_num%; `subfolder` is that of the page.

    Files are `{name}_{number:05}{ending}`; the first number is above all that are there.
    """

    folder: Path
    name: str
    subfolder: str

    def writes(self, items: Sequence[Mapping[str, Content]]) -> list[Callable[[], list[Path]]]:
        """What writes the files of each item, by their endings, and gives their paths. All files of
        an item get one number, the first that is free for all of them.

        They may be called at the same time: each begins at a number of its own.

        Raises, each when it is called:
            SaveError: they cannot be written; none of them is then there.
        """
        stems = [self.name.replace("%batch_num%", str(item)) for item in range(len(items))]
        last = {stem: _last_number(self.folder, stem) for stem in stems}
        firsts = [last[stem] + stems[: item + 1].count(stem) for item, stem in enumerate(stems)]
        return [partial(self._write, *each) for each in zip(items, stems, firsts, strict=True)]

    def _write(self, contents: Mapping[str, Content], stem: str, first: int) -> list[Path]:
        names = (
            [self.folder / f"{stem}_{number:05}{ending}" for ending in contents]
            for number in count(first)
        )
        return write_set(list(contents.values()), names) if contents else []

    def save_folder(self, contents: Mapping[str, Content]) -> list[ui.SavedResult]:
        """Write files by their names into a folder of their own, `{name}_{number:05}`.

        Raises:
            SaveError: they cannot be written; none of them is then there.
        """
        folder = self._new_folder()
        try:
            names = iter([[folder / name for name in contents]])
            paths = write_set(list(contents.values()), names)
        except BaseException:
            with suppress(OSError):
                folder.rmdir()
            raise
        subfolder = os.path.join(self.subfolder, folder.name)
        return [ui.SavedResult(path.name, subfolder, io.FolderType.output) for path in paths]

    def _new_folder(self) -> Path:
        stem = self.name.replace("%batch_num%", "0")
        for number in count(_last_number(self.folder, stem) + 1):
            folder = self.folder / f"{stem}_{number:05}"
            with save_errors(folder), suppress(FileExistsError):
                folder.mkdir()
                return folder
        raise AssertionError("numbers do not end")

    def shown_on_page(self, path: Path) -> ui.SavedResult:
        return ui.SavedResult(path.name, self.subfolder, io.FolderType.output)


def output(prefix: str) -> Output:
    """Where files named after `prefix` go, in a folder that exists.

    Raises:
        SaveError: `prefix` is no name, its folder cannot be made, or lies outside of the output
            folder by a symbolic link.
    """
    root = Path(folder_paths.get_output_directory())
    prefix = check_prefix(prefix).replace("\\", "/")
    parent = Path(prefix).parent
    _refuse_outside(root, root / parent)
    if "%" not in str(parent):
        make_folder(root / parent)
    try:
        folder, name, _, subfolder, _ = folder_paths.get_save_image_path(prefix, str(root))
    except OSError as error:
        raise SaveError(
            f"The folder of {shown(prefix)!r} cannot be made: {error.strerror or error}. Choose a "
            "name whose folders may be made, and are no files."
        ) from error
    _refuse_outside(root, Path(folder))
    return Output(Path(folder), name, subfolder)


def _refuse_outside(root: Path, folder: Path) -> None:
    real = Path(os.path.realpath(folder))  # of a loop of links it is the folder itself
    if not real.is_relative_to(os.path.realpath(root)):
        raise SaveError(
            f"{shown(folder)} is a symbolic link to a folder outside of the output folder, which "
            "is not followed. Choose a folder inside it, or start ComfyUI with "
            "--output-directory."
        )


def _last_number(folder: Path, stem: str) -> int:
    """The highest number of a file of that stem, in any case of letters; 0 where there is none."""
    numbered = re.compile(re.escape(stem) + r"_(\d{1,9})(?=[_.]|$)", re.IGNORECASE)
    try:
        found = [numbered.match(entry) for entry in os.listdir(folder)]
    except OSError:
        return 0  # writing to it says why
    return max((int(each[1]) for each in found if each), default=0)


def text_content(text: str) -> Content:
    return bytes_content(text.encode("utf-8"))


def kept_latents() -> Path:
    """The folder of the latents of saved files, of the user folder's parts that no page may read.

    It may not exist.
    """
    return Path(folder_paths.get_system_user_directory("acestep15")) / "latents"


def temporary_file(name: str) -> Path:
    """`name` in the folder of files that the page may ask for until ComfyUI ends, which exists.

    Raises:
        SaveError: the folder cannot be made.
    """
    return make_folder(Path(folder_paths.get_temp_directory())) / name


def save_temporary(path: Path, content: Content) -> None:
    """Write a file of `temporary_file`. One that is there has the same content, by its name.

    Raises:
        SaveError: it cannot be written.
    """
    write_file(path, content, replace=True, durable=False)
