"""Makes the files of this folder, with pyarrow 26.0.1 and the zstd command. Run in this folder."""

import datetime as dt
import decimal
import json
import subprocess
import uuid

import pyarrow as pa
import pyarrow.parquet as pq

UTC = dt.timezone.utc

columns = {
    "text": pa.array(["plain", 'quote " and \\', "ü 😀 \u2028", "", None]),
    "int64": pa.array([2**63 - 1, -(2**63), 2**53 + 1, 0, None], pa.int64()),
    "uint64": pa.array([2**64 - 1, 0, 1, 2**63, None], pa.uint64()),
    "int32": pa.array([2**31 - 1, -(2**31), 1, 0, None], pa.int32()),
    "uint32": pa.array([2**32 - 1, 0, 1, 2**31, None], pa.uint32()),
    "int8": pa.array([127, -128, 1, 0, None], pa.int8()),
    "bool": pa.array([True, False, True, False, None]),
    "double": pa.array([0.1, 1.0, -1e300, 5e-324, None]),
    "float": pa.array([0.1, 1.0, -1e30, 16777217.0, None], pa.float32()),
    "decimal": pa.array([decimal.Decimal(x) for x in ("12.50", "-0.05", "0.00", "99999999.99")] + [None], pa.decimal128(10, 2)),
    "decimal_big": pa.array(
        [decimal.Decimal("-123456789012345678901234567890.12345"), decimal.Decimal("0.00001"), None, None, None],
        pa.decimal128(38, 5),
    ),
    "date": pa.array([dt.date(2024, 2, 29), dt.date(1969, 12, 31), dt.date(1, 1, 1), dt.date(9999, 12, 31), None]),
    "time": pa.array([dt.time(12, 34, 56, 789000), dt.time(0), dt.time(23, 59, 59, 999999), dt.time(1), None], pa.time64("us")),
    "millis": pa.array([1709210096789, -1, 0, 253402300799999, None], pa.timestamp("ms", tz="UTC")),
    "micros": pa.array([1709210096789012, -1, 0, 1000, None], pa.timestamp("us", tz="UTC")),
    "nanos": pa.array([1709210096789012345, -1, 0, 1000, None], pa.timestamp("ns")),
    "bytes": pa.array([b"text", b"\xff\x00", b"", b"\xc3\xbc", None], pa.binary()),
    "fixed": pa.array([b"abcd", b"\xff\xff\xff\xff", b"0000", b"wxyz", None], pa.binary(4)),
    "category": pa.array(["a", "b", "a", "b", None]).dictionary_encode(),
    "list": pa.array([[1, 2], [], [None], None, [3]], pa.list_(pa.int64())),
    "struct": pa.array(
        [{"a": 1, "b": "x"}, {"a": None, "b": None}, None, {"a": 4, "b": ""}, {"a": 5, "b": "z"}],
        pa.struct([("a", pa.int32()), ("b", pa.string())]),
    ),
    "messages": pa.array(
        [
            [{"role": "user", "content": "hi", "tags": ["x", None]}, {"role": "assistant", "content": None, "tags": []}],
            [],
            None,
            [{"role": "user", "content": "a\nb", "tags": None}],
            [None],
        ],
        pa.list_(pa.struct([("role", pa.string()), ("content", pa.string()), ("tags", pa.list_(pa.string()))])),
    ),
    "map": pa.array([[("k", 1), ("__proto__", None)], [], None, [("é", 3)], [("z", 4)]], pa.map_(pa.string(), pa.int64())),
    "nested_list": pa.array([[[1], []], [], None, [None, [2, 3]], [[4]]], pa.list_(pa.list_(pa.int32()))),
    "nothing": pa.nulls(5),
}
table = pa.table(columns)
for codec in ("none", "snappy", "gzip", "zstd", "brotli", "lz4"):
    pq.write_table(table, f"types-{codec}.parquet", compression=codec, use_dictionary=codec in ("snappy", "zstd"), row_group_size=3,
                   data_page_version="2.0" if codec in ("zstd", "none") else "1.0")


def plain(value):
    """A value as this program's documents say it becomes JSON; decimals and times are checked by the test itself."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


skipped = {"decimal", "decimal_big", "date", "time", "millis", "micros", "nanos", "bytes", "fixed", "float", "map"}
kept = [name for name in columns if name not in skipped]
with open("types.jsonl", "w") as file:
    for row in table.select(kept).to_pylist():
        file.write(json.dumps(plain(row), ensure_ascii=False, separators=(",", ":")) + "\n")

# Many rows over several pages and row groups: lists that go on from page to page, and columns whose pages end elsewhere.
many = pa.table({
    "number": pa.array(range(6000), pa.int64()),
    "item": pa.array([{"question": f"q{i}", "long": "x" * (i % 97)} for i in range(6000)]),
    "words": pa.array([[f"w{j}" for j in range(i % 23)] for i in range(6000)]),
})
pq.write_table(many, "pages.parquet", compression="zstd", data_page_size=2048, row_group_size=2500, write_batch_size=64)

# The other encodings.
encodings = {
    "delta_int": ("DELTA_BINARY_PACKED", pa.array([i * 7919 % 1009 - 500 for i in range(300)], pa.int32())),
    "delta_long": ("DELTA_BINARY_PACKED", pa.array([(-1) ** i * 3**(i % 39) for i in range(300)], pa.int64())),
    "delta_length": ("DELTA_LENGTH_BYTE_ARRAY", pa.array([f"text {i}" * (i % 5) for i in range(300)])),
    "delta_bytes": ("DELTA_BYTE_ARRAY", pa.array([f"common prefix {i}" if i % 7 else None for i in range(300)])),
    "split": ("BYTE_STREAM_SPLIT", pa.array([i / 8 for i in range(300)], pa.float64())),
    "run": ("RLE", pa.array([i % 9 < 5 if i % 4 else None for i in range(300)])),
}
for version in ("1.0", "2.0"):
    pq.write_table(
        pa.table({name: values for name, (_, values) in encodings.items()}),
        f"encodings-{version}.parquet",
        use_dictionary=False,
        column_encoding={name: encoding for name, (encoding, _) in encodings.items()},
        data_page_version=version,
        write_page_index=True,
    )

# Values that JSON cannot hold.
odd = pa.table({
    "score": pa.array([1.5, float("nan"), float("inf"), 2.0]),
    "scores": pa.array([[1.0], [2.0], [3.0], [float("nan")]]),
})
pq.write_table(odd, "odd.parquet")
bad_text = pa.StringArray.from_buffers(2, pa.py_buffer(b"\0\0\0\0\2\0\0\0\4\0\0\0"), pa.py_buffer(b"ok\xff\xfe"))
pq.write_table(pa.table({"text": bad_text}), "bad-utf8.parquet")

lines = "".join(json.dumps({"item": {"n": i, "text": "zstandard " * (i % 9)}}) + "\n" for i in range(3000)).encode()
zstd = ["zstd", "-q", "--check", "-19", "--stdout"]
with open("rows.jsonl.zst", "wb") as file:
    # Two frames, as appending to a file or a parallel compressor makes them.
    for part in (lines[:100_000], lines[100_000:]):
        file.write(subprocess.run(zstd, input=part, check=True, capture_output=True).stdout)
