"""Metrics of Headrace's own, as metrics of TFMA: scikit-learn's numbers, in float64, mergeable over files and slices."""
