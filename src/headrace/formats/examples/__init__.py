"""The payload of Examples: records of tf.Examples, decoded and encoded by the batch."""
