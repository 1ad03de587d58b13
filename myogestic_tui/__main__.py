"""``python -m myogestic_tui`` is ``myogestic-tui``."""

from .cli import main

main()
