"""Workflows that take sampling into one's own hands."""

from typing import Any

from ace_core.weights.published import ALL_IN_ONE
from tools.workflows.flow_parts import LYRICS, STYLE, FlowBuilder, load_recording
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
    task = builder.task("TextToMusic", song, None)
    times = builder.schedule(settings="custom", **{"settings.steps": 64, "settings.shift": 3.0})
    guidance = builder.group("Guidance").add(
        "AceStep15Guidance", kind="apg", scale=7.0, start=0.1, end=0.95
    )
    heard = {"vae": builder.vae.out("vae"), "preview_every": 16}
    sampler = builder.sampler(task, times, guidance=guidance.out("guidance"), **heard)
    return builder.finish(sampler, song)


def custom_timesteps() -> Flow:
    builder = FlowBuilder("custom_timesteps")
    song = builder.song(STYLE, LYRICS, seconds=60.0, language="en")
    task = builder.task("TextToMusic", song, None)
    listed: dict[str, Any] = {
        "settings.timesteps": "1, 0.95, 0.9, 0.8, 0.7, 0.55, 0.4, 0.3, 0.2, 0.125, 0"
    }
    times = builder.schedule(settings="timesteps", **listed)
    sampler = builder.sampler(task, times)
    builder.group("Report").add("PreviewAny", source=times.out("report"))
    return builder.finish(sampler, song)


def stock_sampler() -> Flow:
    builder = FlowBuilder("stock_sampler")
    song = builder.song(STYLE, LYRICS, seconds=60.0, language="en")
    task, times = builder.task("TextToMusic", song, None), builder.schedule()
    parts = builder.group("In parts")
    noise = parts.add("AceStep15Noise")
    guider = parts.add(
        "AceStep15Guider",
        model=builder.model.out("model"),
        positive=task.out("positive"),
        negative=task.out("negative"),
    )
    solver = parts.add("AceStep15Solver", solver="heun")
    sampler = builder.group("Music").add(
        "SamplerCustomAdvanced",
        noise=noise.out("noise"),
        guider=guider.out("guider"),
        sampler=solver.out("sampler"),
        sigmas=times.out("sigmas"),
        latent_image=task.out("latent"),
    )
    group = builder.group("Output")
    audio = group.add(
        "AceStep15DecodeAudio", latent=sampler.out("output"), vae=builder.vae.out("vae")
    ).out("audio")
    group.add("AceStep15SaveAudio", audio=audio, song=song.out("song"))
    return builder.flow


def own_style() -> Flow:
    """The whole graph on one file and a stock sampler."""
    title, note = NOTES["own_style"]
    flow = Flow("own_style", title, note)
    group = flow.group("Models")
    checkpoint = group.add("AceStep15LoadCheckpoint", (ALL_IN_ONE,), file=ALL_IN_ONE.name)
    styled = group.add("AceStep15LoadLoRA", model=checkpoint.out("model"), file=OWN_LORA)
    song = flow.group("Song").add(
        "AceStep15Song", caption=STYLE, lyrics=LYRICS, seconds=0.0, language="en"
    )
    recording = load_recording(flow.group("Recording"))
    tasks, vae = flow.group("Task"), checkpoint.out("vae")
    start = tasks.add("AceStep15EncodeAudio", audio=recording, vae=vae)
    task = tasks.add(
        "AceStep15Cover",
        text_encoder=checkpoint.out("text_encoder"),
        vae=vae,
        song=song.out("song"),
        source=recording,
    )
    music = flow.group("Music")
    corrected = music.add("AceStep15DCW", model=styled.out("model"), dcw="auto")
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
    decode = flow.group("Decode").add("AceStep15DecodeAudio", latent=sampler.out("LATENT"), vae=vae)
    flow.group("Output").add("AceStep15SaveAudio", audio=decode.out("audio"), song=song.out("song"))
    return flow


FLOWS = (variations, high_quality_base, custom_timesteps, stock_sampler, own_style)
