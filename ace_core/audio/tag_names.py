"""How audio files call what this project calls title, tempo, key, language, lyrics and description,
and how they write a key and a language.

Source: xiph.org, "Vorbis comment"; id3.org, "ID3 tag version 2.4.0 - Native Frames"; ISO 639-2/T
for languages. INITIALKEY and BPM are what programs for DJs write in FLAC and Ogg.
"""

from typing import Final

from ..types import Song

VORBIS: Final = {
    "title": "TITLE",
    "artist": "ARTIST",
    "bpm": "BPM",
    "key": "INITIALKEY",
    "language": "LANGUAGE",
    "lyrics": "LYRICS",
    "description": "DESCRIPTION",
}
FROM_VORBIS: Final = {name.casefold(): field for field, name in VORBIS.items()}
ID3: Final = {
    "title": b"TIT2",
    "artist": b"TPE1",
    "bpm": b"TBPM",
    "key": b"TKEY",
    "language": b"TLAN",
    "lyrics": b"USLT",
    "description": b"COMM",
}  # what is not here goes into TXXX
FROM_ID3: Final = {frame: field for field, frame in ID3.items()}
WITH_LANGUAGE: Final = (b"USLT", b"COMM")  # frames whose text has a language of its own
TITLE_LENGTH: Final = 60  # characters
LANGUAGES: Final = {
    pair.split(":")[0]: pair.split(":")[1]
    for pair in (
        "ar:ara az:aze bg:bul bn:ben ca:cat cs:ces da:dan de:deu el:ell en:eng es:spa fa:fas "
        "fi:fin fr:fra he:heb hi:hin hr:hrv ht:hat hu:hun id:ind is:isl it:ita ja:jpn ko:kor "
        "la:lat lt:lit ms:msa ne:nep nl:nld no:nor pa:pan pl:pol pt:por ro:ron ru:rus sa:san "
        "sk:slk sr:srp sv:swe sw:swa ta:tam te:tel th:tha tl:tgl tr:tur uk:ukr ur:urd vi:vie "
        "yue:yue zh:zho"
    ).split()
}  # those of the models; "unknown" is none


def vorbis_name(field: str) -> str:
    """The name of a Vorbis comment for `field`; what players do not know stays as it is."""
    return VORBIS.get(field, field)


def field_of_vorbis(name: str) -> str:
    """The field that a comment called `name`, in any case of letters, holds."""
    return FROM_VORBIS.get(name.casefold(), name)


def song_fields(song: Song) -> dict[str, str]:
    """What players show of `song`, by field."""
    language = None if song.instrumental else LANGUAGES.get(song.language or "")
    found = {
        "title": short_title(song.caption),
        "description": song.caption,
        "lyrics": song.lyrics,
        "bpm": song.bpm,
        "key": short_key(song.key) if song.key else None,
        "language": language,
    }
    return {field: str(value) for field, value in found.items() if value}


def short_key(key: str) -> str:
    """One of the models' keys as ID3 has it: "Am", "F#m", "Bb"."""
    note, mode = key.replace("♯", "#").replace("♭", "b").split()
    return note + ("m" if mode == "minor" else "")


def short_title(caption: str) -> str:
    """The beginning of a caption: its first line, at most `TITLE_LENGTH` characters, cut between
    words where there are any."""
    line = next((line.strip() for line in caption.splitlines() if line.strip()), "")
    if len(line) <= TITLE_LENGTH:
        return line
    start = line[:TITLE_LENGTH]
    words = start.rpartition(" ")[0] if line[TITLE_LENGTH - 1] != " " else start
    return (words or start[:-1]).rstrip(" ,;.:-") + "…"
