"""Stand-in for `comfy.patcher_extension`: names of wrappers; the stand-in calls none."""


class WrappersMP:
    PREPARE_SAMPLING = "prepare_sampling"
    APPLY_MODEL = "apply_model"
