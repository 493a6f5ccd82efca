"""Recordings in files that are not ours: AAC as phones and stores give it, alone or in a video."""

from pathlib import Path

import av
import numpy as np


def write_aac(path: Path, tone: np.ndarray, rate: int, video: bool = False) -> None:
    """`tone` [1, N] in AAC; the container follows from the name: `.aac` is ADTS, a bare stream."""
    with av.open(path, "w") as output:
        stream = output.add_stream("aac", rate=rate, layout="mono")
        if video:
            film = output.add_stream("mpeg4", rate=25, width=16, height=16, pix_fmt="yuv420p")
            picture = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
            output.mux([*film.encode(picture), *film.encode(None)])
        frame = av.AudioFrame.from_ndarray(tone, "fltp", "mono")
        frame.sample_rate = rate
        output.mux([*stream.encode(frame), *stream.encode(None)])
