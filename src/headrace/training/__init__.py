"""Training with Keras: datasets, features, fitting, export. Shared by Trainer and Tuner."""
