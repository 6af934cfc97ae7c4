"""Bytes into deflate's bits, the same on every processor and with every version of every library.

Each byte has a Huffman code of its own, and runs of one byte are matches; what stands further back is not searched for. On the
filtered rows of photographs that search is what makes zlib slow, and it gains nothing there: this is three times as fast as the
quickest level of zlib, and smaller. Drawings with repeated patterns come out up to half as large again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import helper, kernel

BLOCK = 1 << 17
"""Bytes that share one table of codes."""
_SHORTEST, _LONGEST = 3, 258
_END = 256
_SYMBOLS = 286
_ORDER = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])
"""In which the lengths of codes for lengths are sent."""


def _symbols_of_lengths() -> NDArray[np.int64]:
    """For each length of a match its symbol, how many extra bits follow, and their value; int64 `[259, 3]`."""
    out = np.zeros((_LONGEST + 1, 3), np.int64)
    length, symbol = _SHORTEST, _END + 1
    for extra in (0, *range(6)):
        for _ in range(4):
            for value in range(1 << extra):
                out[min(length, _LONGEST)] = symbol, extra, value
                length += 1
            symbol += 1
    out[_LONGEST] = _SYMBOLS - 1, 0, 0
    return out


_LENGTHS = _symbols_of_lengths()


def deflate(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A raw stream of deflate, uint8 `[m]`, that inflates to `data`, uint8 `[n]`."""
    # Fewer than 9 bits a byte and 400 bytes a table; and bits are stored four bytes at a time.
    out = np.empty(2 * len(data) + 1024 * (len(data) // BLOCK + 1), np.uint8)
    source = np.ascontiguousarray(data).view()
    source.flags.writeable = False
    return out[: _stream(source, out)]


@kernel
def _stream(data: NDArray[np.uint8], out: NDArray[np.uint8]) -> Any:
    state = np.zeros(3, np.int64)  # bits not stored yet, how many they are, bytes stored
    tokens = np.empty(min(BLOCK, len(data)), np.uint16)
    start = 0
    while True:
        stop = min(start + BLOCK, len(data))
        _block(data[start:stop], stop == len(data), tokens, out, state)
        start = stop
        if start == len(data):
            break
    _put(out, state, 0, -state[1] & 7)
    return state[2]


@kernel
def _block(
    data: NDArray[np.uint8], is_last: bool, tokens: NDArray[np.uint16], out: NDArray[np.uint8], state: NDArray[np.int64]
) -> None:
    counts = np.zeros(_SYMBOLS, np.int64)
    counts[_END] = 1
    used = _tokens(data, tokens, counts)
    sizes = np.zeros(_SYMBOLS, np.int64)
    codes = np.zeros(_SYMBOLS, np.int64)
    _code_sizes(counts, 15, sizes)
    _codes(sizes, codes)
    _put(out, state, 1 if is_last else 0, 1)
    _put(out, state, 2, 2)
    _table(sizes, out, state)
    token_bits = np.zeros(_END + _LONGEST + 1, np.uint64)
    token_sizes = np.zeros(_END + _LONGEST + 1, np.uint64)
    for token in range(_END):
        token_bits[token] = codes[token]
        token_sizes[token] = sizes[token]
    for length in range(_SHORTEST, _LONGEST + 1):
        symbol, extra, value = _LENGTHS[length]
        token_bits[_END + length] = codes[symbol] | value << sizes[symbol]
        token_sizes[_END + length] = sizes[symbol] + extra + 1  # and the distance 1, whose code is one bit, 0
    _send(tokens[:used], token_bits, token_sizes, out, state)
    _put(out, state, codes[_END], sizes[_END])


@helper
def _tokens(data: NDArray[np.uint8], tokens: NDArray[np.uint16], counts: NDArray[np.int64]) -> Any:
    """Bytes as they are, and 256 + n for n more of the byte before; returns how many, and counts their symbols."""
    at, used = 0, 0
    size = len(data)
    while at < size:
        byte = data[at]
        # Three at once: two equal neighbours are frequent in noise, and a branch that is taken at random is slow.
        if at and at + 2 < size and byte == data[at - 1] and byte == data[at + 1] and byte == data[at + 2]:
            stop, end = at + 3, min(size, at + _LONGEST)
            while stop < end and data[stop] == byte:
                stop += 1
            tokens[used] = _END + stop - at
            counts[_LENGTHS[stop - at, 0]] += 1
            at = stop
        else:
            tokens[used] = byte
            counts[byte] += 1
            at += 1
        used += 1
    return used


@helper
def _send(
    tokens: NDArray[np.uint16],
    token_bits: NDArray[np.uint64],
    token_sizes: NDArray[np.uint64],
    out: NDArray[np.uint8],
    state: NDArray[np.int64],
) -> None:
    held, bits, done = np.uint64(state[0]), np.uint64(state[1]), np.uint64(state[2])
    for place in range(len(tokens)):
        held |= token_bits[tokens[place]] << bits
        bits += token_sizes[tokens[place]]
        # At most 7 + 21 bits. Four bytes are stored whatever they are, so that no branch depends on the data.
        out[done] = np.uint8(held)
        out[done + np.uint64(1)] = np.uint8(held >> np.uint64(8))
        out[done + np.uint64(2)] = np.uint8(held >> np.uint64(16))
        out[done + np.uint64(3)] = np.uint8(held >> np.uint64(24))
        done += bits >> np.uint64(3)
        held >>= bits & np.uint64(0xF8)
        bits &= np.uint64(7)
    state[0], state[1], state[2] = np.int64(held), np.int64(bits), np.int64(done)


@helper
def _put(out: NDArray[np.uint8], state: NDArray[np.int64], value: Any, size: Any) -> None:
    state[0] |= np.int64(value) << state[1]
    state[1] += size
    while state[1] >= 8:
        out[state[2]] = state[0] & 255
        state[0] >>= 8
        state[1] -= 8
        state[2] += 1


@kernel
def _code_sizes(counts: NDArray[np.int64], limit: int, sizes: NDArray[np.int64]) -> None:
    """The sizes of Huffman's codes, at most `limit` bits: where one would be longer, counts are halved until none is."""
    weights = counts.copy()
    used = np.flatnonzero(weights)
    count = len(used)
    if count == 1:
        sizes[used[0]] = 1
        return
    total = np.empty(2 * count - 1, np.int64)
    parent = np.empty(2 * count - 1, np.int64)
    depth = np.zeros(2 * count - 1, np.int64)
    while True:
        _sort(used, weights)
        for leaf in range(count):
            total[leaf] = weights[used[leaf]]
        # Leaves are sorted, and so are inner nodes as they are made: the two smallest stand at the head of one of two queues.
        leaf, inner = 0, count
        for made in range(count, 2 * count - 1):
            total[made] = 0
            for _ in range(2):
                if leaf < count and (inner == made or total[leaf] <= total[inner]):
                    smallest = leaf
                    leaf += 1
                else:
                    smallest = inner
                    inner += 1
                total[made] += total[smallest]
                parent[smallest] = made
        for node in range(2 * count - 3, -1, -1):
            depth[node] = depth[parent[node]] + 1
        if depth[:count].max() <= limit:
            break
        for symbol in used:
            weights[symbol] = (weights[symbol] + 1) // 2
    for leaf in range(count):
        sizes[used[leaf]] = depth[leaf]


@helper
def _sort(used: NDArray[np.int64], weights: NDArray[np.int64]) -> None:
    """By weight; equals stay as they are, so that every machine sorts alike."""
    for place in range(1, len(used)):
        symbol = used[place]
        before = place - 1
        while before >= 0 and weights[used[before]] > weights[symbol]:
            used[before + 1] = used[before]
            before -= 1
        used[before + 1] = symbol


@helper
def _codes(sizes: NDArray[np.int64], codes: NDArray[np.int64]) -> None:
    """The canonical codes of these sizes, first bit lowest."""
    code = 0
    for size in range(1, 16):
        for symbol in range(len(sizes)):
            if sizes[symbol] == size:
                for bit in range(size):
                    codes[symbol] |= ((code >> bit) & 1) << (size - 1 - bit)
                code += 1
        code <<= 1


@kernel
def _table(sizes: NDArray[np.int64], out: NDArray[np.uint8], state: NDArray[np.int64]) -> None:
    """Send the sizes of all codes; of distances there is one, of one bit."""
    literals = _SYMBOLS
    while sizes[literals - 1] == 0:
        literals -= 1
    sent = np.ones(literals + 1, np.int64)
    sent[:literals] = sizes[:literals]
    counts = np.zeros(len(_ORDER), np.int64)
    for size in sent:
        counts[size] += 1
    small = np.zeros(len(_ORDER), np.int64)
    codes = np.zeros(len(_ORDER), np.int64)
    _code_sizes(counts, 7, small)
    _codes(small, codes)
    shown = len(_ORDER)
    while small[_ORDER[shown - 1]] == 0:
        shown -= 1
    _put(out, state, literals - _END - 1, 5)
    _put(out, state, 0, 5)
    _put(out, state, shown - 4, 4)
    for place in range(shown):
        _put(out, state, small[_ORDER[place]], 3)
    for size in sent:
        _put(out, state, codes[size], small[size])
