"""Pictures as numbers."""

from __future__ import annotations

from headrace.errors import UserFunctionError
from headrace.features.libraries import tf
from headrace.features.values import Tensor, text_values, told


def image(x: Tensor, size: tuple[int, int], channels: int = 3) -> Tensor:
    """Return pictures of one size as floats from 0 to 1.

    Args:
        x: Encoded pictures as they are in their files (JPEG, PNG, GIF, BMP), sparse or dense, one in each row.
        size: Height and width in pixels. Pictures are brought to it with antialiasing, whatever their own shape.
        channels: 1 for grey, 3 for colours, 4 with transparency (PNG).

    Returns:
        Float32 of shape `(rows, height, width, channels)`; 0 everywhere where the picture is missing. Of a moving
        picture the first frame. A row that holds something else ends the run.

    Raises:
        UserFunctionError: If `x` holds numbers, or size or channels are none that a picture has.
    """
    height, width = size
    if x.dtype != tf.string:
        raise UserFunctionError(
            f"headrace.features.image needs encoded pictures, and {told(x)} holds numbers.",
            "scale pixels that are numbers already with headrace.features.min_max.",
        )
    if min(height, width) < 1 or channels not in (1, 3, 4):
        raise UserFunctionError(
            f"headrace.features.image: size {height} by {width} with {channels} channels is asked for.",
            "give height and width from 1, and 1, 3 or 4 channels.",
        )

    def decode(encoded: Tensor) -> Tensor:
        pixels = tf.io.decode_image(encoded, channels=channels, expand_animations=False)
        pixels = tf.ensure_shape(pixels, [None, None, channels])
        return tf.image.resize(pixels, (height, width), antialias=True)

    def nothing() -> Tensor:
        return tf.zeros([height, width, channels], tf.float32)

    def one(encoded: Tensor) -> Tensor:
        return tf.cond(tf.equal(encoded, ""), nothing, lambda: decode(encoded))

    found = tf.map_fn(one, tf.reshape(text_values(x), [-1]), fn_output_signature=tf.float32)
    found = tf.ensure_shape(found, [None, height, width, channels])
    return tf.clip_by_value(found / 255.0, 0.0, 1.0)
