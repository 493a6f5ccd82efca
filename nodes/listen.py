"""Between latents and sound, and from sound to files and pictures."""

import torch
from comfy_api.latest import io, ui

from ..ace_core.audio.files import BITRATES, Encoding, FileFormat, save
from ..ace_core.audio.picture import picture
from ..ace_core.audio.song_tags import song_tags
from ..ace_core.audio.waveform import check, model_audio
from ..ace_core.constants import SEED_RANGE
from ..ace_core.errors import InvalidRequestError
from ..ace_core.types import Song
from . import folders
from .lyrics import Times, lyric_text
from .sockets import LyricTimesSocket, PlayerSocket, SongSocket
from .waves import WAVES, wave_of

_CATEGORY = "audio/ACE-Step/listen"
_MEAN, _DRAW = "mean", "sample"
FORMATS = {
    "flac24": Encoding.FLAC_24,
    "flac16": Encoding.FLAC_16,
    "wav24": Encoding.WAV_24,
    "wav16": Encoding.WAV_16,
    "wav32f": Encoding.WAV_FLOAT,
    "mp3": Encoding.MP3,
}


def format_input() -> io.Combo.Input:
    return io.Combo.Input(
        "format",
        options=list(FORMATS),
        default="flac24",
        tooltip="Container and bits of a sample; wav32f never clips.",
    )


class AceStepEncodeAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        smallest, largest = SEED_RANGE
        return io.Schema(
            node_id="AceStep15EncodeAudio",
            display_name="ACE-Step Encode Audio",
            category=_CATEGORY,
            description="Turns sound into a latent; any rate and channels, exact tiles.",
            search_aliases=["ace step", "vae encode audio", "audio to latent"],
            inputs=[
                io.Audio.Input("audio", tooltip="Brought to 48 kHz stereo first."),
                io.Vae.Input("vae", tooltip="ACE-Step's autoencoder."),
                io.Combo.Input(
                    "posterior",
                    options=[_MEAN, _DRAW],
                    default=_MEAN,
                    advanced=True,
                    tooltip="mean: always the same latent. sample: a seeded draw around it, as in "
                    "the official code.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=smallest,
                    max=largest,
                    advanced=True,
                    tooltip="Of the draw; the mean needs none.",
                ),
            ],
            outputs=[io.Latent.Output(display_name="latent", tooltip="25 frames a second.")],
        )

    @classmethod
    def execute(cls, audio: dict, vae, posterior: str, seed: int) -> io.NodeOutput:
        from . import host

        waveform = model_audio(audio["waveform"], audio["sample_rate"])
        return io.NodeOutput(host.encode(vae, waveform, seed if posterior == _DRAW else None))


class AceStepDecodeAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15DecodeAudio",
            display_name="ACE-Step Decode Audio",
            category=_CATEGORY,
            description="Turns a latent into sound: exact tiles, constant memory, and a song that "
            "is too loud is brought to full scale.",
            search_aliases=["ace step", "vae decode audio", "latent to audio"],
            inputs=[
                io.Latent.Input("latent", tooltip="The music, from a sampler."),
                io.Vae.Input("vae", tooltip="ACE-Step's autoencoder."),
            ],
            outputs=[io.Audio.Output(display_name="audio", tooltip="48 kHz stereo.")],
        )

    @classmethod
    def execute(cls, latent: dict, vae) -> io.NodeOutput:
        from . import host

        return io.NodeOutput(host.decode(vae, latent))


class AceStepSaveAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15SaveAudio",
            display_name="ACE-Step Save Audio",
            category=_CATEGORY,
            description="Saves sound with the workflow and the song inside the file, and plays it.",
            search_aliases=["ace step", "export flac", "export wav", "export mp3"],
            inputs=[
                io.Audio.Input("audio", tooltip="Each item of a batch becomes a file."),
                SongSocket.Input(
                    "song", optional=True, tooltip="Written into the file's tags if connected."
                ),
                io.String.Input(
                    "filename_prefix",
                    default="audio/ACE-Step",
                    tooltip="Name of the file, with folders inside the output folder if you like.",
                ),
                format_input(),
                io.Combo.Input(
                    "bitrate",
                    options=[str(bitrate) for bitrate in reversed(BITRATES)],
                    default=str(BITRATES[-1]),
                    advanced=True,
                    tooltip="Of MP3, in kbit/s.",
                ),
                LyricTimesSocket.Input(
                    "times",
                    optional=True,
                    tooltip="From ACE-Step Lyric Times: an .lrc file of the same name is saved "
                    "beside each sound, where players look for it.",
                ),
                PlayerSocket.Input("audioUI", optional=True, tooltip="The player on the node."),
            ],
            outputs=[],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, filename_prefix: str) -> bool | str:
        return folders.prefix_complaint(filename_prefix) or True

    @classmethod
    def execute(
        cls,
        audio: dict,
        filename_prefix: str,
        format: str,
        bitrate: str,
        song: Song | None = None,
        times: Times | None = None,
        audioUI: None = None,  # noqa: N803  # the id that the frontend's player listens to
    ) -> io.NodeOutput:
        from . import host

        check(audio["waveform"], audio["sample_rate"])
        lyrics = _lyrics_for(len(audio["waveform"]), times)
        form = FileFormat(FORMATS[format], int(bitrate))
        tags = {**(song_tags(song) if song is not None else {}), **host.graph_tags(cls.hidden)}
        folder, name, counter, subfolder = folders.output_place(filename_prefix)
        saved, waves = [], []
        for number, item in enumerate(audio["waveform"]):
            stem = name.replace("%batch_num%", str(number))
            file = f"{stem}_{counter + number:05}_{form.encoding.suffix}"
            save(folder / file, item, form, tags, audio["sample_rate"])
            if lyrics:
                folders.write_text((folder / file).with_suffix(".lrc"), f"{lyrics[number]}\n")
            saved.append(ui.SavedResult(file, subfolder, io.FolderType.output))
            waves.append(wave_of(saved[-1], item, audio["sample_rate"]))
        return io.NodeOutput(ui={**ui.SavedAudios(saved).as_dict(), WAVES: waves})


def _lyrics_for(count: int, times: Times | None) -> list[str]:
    """LRC for each of `count` sounds."""
    if times is not None and len(times) != count:
        raise InvalidRequestError(
            f"There are lyric times for {len(times)} songs, but the audio has {count}. Connect the "
            "times of the same batch."
        )
    return [lyric_text(lines, "lrc", False) for lines in times or ()]


class AceStepPicture(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Picture",
            display_name="ACE-Step Picture of Audio",
            category=_CATEGORY,
            description="Draws the waveform and the spectrogram of a sound.",
            search_aliases=["ace step", "waveform", "spectrogram", "visualize audio"],
            inputs=[io.Audio.Input("audio", tooltip="Each item of a batch becomes a picture.")],
            outputs=[io.Image.Output(display_name="image", tooltip="One picture an item.")],
        )

    @classmethod
    def execute(cls, audio: dict) -> io.NodeOutput:
        check(audio["waveform"], audio["sample_rate"])
        drawn = [picture(item, audio["sample_rate"]) for item in audio["waveform"]]
        return io.NodeOutput(torch.stack(drawn))  # [B, H, W, 3]
