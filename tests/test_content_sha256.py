import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from linguacodus_core.store import content_sha256

TABLE = pa.table(
    {
        "text": pa.array(["a", None, "ccc", ""]),
        "number": pa.array([1, 2, None, 4], pa.int64()),
        "real": pa.array([0.5, None, -1.0, 2.0]),
        "texts": pa.array([["x"], [], None, ["y", None]], pa.list_(pa.string())),
        "messages": pa.array(
            [[{"role": "user", "content": "hi"}], None, [], [{"role": "a", "content": None}]],
            pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])),
        ),
        "bytes": pa.array([b"1", b"", None, b"22"]),
    }
)


def test_chunks_slices_and_dictionaries_do_not_count() -> None:
    whole = content_sha256(TABLE)
    assert content_sha256(pa.concat_tables([TABLE[:1], TABLE[1:3], TABLE[3:]])) == whole
    assert content_sha256(pa.concat_tables([TABLE, TABLE])[4:]) == whole
    encoded = TABLE.set_column(0, "text", TABLE["text"].dictionary_encode())
    assert content_sha256(encoded.cast(TABLE.schema)) == whole


def test_a_trip_through_parquet_does_not_count(tmp_path) -> None:
    pq.write_table(TABLE, tmp_path / "t.parquet")
    read = pq.read_table(tmp_path / "t.parquet").cast(TABLE.schema)
    assert content_sha256(read) == content_sha256(TABLE)


def test_what_stands_under_a_null_does_not_count() -> None:
    hidden = pa.Array.from_buffers(
        pa.int64(), 2, [pa.py_buffer(b"\x01"), pa.py_buffer(b"\x01" + b"\0" * 7 + b"\x63" + b"\0" * 7)]
    )
    assert hidden.to_pylist() == [1, None]
    plain = pa.table({"n": pa.array([1, None], pa.int64())})
    assert content_sha256(pa.table({"n": hidden})) == content_sha256(plain)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("text", ["a", "", "ccc", ""]),
        ("text", ["ac", None, "cc", ""]),
        ("number", [1, 2, 0, 4]),
        ("texts", [["x"], None, None, ["y", None]]),
        ("texts", [["x"], ["y"], None, [None]]),
        ("messages", [[{"role": "user", "content": "hi"}], None, [], [{"role": "a", "content": ""}]]),
    ],
)
def test_every_change_counts(column: str, values: list[object]) -> None:
    place = TABLE.schema.get_field_index(column)
    changed = TABLE.set_column(
        place, TABLE.schema.field(place), pa.array(values, TABLE.schema.field(place).type)
    )
    assert content_sha256(changed) != content_sha256(TABLE)


def test_the_order_of_rows_and_the_names_of_columns_count() -> None:
    assert content_sha256(TABLE.take([1, 0, 2, 3])) != content_sha256(TABLE)
    assert content_sha256(TABLE.rename_columns(["t", *TABLE.schema.names[1:]])) != content_sha256(TABLE)


def test_an_empty_table_has_a_name_too() -> None:
    assert content_sha256(TABLE[:0]) == content_sha256(TABLE.schema.empty_table())
