"""The small enumerations of `comfy_api.latest.io`, with the strings the frontend reads."""

from enum import Enum


class FolderType(str, Enum):
    input = "input"
    output = "output"
    temp = "temp"


class UploadType(str, Enum):
    image = "image_upload"
    audio = "audio_upload"
    video = "video_upload"
    model = "file_upload"
