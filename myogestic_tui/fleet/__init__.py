"""Several boxes as one: the same commands on each of them, over ssh (extra ``[fleet]``)."""
