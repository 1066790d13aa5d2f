"""Transfer learning and fine-tuning as Keras' guide does it, for `flowers benchmarks own_photos` to compare with.

https://keras.io/guides/transfer_learning: photos by `image_dataset_from_directory`, kept once they are decoded,
mirrored and turned a little at random; a dropout and a new linear layer on the pooled features of the frozen backbone,
trained by Adam; then all of the backbone with it, by Adam at 1e-5, its batch normalization in inference mode.
"""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from flowers_core.data.dataset import Dataset

#: Of the time, for the head on the frozen backbone; the guide gives 20 of 30 epochs to it.
HEAD_SHARE = 2 / 3
_MOST_EPOCHS = 1000


def trained_as_the_guide_does(
    flowers: Dataset, backbone: keras.Model, size: int, seconds: float, seed: int
) -> Callable[[NDArray[np.int64]], NDArray[np.int64]]:
    """Train a classifier as the guide does.

    Args:
        flowers: the training photos of which are learnt from.
        backbone: pretrained, from pixels 0…255 to a feature map.
        size: of its input's side.
        seconds: of the processor, after which it stops, in the middle of an epoch if need be.
        seed: of everything drawn at random.

    Returns:
        What names photos: (n,) ids → (n,) columns from 0.
    """
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((size, size, 3))
    seen = layers.RandomRotation(0.1)(layers.RandomFlip("horizontal")(inputs))
    pooled = layers.GlobalAveragePooling2D()(backbone(seen, training=False))
    model = keras.Model(inputs, layers.Dense(len(flowers.names))(layers.Dropout(0.2)(pooled)))
    with TemporaryDirectory(prefix="flowers-plain-guide-") as folder:
        photos = _folder_of(flowers, "train", Path(folder))
        decoded = keras.utils.image_dataset_from_directory(
            photos, image_size=(size, size), batch_size=None, shuffle=False, verbose=False
        ).cache()  # no photo is decoded twice, as here none is
        train = decoded.shuffle(len(decoded), seed=seed).batch(32).prefetch(tf.data.AUTOTUNE)
        for trainable, optimizer, share in (
            (False, keras.optimizers.Adam(), HEAD_SHARE),
            (True, keras.optimizers.Adam(1e-5), 1 - HEAD_SHARE),
        ):
            backbone.trainable = trainable
            model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
            model.fit(train, epochs=_MOST_EPOCHS, callbacks=[_Clock(seconds * share)], verbose=0)

    def answer(ids: NDArray[np.int64]) -> NDArray[np.int64]:
        batch = np.stack([keras.utils.img_to_array(_resized(flowers.path(int(each)), size)) for each in ids])
        named: NDArray[np.int64] = model.predict_on_batch(batch).argmax(axis=1)
        return named

    return answer


def _resized(path: Path, size: int) -> Any:
    """A photo as `image_dataset_from_directory` makes it: scaled to a square, bilinear."""
    photo = tf.io.decode_image(tf.io.read_file(str(path)), channels=3, expand_animations=False)
    return tf.image.resize(photo, (size, size)).numpy()


def _folder_of(flowers: Dataset, split: str, folder: Path) -> Path:
    """Links to the photos of a split in a folder for each class, whose names are in the order of the labels."""
    for photo_id in flowers.split_ids(split).tolist():
        path = flowers.path(photo_id)
        link = folder / f"{flowers.label_of(photo_id):04d}" / f"{photo_id}{path.suffix}"
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(path.absolute())
    return folder


class _Clock(keras.callbacks.Callback):
    """Stops a fit once so many seconds of the processor have passed."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._until = time.process_time() + seconds

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Stop where the time is over."""
        del batch, logs
        if time.process_time() > self._until:
            self.model.stop_training = True
