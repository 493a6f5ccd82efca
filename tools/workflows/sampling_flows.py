"""Workflows that take sampling into one's own hands."""

from typing import Any

from ace_core.weights.published import ALL_IN_ONE
from tools.workflows.flow_parts import LYRICS, STYLE, FlowBuilder, decode, load_recording
from tools.workflows.graph import Flow
from tools.workflows.notes import NOTES

OWN_LORA = "my_style.safetensors"  # what the user trained, in models/loras


def variations() -> Flow:
    builder = FlowBuilder("variations")
    song = builder.song(STYLE, LYRICS, seconds=30.0, language="en")
    task = builder.task("TextToMusic", song, None, batch_size=3)
    retake = {"seeds": "1, 1, 1", "retake_seed": 100, "retake_variance": 0.2}
    return builder.finish(builder.sampler(task, builder.schedule(), **retake), song)


def high_quality_base() -> Flow:
    builder = FlowBuilder("high_quality_base", base=True)
    song = builder.song(STYLE, LYRICS, seconds=60.0, language="en")
    times = builder.schedule(settings="custom", **{"settings.steps": 64, "settings.shift": 3.0})
    task = builder.task("TextToMusic", song, None)
    guidance = builder.making.add("AceStep15Guidance", kind="apg", scale=7.0, start=0.1, end=0.95)
    heard = {"vae": builder.vae.out("vae"), "preview_every": 16}
    sampler = builder.sampler(task, times, guidance=guidance.out("guidance"), **heard)
    return builder.finish(sampler, song)


def custom_timesteps() -> Flow:
    builder = FlowBuilder("custom_timesteps")
    song = builder.song(STYLE, LYRICS, seconds=60.0, language="en")
    listed: dict[str, Any] = {
        "settings.timesteps": "1, 0.95, 0.9, 0.8, 0.7, 0.55, 0.4, 0.3, 0.2, 0.125, 0"
    }
    times = builder.schedule(settings="timesteps", **listed)
    task = builder.task("TextToMusic", song, None)
    builder.making.add("PreviewAny", source=times.out("report"))
    return builder.finish(builder.sampler(task, times), song)


def stock_sampler() -> Flow:
    builder = FlowBuilder("stock_sampler")
    song = builder.song(STYLE, LYRICS, seconds=60.0, language="en")
    task, times = builder.task("TextToMusic", song, None), builder.schedule()
    parts = builder.making
    noise = parts.add("AceStep15Noise")
    guider = parts.fold(
        "AceStep15Guider",
        model=builder.model.out("model"),
        positive=task.out("positive"),
        negative=task.out("negative"),
    )
    solver = parts.add("AceStep15Solver", solver="heun")
    sampler = parts.fold(
        "SamplerCustomAdvanced",
        noise=noise.out("noise"),
        guider=guider.out("guider"),
        sampler=solver.out("sampler"),
        sigmas=times.out("sigmas"),
        latent_image=task.out("latent"),
    )
    group = builder.group("Result", 3)
    audio = group.fold(
        "AceStep15DecodeAudio", latent=sampler.out("output"), vae=builder.vae.out("vae")
    ).out("audio")
    group.add("AceStep15SaveAudio", audio=audio, song=song.out("song"))
    return builder.flow


def own_style() -> Flow:
    """The whole graph on one file and a stock sampler."""
    title, note = NOTES["own_style"]
    flow = Flow("own_style", title, note)
    group = flow.group("Models")
    checkpoint = group.fold("AceStep15LoadCheckpoint", (ALL_IN_ONE,), file=ALL_IN_ONE.name)
    styled = flow.group("LoRA", 2).add(
        "AceStep15LoadLoRA", model=checkpoint.out("model"), file=OWN_LORA
    )
    recording = load_recording(flow.group("Recording", 1))
    song = flow.group("Song", 1).add(
        "AceStep15Song", caption=STYLE, lyrics=LYRICS, seconds=0.0, language="en"
    )
    music, vae = flow.group("Music", 2), checkpoint.out("vae")
    start = music.fold("AceStep15EncodeAudio", audio=recording, vae=vae)
    task = music.fold(
        "AceStep15Cover",
        text_encoder=checkpoint.out("text_encoder"),
        vae=vae,
        song=song.out("song"),
        source=recording,
    )
    corrected = music.fold("AceStep15DCW", model=styled.out("model"), dcw="auto")
    sampler = music.add(
        "KSampler",
        model=corrected.out("model"),
        positive=task.out("positive"),
        negative=task.out("negative"),
        latent_image=start.out("latent"),
        seed=0,
        steps=8,
        cfg=1.0,
        sampler_name="euler",
        scheduler="simple",
        denoise=0.8,
    )
    audio = decode(flow, sampler.out("LATENT"), checkpoint)
    flow.group("Result").add("AceStep15SaveAudio", audio=audio, song=song.out("song"))
    return flow


FLOWS = (variations, high_quality_base, custom_timesteps, stock_sampler, own_style)
