"""Pages and terminal text about artifacts and runs; each page is one file that needs no network.

A renderer turns an artifact into blocks (`blocks`), and never into HTML: `pages` and `texts` write blocks.
To add one, write a function from `Subject` to blocks and name it in `renderers`.
"""
