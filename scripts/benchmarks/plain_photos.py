"""Photos of a split by tf.data, as tutorials write it: decoded anew in each epoch, augmented by TensorFlow itself."""

from collections.abc import Callable

import keras
import tensorflow as tf

from flowers_core.data.dataset import Dataset
from flowers_core.training.augmentation import Augmentation


def photos_of(
    flowers: Dataset, split: str, size: int, batch_size: int, augmentation: Augmentation | None
) -> tf.data.Dataset:
    """Photos and labels of a split, decoded anew in each pass.

    With an augmentation they are shuffled and altered, by those of its kinds that Oxford's photos are mostly trained
    with.

    Args:
        flowers: the data set.
        split: "train" or "validation".
        size: of the input's side, in pixels.
        batch_size: photos in a batch.
        augmentation: None for photos as they are.

    Returns:
        Batches (n, size, size, 3) float32 in 0…255, and labels (n, classes).
    """
    ids = flowers.split_ids(split)
    paths = [str(flowers.path(int(photo_id))) for photo_id in ids]
    labels = keras.utils.to_categorical(flowers.labels[ids - 1] - 1, len(flowers.names))
    data = tf.data.Dataset.from_tensor_slices((paths, labels))
    if augmentation is None:
        return _read(data, lambda photo: _central(photo, size)).batch(batch_size).prefetch(tf.data.AUTOTUNE)
    data = _read(data.shuffle(len(paths), seed=0), lambda photo: _altered(photo, size, augmentation))
    data = data.batch(batch_size, drop_remainder=True)
    if augmentation.rotation:
        turn = keras.layers.RandomRotation(augmentation.rotation / 360, seed=0)
        data = data.map(lambda batch, label: (turn(batch, training=True), label), num_parallel_calls=tf.data.AUTOTUNE)
    return data.prefetch(tf.data.AUTOTUNE)


def _read(data: tf.data.Dataset, alter: Callable[[tf.Tensor], tf.Tensor]) -> tf.data.Dataset:
    def read(path: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return alter(tf.io.decode_jpeg(tf.io.read_file(path), channels=3)), label

    return data.map(read, num_parallel_calls=tf.data.AUTOTUNE)


def _central(photo: tf.Tensor, size: int) -> tf.Tensor:
    side = tf.reduce_min(tf.shape(photo)[:2])
    return tf.image.resize(tf.image.resize_with_crop_or_pad(photo, side, side), (size, size))


def _altered(photo: tf.Tensor, size: int, augmentation: Augmentation) -> tf.Tensor:
    if augmentation.crop_area is None:
        photo = _central(photo, size)
    else:
        begin, extent, _ = tf.image.sample_distorted_bounding_box(
            tf.shape(photo),
            tf.zeros((0, 0, 4)),
            area_range=augmentation.crop_area,
            aspect_ratio_range=(augmentation.crop_aspect, 1 / augmentation.crop_aspect),
            use_image_if_no_bounding_boxes=True,
        )
        photo = tf.image.resize(tf.slice(photo, begin, extent), (size, size))
        photo = tf.ensure_shape(photo, (size, size, 3))
    if augmentation.flip_share:
        photo = tf.image.random_flip_left_right(photo)
    for alter, (low, high) in (
        (tf.image.random_contrast, augmentation.contrast),
        (tf.image.random_saturation, augmentation.saturation),
    ):
        if low < high:
            photo = alter(photo, low, high)
    photo = photo * tf.random.uniform((), *augmentation.brightness)
    return tf.clip_by_value(photo, 0.0, 255.0)
