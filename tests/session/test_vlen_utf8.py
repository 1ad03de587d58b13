"""Texts are encoded as Zarr's own codec does it, and what is damaged is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numcodecs.vlen import VLenUTF8

from myogestic_tui.session.format.vlen_utf8 import decode_vlen_utf8, encode_vlen_utf8

TEXTS = st.lists(st.text(max_size=12), min_size=1, max_size=30)


@given(TEXTS)
def test_bytes_are_those_of_zarrs_codec_and_read_back_the_same(texts: list[str]):
    given_texts = np.array(texts, object)
    encoded = encode_vlen_utf8(given_texts)
    assert encoded == bytes(VLenUTF8().encode(given_texts))
    assert decode_vlen_utf8(encoded, len(texts)).tolist() == texts


@given(TEXTS, st.data())
def test_what_is_cut_short_or_too_long_is_refused(texts: list[str], data: st.DataObject):
    encoded = encode_vlen_utf8(np.array(texts, object))
    cut = data.draw(st.integers(0, len(encoded) - 1))
    for damaged in (encoded[:cut], encoded + b"x"):
        with pytest.raises(ValueError, match=r"cut short|follow|another number"):
            decode_vlen_utf8(damaged, len(texts))


def test_another_number_of_texts_and_what_is_not_utf8_are_refused():
    encoded = encode_vlen_utf8(np.array(["a", "b"], object))
    with pytest.raises(ValueError, match="another number"):
        decode_vlen_utf8(encoded, 3)
    with pytest.raises(ValueError, match="utf-8"):
        decode_vlen_utf8(encoded.replace(b"a", b"\xff"), 2)
