"""Projects that `headrace new` writes: data looked at, roles guessed and explained, files rendered."""
