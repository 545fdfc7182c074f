"""TFRecord files, gzip or plain."""
