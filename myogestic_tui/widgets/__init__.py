"""Parts of the screens as functions from a snapshot to rows, and as widgets that show them."""
