"""The pack's own socket types; everything with a standard type uses the standard one.

| socket | value |
|---|---|
| `ACE_SONG` | `ace_core.types.Song`: what to play; with its plan, `nodes.song.PlannedSong` |
| `ACE_CODES` | `tuple[ace_core.types.AudioCodes, ...]`: a song as 5 Hz audio codes, or variations |
| `ACE_TEXT_ENCODER` | `nodes.host.ManagedTextEncoder`: Qwen3-Embedding, moved by the host |
| `ACE_LM` | `nodes.host.ManagedLanguageModel`: the 5 Hz language model, likewise |
| `ACE_GUIDANCE` | `ace_core.sampling.guidance.Guidance`: how positive and negative are combined |
| `ACE_LYRIC_TIMESTAMPS` | `nodes.lyrics.Timestamps`: the timed lines of each item |
| `ACE_SCORES` | `tuple[nodes.scores.Score, ...]`: one per item |
| `ACE_BEATS` | `tuple[ace_core.measure.beats.BeatGrid, ...]`: beats and bars, one per recording |
| `ACE_STEMS` | `tuple[ace_core.audio.mixing.Stem, ...]`: a song as named tracks with their levels |
| `AUDIO_UI` | the frontend's inline player; never linked, never saved |
"""

from comfy_api.latest import io

SongSocket = io.Custom("ACE_SONG")
CodesSocket = io.Custom("ACE_CODES")
TextEncoderSocket = io.Custom("ACE_TEXT_ENCODER")
TextEncoderInput = io.Custom("ACE_TEXT_ENCODER,CLIP")  # ComfyUI's own CLIP holds one
LMSocket = io.Custom("ACE_LM")
LMInput = io.Custom("ACE_LM,CLIP")  # and the language model too
GuidanceSocket = io.Custom("ACE_GUIDANCE")
LyricTimestampsSocket = io.Custom("ACE_LYRIC_TIMESTAMPS")
ScoresSocket = io.Custom("ACE_SCORES")
BeatsSocket = io.Custom("ACE_BEATS")
StemsSocket = io.Custom("ACE_STEMS")
PlayerSocket = io.Custom("AUDIO_UI")
