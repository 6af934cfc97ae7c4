"""What comes out of a compressed file, or where it is damaged; never less than either."""

from __future__ import annotations

import gzip
import io
import tracemalloc

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.codecs.compression import decompressed, verified
from sslpipe.core.damage import Damage
from tests.badinputs.text import COMPRESSORS, GOOD_LINES, skippable, xz_dictionary, zeros, zstd_window

PACKED = [suffix for suffix in COMPRESSORS if suffix]


def decoded(data: bytes, suffix: str = "", **caps: int) -> tuple[bytes, Damage | None]:
    """What was delivered, and the damage that ended it."""
    out = bytearray()
    try:
        for chunk in decompressed(io.BytesIO(data), suffix, **caps):
            assert 0 < len(chunk) <= 1 << 20
            out += chunk
    except Damage as damage:
        return bytes(out), damage
    return bytes(out), None


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=3000), st.sampled_from(PACKED), st.integers(1, 40))
def test_round_trip_whatever_the_name_says(data: bytes, suffix: str, times: int) -> None:
    packed = COMPRESSORS[suffix](data * times)
    for name in ("", suffix, ".gz", ".xz"):
        assert decoded(packed, name) == (data * times, None)


@pytest.mark.parametrize("suffix", PACKED)
def test_members_one_after_another_are_one_file(suffix: str) -> None:
    pack = COMPRESSORS[suffix]
    assert decoded(pack(b"one ") + pack(b"") + pack(b"two") + bytes(1024)) == (b"one two", None)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4), st.binary(max_size=20))
def test_skippable_frames_hold_nothing(pieces: list[bytes], note: bytes) -> None:
    pack = COMPRESSORS[".zst"]
    packed = b"".join(skippable(note) + pack(piece) for piece in pieces) + skippable(note)
    assert decoded(packed) == (b"".join(pieces), None)


def test_a_large_file_of_many_blocks_and_streams_of_unknown_size() -> None:
    data = bytes(range(256)) * 8192
    stream = zstandard.ZstdCompressor(level=1).compressobj()
    packed = b"".join(stream.compress(data[at : at + 10_000]) for at in range(0, len(data), 10_000)) + stream.flush()
    assert decoded(packed) == (data, None)
    assert decoded(gzip.compress(data)) == (data, None)


def damages(packed: bytes) -> list[bytes]:
    """Every cut, and every bit of every byte flipped."""
    cuts = [packed[:at] for at in range(len(packed))]
    flips = [packed[:at] + bytes([packed[at] ^ 1 << bit]) + packed[at + 1 :] for at in range(len(packed)) for bit in (0, 3, 7)]
    return cuts + flips


def check_no_silent_loss(decode: object, suffix: str) -> None:
    """The law: damage is reported, with a true prefix before it, or does no harm."""
    packed = COMPRESSORS[suffix](GOOD_LINES[:600])
    for hurt in damages(packed):
        out, damage = decode(hurt, suffix)  # type: ignore[operator]
        if damage is None:
            assert out in (GOOD_LINES[:600], hurt), (suffix, hurt)
        else:
            assert damage.reason.split(".")[0] in (suffix[1:], "bomb")
            assert 0 <= damage.offset <= len(hurt)


@pytest.mark.parametrize("suffix", PACKED)
def test_every_damage_is_reported_or_harmless(suffix: str) -> None:
    check_no_silent_loss(decoded, suffix)


@pytest.mark.parametrize("suffix", PACKED)
def test_every_cut_behind_the_magic_is_reported(suffix: str) -> None:
    packed = COMPRESSORS[suffix](GOOD_LINES)
    for cut in range(len(packed)):
        out, damage = decoded(packed[:cut], suffix)
        assert damage is not None and GOOD_LINES.startswith(out)


def test_mutant_quiet_stream_reader() -> None:
    """The binding's own reader ends without a word where a file is cut off; the law sees that."""

    def quiet(data: bytes, suffix: str) -> tuple[bytes, Damage | None]:
        try:
            return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read(), None
        except zstandard.ZstdError as error:
            return b"", Damage("zst.data", 0, str(error))

    with pytest.raises(AssertionError):
        check_no_silent_loss(quiet, ".zst")


@pytest.mark.parametrize("suffix", [".zst", ".xz", ".bz2"])
def test_bombs_are_stopped_in_bounded_memory(suffix: str) -> None:
    bomb = zeros(suffix, 160 << 20)
    tracemalloc.start()
    count, damage = 0, None
    try:
        for chunk in decompressed(io.BytesIO(bomb)):
            count += len(chunk)
    except Damage as error:
        damage = error
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert damage is not None and damage.reason == "bomb"
    assert count <= 160 << 20 and peak < 16 << 20


def test_gzip_at_its_highest_ratio_passes_up_to_the_cap() -> None:
    packed = zeros(".gz", 24 << 20)
    assert decoded(packed) == (bytes(24 << 20), None)
    out, damage = decoded(packed, max_bytes=5_000_000)
    assert len(out) <= 5_000_000
    assert damage is not None and str(damage).endswith(
        "more than 5,000,000 bytes come out of this file; raise the cap if it is sound"
    )


@pytest.mark.parametrize("data", [zstd_window(31), xz_dictionary()], ids=["zstd window", "xz dictionary"])
def test_working_memory_is_capped(data: bytes) -> None:
    _, damage = decoded(data)
    assert damage is not None and damage.reason == "bomb"
    tracemalloc.start()
    decoded(data)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_a_zstd_window_within_the_cap_is_fine() -> None:
    assert decoded(zstd_window(27)) == (b"x", None)


@pytest.mark.parametrize("held", [1, 64 << 20], ids=["decoded twice", "held"])
@pytest.mark.parametrize("suffix", PACKED)
def test_verified_gives_what_is_sound_and_no_more(suffix: str, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sslpipe.codecs.compression._HELD", held)
    pack = COMPRESSORS[suffix]
    first, second = pack(b"first " * 50), pack(b"second")

    def outcome(data: bytes) -> tuple[bytes, str]:
        out = b""
        try:
            for chunk in verified(io.BytesIO(data), suffix):
                assert chunk
                out += chunk
        except Damage as damage:
            return out, damage.detail
        return out, ""

    assert outcome(first + second) == (b"first " * 50 + b"second", "")
    assert outcome(first + second[:-1])[0].startswith(b"first " * 50)
    wrong = {".gz": -8, ".zst": -4, ".bz2": -6, ".xz": -30}[suffix]
    hurt = bytearray(second)
    hurt[wrong] ^= 1
    out, detail = outcome(first + bytes(hurt))
    assert out == b"first " * 50
    assert detail
    assert outcome(first + b"junk" * 9) == (b"first " * 50, outcome(b"" + first + b"junk" * 9)[1])


def test_verified_says_how_much_it_leaves_out() -> None:
    packed = bytearray(COMPRESSORS[".zst"](GOOD_LINES * 999))
    packed[-1] ^= 1
    with pytest.raises(Damage, match=r"bytes decoded before it could not be verified and are left out$") as caught:
        assert b"".join(verified(io.BytesIO(bytes(packed)))) == b""
    assert caught.value.detail.startswith("Restored data doesn't match checksum; ")
    assert caught.value.reason == "zst.data"


@pytest.mark.parametrize(
    ("data", "suffix", "text"),
    [
        (b"", ".gz", "gz.empty at byte 0: a .gz of 0 bytes; even an empty text makes some"),
        (b"\x1f", ".gz", "gz.truncated at byte 1: the file ends within its first header"),
        (COMPRESSORS[".gz"](b"x" * 99)[:-3], "", "gz.truncated at byte 21: the file ends before its data do"),
        (COMPRESSORS[".gz"](b"x") + b"junk", "", "gz.data at byte 21: bytes behind the last member that are no member"),
        (COMPRESSORS[".zst"](b"x")[:-1], "", "zst.data at byte 13: the file ends within a frame"),
        (COMPRESSORS[".zst"](b"x") + b"junk", "", "zst.data at byte 14: bytes behind the last frame that are no frame"),
        (b"BZh9", ".bz2", "bz2.data at byte 4: the file ends within its first header"),
    ],
)
def test_damage_says_what_and_where(data: bytes, suffix: str, text: str) -> None:
    _, damage = decoded(data, suffix)
    assert str(damage) == text


def test_short_plain_files_are_plain() -> None:
    for data in (b"", b"B", b"BZh9", b"(", b"\x1f", b"\xfd7z"):
        assert decoded(data) == (data, None)
        if data:
            assert decoded(data + b" and so on", ".gz") == (data + b" and so on", None)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"BZh91AY&SY", b"\xfd7zXZ\0"]))
def test_any_bytes_give_output_or_damage(data: bytes, magic: bytes) -> None:
    decoded(magic + data)
