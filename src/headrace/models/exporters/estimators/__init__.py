"""Fitted estimators of scikit-learn, XGBoost and LightGBM as TensorFlow operations.

Each module has the converters of a family, which it enters in `registry`. Nothing of these frameworks is imported: fitted
objects are asked for their attributes.
"""
