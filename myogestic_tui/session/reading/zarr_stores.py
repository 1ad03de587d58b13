"""What `zarr.Array` objects read through: the live folder of a recorder, and checked, read-only views of a session.

Neither class is called ``LocalStore``, so ``zarrs`` never goes round them (see `zarr_format`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import zarr
from zarr.abc.store import OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.storage import LocalStore

from ...errors import SessionDamagedError, SessionError
from ..format.layout import ZARR_JSON
from ..format.zarr_format import ArraySpec, check_declared_size, decode_chunk, parse_array_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype

    from ..format.arrays import Members


class RecordingStore(LocalStore):
    """A session folder under a recorder: reads what is published, and writes nothing.

    `zarr.Array.resize` on it changes the array in memory only: the new ``zarr.json`` is held back, because the
    recorder puts it in place itself once the chunks are on the disk.
    """

    async def set(self, key: str, value: Buffer) -> None:
        """Hold back ``zarr.json``; refuse anything else."""
        self.set_sync(key, value)

    def set_sync(self, key: str, value: Buffer) -> None:
        """Hold back ``zarr.json``; refuse anything else."""
        del value
        if not key.endswith(ZARR_JSON):
            raise SessionError(f"{key}: this array is being recorded; use Session.append")


class MemberStore(Store):
    """A read-only Zarr store over `Members` that believes nothing it has not checked.

    Parameters
    ----------
    members
        Where the bytes come from.
    strict
        An absent chunk is damage (our own sessions); otherwise it reads as the fill value (foreign ones, where a
        recorder without ``write_empty_chunks`` left out chunks of zeros).
    """

    supports_writes = False
    supports_deletes = False
    supports_listing = False

    def __init__(self, members: Members, *, strict: bool) -> None:
        super().__init__(read_only=True)
        self._members = members
        self._strict = strict
        self._specs: dict[str, ArraySpec] = {}
        self._is_open = True

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = Store.__hash__

    def with_read_only(self, read_only: bool = True) -> MemberStore:
        """Itself: it is always read-only."""
        if not read_only:
            raise SessionError("a session is opened to be read")
        return self

    def get_bytes_of(self, key: str) -> bytes | None:
        """Content of a member, checked.

        Raises
        ------
        SessionDamagedError
            A chunk that must be there is absent, or claims a size that no chunk has.
        """
        data = self._members.read(key)
        array, _, chunk = key.partition("/c/")
        if not chunk:
            return data
        if data is None:
            if self._strict:
                raise SessionDamagedError(f"{key} is missing")
            return None
        spec = self._spec(array)
        if spec.is_string:
            decode_chunk(spec, data, where=key)  # zarr would believe any number of texts that the chunk claims
        else:
            check_declared_size(spec, data, where=key)
        return data

    def _spec(self, array: str) -> ArraySpec:
        if array not in self._specs:
            key = f"{array}/{ZARR_JSON}"
            data = self._members.read(key)
            if data is None:
                raise SessionDamagedError(f"{key} is missing")
            self._specs[array] = parse_array_json(data, where=key)[0]
        return self._specs[array]

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """See `get_bytes_of`."""
        data = self.get_bytes_of(key)
        return None if data is None else prototype.buffer.from_bytes(_part(data, byte_range))

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """See `get_bytes_of`."""
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def exists(self, key: str) -> bool:
        """True where the member is there."""
        return self._members.read(key) is not None

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse."""
        del value
        raise SessionError(f"{key}: a session is opened to be read")

    async def delete(self, key: str) -> None:
        """Refuse."""
        raise SessionError(f"{key}: a session is opened to be read")

    def list(self) -> AsyncIterator[str]:
        """Not offered: arrays are opened by name."""
        raise NotImplementedError

    def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Not offered: arrays are opened by name."""
        raise NotImplementedError

    def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Not offered: arrays are opened by name."""
        raise NotImplementedError


def _part(data: bytes, byte_range: ByteRequest | None) -> bytes:
    match byte_range:
        case RangeByteRequest(start, end):
            return data[start:end]
        case OffsetByteRequest(offset):
            return data[offset:]
        case SuffixByteRequest(suffix):
            return data[-suffix:] if suffix else b""
    return data


class CheckedArray(zarr.Array[Any]):
    """An array of a session that says what is damaged, where zarr only says that a decoder failed."""

    def __getitem__(self, selection: Any) -> Any:
        """As `zarr.Array`.

        Raises
        ------
        SessionDamagedError
            A chunk of the array does not decode; the message names it and its samples.
        """
        try:
            return super().__getitem__(selection)
        # Whichever the codec at work raises, or the store.
        except (RuntimeError, ValueError, OSError, IndexError, SessionDamagedError) as error:
            self._find_damage(error)
            raise

    def _find_damage(self, error: Exception) -> None:
        spec = parse_array_json(self._file(ZARR_JSON) or b"", where=f"{self.path}/{ZARR_JSON}")[0]
        for number in range(spec.n_chunks(self.shape[0])):
            key = spec.chunk_key(number)
            try:
                data = self._file(key)
                if data is not None:
                    decode_chunk(spec, data, where=f"{self.path}/{key}")
            except SessionDamagedError as damage:
                first = number * spec.chunk_length
                last = min(first + spec.chunk_length, self.shape[0]) - 1
                raise SessionDamagedError(f"{damage}; it holds samples {first} to {last}") from error

    def _file(self, key: str) -> bytes | None:
        store = self.store
        if isinstance(store, MemberStore):
            return store.get_bytes_of(f"{self.path}/{key}")
        assert isinstance(store, LocalStore), "sessions are read through one of the two"
        path = store.root / self.path / key
        return path.read_bytes() if path.exists() else None


def open_array(store: Store, name: str, *, writable: bool = False) -> zarr.Array[Any]:
    """The array ``name`` (``emg.zarr``) of a session.

    Raises
    ------
    SessionDamagedError
        It is not there, or zarr cannot read its metadata.
    """
    try:
        array = zarr.open_array(
            store, path=name, mode="r+" if writable else "r", zarr_format=3, config={"write_empty_chunks": True}
        )
        return array if writable else CheckedArray(array.async_array)
    except (OSError, ValueError, TypeError, KeyError, NotImplementedError) as error:
        raise SessionDamagedError(f"{name} cannot be opened: {error}") from error
