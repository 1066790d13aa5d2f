"""Training, on Keras and TensorFlow. Importing any of it imports TensorFlow, which takes seconds; nothing else may."""

import os

from flowers_core.networks.quiet import quiet

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Some of TensorFlow's start-up lines come before it reads that variable, others when it first looks for devices.
with quiet():
    import tensorflow

    tensorflow.config.list_logical_devices()
