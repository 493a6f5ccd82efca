"""Workflows that measure recordings; they need no model."""

from tools.workflows.flow_parts import load_recording
from tools.workflows.graph import Flow
from tools.workflows.notes import CHOOSE

NOTE = f"""## Measure a recording

{CHOOSE}
2. Press **Run**. No model is needed.

*Measure* finds tempo with beats, meter with downbeats, key, loudness, true peak, clipping, \
silence and how the recording ends. The picture shows bars and beats on the waveform; the text \
also has second candidates and confidences. A tempo may be found at half or twice what you tap.

*Cut Bars* cuts the first two measured bars as a loop and plays it four times. Raise **first** and \
**count** for another part.

*Correct* changes tempo and key a little: set **bpm** or **key** to what it shall be, or **tempo** \
and **semitones** to by how much. As it is, it changes nothing.

Connect **beats** to *Repaint* or *Region Mask*, to *Slice Codes* or to *Audio Envelope* as well, \
and a **song** to *Measure* to see what it says beside what was measured.
"""


def measure_recording() -> Flow:
    flow = Flow("measure_recording", "Measure a recording", NOTE)
    audio = load_recording(flow.group("Recording", 1))
    found = flow.group("Measure", 1).add("AceStep15Measure", audio=audio)
    shown = flow.group("Found", 2)
    shown.add("PreviewImage", images=found.out("image"))
    shown.add("PreviewAny", source=found.out("report"))
    loop = flow.group("Loop", 3)
    bars = loop.add("AceStep15CutBars", audio=audio, beats=found.out("beats"), count=2, repeats=4)
    loop.add("AceStep15SaveAudio", audio=bars.out("audio"), filename_prefix="audio/loop")
    made = flow.group("Correct", 2).add("AceStep15Correct", audio=audio)
    corrected = flow.group("Result", 4)
    corrected.add("PreviewAny", source=made.out("report"))
    corrected.add("AceStep15SaveAudio", audio=made.out("audio"), filename_prefix="audio/corrected")
    return flow


FLOWS = (measure_recording,)
