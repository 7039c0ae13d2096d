#!/usr/bin/env python3
"""Prints the readings of a store, written from docs/reference/storage-format.md alone: an independent second reader.

Usage: read_store.py STORE. One line a reading: series, time, bits of the value in hexadecimal, flags, sequence, arrived,
received, topic, hash. Sorted. Needs Python 3.9, its sqlite3, and the program zstd. Checksums are the other reader's.
"""

import sqlite3
import struct
import subprocess
import sys

MASK = (1 << 64) - 1


def signed(number):
    number &= MASK
    return number - (1 << 64) if number >> 63 else number


def unzstd(data):
    return subprocess.run(["zstd", "-d", "-c", "-q"], input=data, stdout=subprocess.PIPE, check=True).stdout


class Bytes:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def raw(self, size):
        if self.at + size > len(self.data):
            raise ValueError("cut off")
        self.at += size
        return self.data[self.at - size:self.at]

    def byte(self):
        return self.raw(1)[0]

    def varint(self):
        number = shift = 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    def zigzag(self):
        number = self.varint()
        return (number >> 1) ^ -(number & 1)

    def text(self):
        return self.raw(self.varint())

    def end(self):
        if self.at != len(self.data):
            raise ValueError("bytes are left over")


def frame(kind, data):
    read = Bytes(data)
    if read.raw(1).decode() != kind or read.byte() != 2:
        raise ValueError("another kind or version of frame")
    method = read.byte()
    raw_size = read.varint()
    read.raw(8)
    payload = read.raw(len(data) - read.at)
    raw = unzstd(payload) if method == 1 else payload
    if len(raw) != raw_size:
        raise ValueError("another size")
    return Bytes(raw)


def bits_of(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def float_bits_as_double(bits):
    return bits_of(struct.unpack("<f", struct.pack("<I", bits & 0xFFFFFFFF))[0])


# ---- level 0


def runs(read, count, take):
    taken = 0
    while taken < count:
        run = read.varint()
        value = take(read)
        for i in range(run):
            yield value, i
        taken += run


def series_list(read):
    ids = []
    behind = 0
    while read.at < len(read.data):
        behind += read.varint()
        for _ in range(read.varint()):
            ids.append(behind)
            behind += 1
    return ids


def messages_of_block(read):
    topics = [read.text().decode() for _ in range(read.varint())]
    count = read.varint()
    sequences, sequence = [], 0
    for _ in range(count):
        sequence += read.varint()
        sequences.append(sequence)
    arrived = [sequence - read.varint() for sequence in sequences]
    received, time = [], 0
    for _ in range(count):
        time = signed(time + read.zigzag())
        received.append(time)
    topic = [topics[read.varint()] for _ in range(count)]
    hashes = [struct.unpack("<Q", read.raw(8))[0] for _ in range(count)]
    return list(zip(sequences, arrived, received, topic, hashes))


def block_readings(data):
    read = frame("R", data)
    messages = messages_of_block(read)
    ids = series_list(Bytes(read.text()))
    codes = [read.byte() for _ in ids]
    count = read.varint()
    message, of_message = 0, []
    for step, i in runs(read, count, Bytes.zigzag):
        message += step if i == 0 else 0
        of_message.append(message)
    place, places = 0, []
    for step, i in runs(read, count, Bytes.zigzag):
        place += step if i == 0 else 0
        places.append(place)
        place += 1
    time, times = messages[0][2], []
    for step, i in runs(read, count, Bytes.zigzag):
        time = signed(time + (step if i == 0 else 0))
        times.append(time)
    flags = [value for value, _ in runs(read, count, Bytes.byte)]
    before = [0] * len(ids)
    for i in range(count):
        code = codes[places[i]]
        if code == 254:
            bits = float_bits_as_double(struct.unpack("<I", read.raw(4))[0])
        elif code == 255:
            bits = struct.unpack("<Q", read.raw(8))[0]
        else:
            before[places[i]] += read.zigzag()
            bits = bits_of(before[places[i]] / 10**code)
        yield (ids[places[i]], times[i], bits, flags[i]) + messages[of_message[i]]
    read.end()


# ---- columns


def groups(read, count):
    residuals = []
    while len(residuals) < count:
        size = min(128, count - len(residuals))
        least = read.zigzag()
        width = read.byte()
        packed = int.from_bytes(read.raw((size * width + 7) // 8), "little")
        for i in range(size):
            residuals.append(signed(least + (packed >> (i * width) & ((1 << width) - 1))))
    return residuals


def planes(read, count, order):
    numbers = [0] * count
    for plane in range(read.byte()):
        kind = read.byte()
        if kind == 0:
            data = bytes([read.byte()]) * count
        elif kind == 1:
            data = read.raw(count)
        else:
            data = unzstd(read.text())
        for i in range(count):
            numbers[i] |= data[i] << (8 * plane)
    if order != 3:
        numbers = [(number >> 1) ^ -(number & 1) for number in numbers]
    return [signed(number) for number in numbers]


def column(read, count):
    form = read.byte()
    order, layout = form & 15, form >> 4
    base = read.zigzag()
    slope = read.zigzag() if order == 2 else 0
    residuals = planes(read, count, order) if layout else groups(read, count)
    numbers, before = [], base
    for i, residual in enumerate(residuals):
        if order == 0:
            before = signed(base + residual)
        elif order == 1:
            before = signed(before + residual)
        elif order == 3:
            before = signed(before ^ residual)
        elif i == 0:
            before = signed(base + residual)
        else:
            slope = signed(slope + residual)
            before = signed(before + slope)
        numbers.append(before)
    return numbers


def rotated(bits, by):
    return (bits << by | bits >> (64 - by)) & MASK


def values(read, count):
    code = read.byte()
    numbers = column(read, count)
    if code == 255:
        return [number & MASK for number in numbers]
    if code == 254:
        return [float_bits_as_double(number) for number in numbers]
    if code < 16:
        bits = [bits_of(number / 10**code) for number in numbers]
    else:
        singles = (struct.pack("<f", number / 10 ** (code - 32)) for number in numbers)
        bits = [bits_of(struct.unpack("<f", single)[0]) for single in singles]
    place = 0
    for _ in range(read.varint()):
        place += read.varint()
        bits[place] = rotated((rotated(bits[place], 1) + read.zigzag()) & MASK, 63)
        place += 1
    return bits


# ---- level 1


def message_blocks(store):
    found = {}
    for (data,) in store.execute(
        "SELECT block FROM message_block WHERE first_sequence <= (SELECT merged FROM merge_state) ORDER BY first_sequence"
    ):
        read = frame("M", data)
        topics = [read.text().decode() for _ in range(read.varint())]
        count = read.varint()
        sequences, waited, received, topic = (column(read, count) for _ in range(4))
        for i in range(count):
            value = struct.unpack("<Q", read.raw(8))[0]
            row = (sequences[i], sequences[i] - waited[i], received[i], topics[topic[i]], value)
            found.setdefault(sequences[i], []).append(row)
        read.end()
    return found


def chunk_readings(series, points, origins, messages):
    read = frame("P", points)
    count = read.varint()
    times = column(read, count)
    bits = values(read, count)
    flags = [value for value, _ in runs(read, count, Bytes.byte)]
    read.end()
    read = frame("O", origins)
    if read.varint() != count:
        raise ValueError("points and origins are not of the same length")
    sequences, places = column(read, count), column(read, count)
    read.end()
    for i in range(count):
        yield (series, times[i], bits[i], flags[i]) + messages[sequences[i]][places[i]]


def all_readings(store):
    for (data,) in store.execute(
        "SELECT block FROM reading_block WHERE first_sequence > (SELECT merged FROM merge_state)"
    ):
        yield from block_readings(data)
    messages = message_blocks(store)
    for series, points, origins in store.execute(
        "SELECT chunk.series, points, origins FROM chunk JOIN chunk_body ON chunk_body.id = chunk.id "
        "WHERE chunk.id <= (SELECT last_chunk FROM merge_state) AND chunk.id NOT IN "
        "(SELECT id FROM chunk_replaced WHERE merge <= (SELECT finished FROM merge_state))"
    ):
        yield from chunk_readings(series, points, origins, messages)


def main():
    store = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
    store.execute("BEGIN")
    lines = []
    for series, time, bits, flags, sequence, arrived, received, topic, value in all_readings(store):
        lines.append(f"{series} {time} {bits:016x} {flags} {sequence} {arrived} {received} {topic} {value:016x}")
    print("\n".join(sorted(lines)))


if __name__ == "__main__":
    main()
