"""One way to a trained model: a SavedModel, whatever framework trained it.

`saved_model` reads the files, `description` what pages show of them; `model` loads one and predicts; `exporters` write
one from what a framework trained, with the `features` and `readers` by which a model sees Examples.
"""
