"""Between AUDIO and LATENT: encode and decode."""

from comfy_api.latest import io

from ..ace_core.audio.audio_dict import unpack_audio
from ..ace_core.audio.waveform import model_audio
from ..ace_core.constants import SEED_RANGE

CATEGORY = "audio/ACE-Step/audio"
_MEAN, _SAMPLE = "mean", "sample"


class AceStepEncodeAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        smallest, largest = SEED_RANGE
        return io.Schema(
            node_id="AceStep15EncodeAudio",
            display_name="ACE-Step Encode Audio",
            category=CATEGORY,
            description="Encodes audio as a latent; any rate and channels, exact tiles.",
            search_aliases=["ace step", "vae encode audio", "audio to latent"],
            inputs=[
                io.Audio.Input("audio", tooltip="Converted to 48 kHz stereo first."),
                io.Vae.Input("vae", tooltip="ACE-Step's autoencoder."),
                io.Combo.Input(
                    "posterior",
                    options=[_MEAN, _SAMPLE],
                    default=_MEAN,
                    advanced=True,
                    tooltip="mean: always the same latent. sample: a seeded sample of the "
                    "posterior, as in the official code.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=smallest,
                    max=largest,
                    advanced=True,
                    tooltip="Seed of the sample; the mean needs none.",
                ),
            ],
            outputs=[io.Latent.Output(display_name="latent", tooltip="25 frames per second.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, audio: dict, vae, posterior: str, seed: int) -> io.NodeOutput:
        from . import host

        waveform = model_audio(*unpack_audio(audio))
        return io.NodeOutput(host.encode(vae, waveform, seed if posterior == _SAMPLE else None))


class AceStepDecodeAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15DecodeAudio",
            display_name="ACE-Step Decode Audio",
            category=CATEGORY,
            description="Decodes a latent to audio: exact tiles, constant memory, and a song that "
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
