"""Training with Keras: datasets, fitting, the short form. Shared by Trainer and Tuner."""
