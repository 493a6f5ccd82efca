"""ACE-Step 1.5 as a torch library: text to song, and the parts to build anything else from it.

It does not depend on a host: it imports nothing of ComfyUI, reads no environment, picks no device
(a tensor's own device is used) and downloads nothing.
"""

__version__ = "0.1.0"
