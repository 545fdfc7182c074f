"""What rows hold, looked at one by one: equal and similar rows, pictures, texts and sounds that cannot be read.

`Cleaner` and the checks of `ExampleValidator` stand on it. Importing its modules loads heavy libraries: executors do.
"""
