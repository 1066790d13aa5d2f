"""What a Keras classifier is: backbones with ImageNet weights, the linear head, one compiled forward pass.

This package imports nothing by itself. Its modules import TensorFlow, which takes seconds.
"""

import os
from contextlib import nullcontext

from flowers_core.networks.freed_memory import keep_freed_memory
from flowers_core.networks.quiet import quiet


def start_tensorflow(*, quietly: bool = False) -> None:
    """Import TensorFlow, limit its log messages to errors, and let it look for devices.

    Call this before the first import of Keras or of a module that imports Keras, because TensorFlow reads its log level
    on import. A later call does nothing.

    Args:
        quietly: whether to discard also the lines that TensorFlow writes before it reads its log level and while it
            looks for a GPU. This silences the whole process for some seconds, so use it in scripts, never in a server.
            The process also keeps the memory that it frees, which is quicker.
    """
    if quietly:
        keep_freed_memory()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with quiet() if quietly else nullcontext():
        import tensorflow as tf

        tf.config.list_logical_devices()
