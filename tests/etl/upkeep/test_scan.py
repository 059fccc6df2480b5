"""`kagemusha scan-leaks`: files, objects and tables, column by column, in counts only and in bounded memory."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.cloud import bigquery
from typer.testing import CliRunner, Result

from etl.cli import app
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.upkeep.scan import streams
from etl.upkeep.scan.places import Place, scan
from masking.examples import EXAMPLE_DAY, example_keyring
from masking.leaks import LeakKind
from masking.strategies import MaskContext, Tokenize
from tests.etl.conftest import DAY, Issuer

CARD, AMEX, EMAIL = "4111111111111111", "378282246310005", "taro@example.jp"
TOKENS = Tokenize(domain="card").mask(
    pa.array([CARD, *map(str, range(500))]), MaskContext(example_keyring(), EXAMPLE_DAY)
)


def run(target: object, *arguments: str) -> Result:
    """Runs the command in this process."""
    return CliRunner().invoke(app, ["scan-leaks", str(target), *arguments])


def lines(result: Result) -> list[str]:
    """Returns what was found, without the name of the place before it."""
    return [line.partition(": ")[2] for line in result.stdout.splitlines()[:-1]]


def test_text_is_scanned_by_line(tmp_path: Path) -> None:
    """Each line with a leak counts once a kind; the exit code is 1; no value comes out."""
    file = tmp_path / "app.log"
    file.write_text(f"paid with {CARD} and {CARD}\nnothing\nto {EMAIL} for {AMEX}", encoding="utf-8")
    result = run(file)
    assert result.exit_code == 1
    assert lines(result) == ["line: 1 look like email", "line: 2 look like pan"]
    assert result.stdout.endswith("1 scanned, 3 rows: 1 email, 2 pan\n")
    assert not any(value in result.output for value in (CARD, AMEX, EMAIL))


def test_nothing_found_ends_with_zero(tmp_path: Path) -> None:
    """Clean data, our own tokens and an empty file are no finding."""
    rows = [json.dumps({"card": token}) for token in TOKENS.values.to_pylist()]
    (tmp_path / "tokens.txt").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "empty.csv").touch()
    result = run(tmp_path)
    assert (result.exit_code, result.stdout) == (0, "2 scanned, 501 rows: nothing found\n")


def test_csv_is_scanned_by_column_and_names_none(tmp_path: Path) -> None:
    """Columns are numbered: a file without a header would show a value for a name. Quoted lines stay together."""
    file = tmp_path / "cards.csv"
    file.write_text(f'{CARD},"two\nlines",x\n{TOKENS.values[0]},{EMAIL},"{CARD}"\n', encoding="utf-8")
    result = run(file)
    assert lines(result) == ["column 1: 1 look like pan", "column 2: 1 look like email", "column 3: 1 look like pan"]
    assert CARD not in result.output


@pytest.mark.parametrize("content", [f"a,b\n1,2,3\n{CARD}\n", f'a,b\n"open,{CARD}\n', f"a\tb\n{CARD}"])
def test_csv_that_is_none_is_scanned_by_line(tmp_path: Path, content: str) -> None:
    """Ragged rows or an open quote do not hide what follows."""
    file = tmp_path / "broken.csv"
    file.write_text(content, encoding="utf-8")
    assert run(file).exit_code == 1


@pytest.mark.parametrize("encoding", ["shift_jis", "euc_jp", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("name", ["cards.csv", "cards.txt"])
def test_encodings_of_japan_hide_nothing(tmp_path: Path, encoding: str, name: str) -> None:
    """Neither a legacy encoding nor two-byte text with its mark keeps a card number from being found."""
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    (tmp_path / name).write_bytes(mark + f"氏名,番号\n影武者,{CARD}\n".encode(encoding))
    assert run(tmp_path / name).exit_code == 1


def test_json_lines_hide_nothing_behind_escapes(tmp_path: Path) -> None:
    """Numbers, nested values and escaped full-width digits are found."""
    file = tmp_path / "rows.jsonl"
    rows = [{"n": int(CARD)}, {"a": {"b": ["４１１１ １１１１ １１１１ １１１１"]}}, {"mail": EMAIL}, {CARD: 1}]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert "uff14" in file.read_text()
    assert lines(run(file)) == ["line: 1 look like email", "line: 3 look like pan"]


def test_parquet_is_scanned_by_column_nested_ones_too(tmp_path: Path) -> None:
    """Text, numbers, dictionaries, bytes, structures, lists and maps are looked into."""
    columns = {
        "clean": pa.array(["a", "b"]),
        "number": pa.array([int(CARD), 1]),
        "coded": pa.array([CARD, CARD]).dictionary_encode(),
        "blob": pa.array([CARD.encode(), None]),
        "who": pa.array([{"mail": EMAIL, "age": 3}, None]),
        "cards": pa.array([["x", CARD, AMEX], []]),
        "tags": pa.array([[("k", CARD)], None], pa.map_(pa.string(), pa.string())),
    }
    pq.write_table(pa.table(columns), tmp_path / "data")
    assert lines(run(tmp_path / "data")) == [
        "blob: 1 look like pan",
        "cards[]: 2 look like pan",
        "coded: 2 look like pan",
        "number: 1 look like pan",
        "tags[]: 1 look like pan",
        "who.mail: 1 look like email",
    ]


def test_only_the_kinds_asked_for_count(tmp_path: Path) -> None:
    """With --kind, other kinds neither show nor change the exit code."""
    (tmp_path / "a").write_text(EMAIL, encoding="utf-8")
    assert run(tmp_path / "a", "--kind", "pan", "--kind", "track").exit_code == 0
    assert run(tmp_path / "a", "--kind", "email").exit_code == 1


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("zst", None)])
@pytest.mark.parametrize("name", ["cards.csv", "cards.txt"])
def test_compressed_files_are_opened(tmp_path: Path, suffix: str, pack: object, name: str) -> None:
    """Compression, told by the first bytes, hides nothing."""
    content = f"id,card\n1,{CARD}\n".encode()
    packed = pack(content) if callable(pack) else pa.compress(content, "zstd", asbytes=True)
    (tmp_path / f"{name}.{suffix}").write_bytes(packed)
    assert run(tmp_path / f"{name}.{suffix}").exit_code == 1


def test_what_cannot_be_seen_is_said_and_the_rest_is_scanned(tmp_path: Path) -> None:
    """An archive and a damaged file are no "nothing found"; a finding elsewhere still counts."""
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04rest")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 damaged PAR1")
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(b"x" * 100_000)[:40])
    result = run(tmp_path)
    assert result.exit_code == 2
    assert [line.partition(": ")[2].partition(".")[0] for line in result.stderr.splitlines()] == [
        "NOT SCANNED: It is a ZIP archive or an office document, whose content cannot be seen",
        "NOT SCANNED: It cannot be read (ArrowInvalid)",
        "NOT SCANNED: It cannot be read (OSError)",
    ]
    (tmp_path / "d.txt").write_text(CARD, encoding="utf-8")
    assert run(tmp_path).exit_code == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(gzip.compress(CARD.encode())), "gzip within gzip"),
        (zlib.compress(CARD.encode()), "a zlib stream"),
        (bytes(pa.compress(CARD.encode(), "lz4", asbytes=True)), "an LZ4 file"),
        (b"ARROW1\x00\x00" + (4111111111111111).to_bytes(8, "little"), "an Arrow file"),
        (b"SQLite format 3\x00", "a SQLite database"),
    ],
    ids=["gzip twice", "zlib", "LZ4", "Arrow", "SQLite"],
)
def test_a_content_that_is_not_seen_is_never_clean(tmp_path: Path, content: bytes, said: str) -> None:
    """What is packed, packed twice, or binary is told by its first bytes, and ends with 2."""
    (tmp_path / "packed").write_bytes(content)
    result = run(tmp_path)
    assert result.exit_code == 2
    assert f"NOT SCANNED: It is {said}, whose content cannot be seen." in result.stderr


def test_what_is_no_file_is_never_clean(tmp_path: Path) -> None:
    """A link to a folder is not followed, and a link to nothing leads nowhere: both are said."""
    (tmp_path / "seen.txt").write_text("x", encoding="utf-8")
    (tmp_path / "folder").symlink_to(tmp_path.parent)
    (tmp_path / "nothing").symlink_to(tmp_path / "gone")
    result = run(tmp_path)
    assert result.exit_code == 2
    assert result.stderr.count("It is no regular file") == 2


def test_names_are_looked_at_and_not_shown(tmp_path: Path) -> None:
    """Files and columns that are called by a value count, as does what a Parquet file says of itself."""
    (tmp_path / f"{CARD}.txt").write_text("x", encoding="utf-8")
    table = pa.table({CARD: ["x"]}).replace_schema_metadata({"made for": EMAIL})
    pq.write_table(table, tmp_path / "named.parquet")
    result = run(tmp_path)
    assert result.exit_code == 1
    assert lines(result) == [
        "its name: 1 look like pan",
        "names of columns: 1 look like pan",
        "what the file says of itself: 1 look like email",
    ]
    assert CARD not in result.output


def test_a_line_without_end_is_scanned_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory holds a block, however long a line is; numbers at its cuts are found once, and none is made by a cut."""
    monkeypatch.setattr(streams, "_BLOCK", 1024)
    row = json.dumps({"card": CARD, "mail": EMAIL, "long": "9" * 40, "name": "taro yamada"})
    content = ("[" + ", ".join([row] * 500) + "]").encode()
    sizes, found = [], {LeakKind.PAN: 0, LeakKind.EMAIL: 0}

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in streams.ways("a.json", lambda: io.BytesIO(content))[0]():
            sizes.append(batch.nbytes)
            for kind in found:
                text = batch.column(0)[0].as_py().decode()
                found[kind] += text.count(CARD if kind == LeakKind.PAN else EMAIL)
            yield batch

    (scanned,) = scan([Place("a.json", (batches,))], frozenset(found))
    assert max(sizes) < 3 * 1024
    assert found == dict.fromkeys(found, 500)
    assert {leak.kind for leak in scanned.leaks} == set(found)


@pytest.mark.parametrize("filler", ["x" * 7, "1" * 7, "あ" * 3])
def test_a_number_between_letters_is_found_wherever_a_piece_ends(monkeypatch: pytest.MonkeyPatch, filler: str) -> None:
    """Without any sign between values, a card number is still found in some piece, whatever its place."""
    monkeypatch.setattr(streams, "_BLOCK", 1024)
    for shift in range(0, 64, 7):
        text = "z" * (900 + shift) + f"x{CARD}x" + filler * 400
        way = streams.ways("a.txt", lambda text=text: io.BytesIO(text.encode()))[0]  # type: ignore[misc]
        (scanned,) = scan([Place("a.txt", (way,))], frozenset({LeakKind.PAN}))
        assert [leak.kind for leak in scanned.leaks] == [LeakKind.PAN], shift


@pytest.fixture(scope="module")
def bucket(issuer: Issuer) -> str:
    """Returns a prefix with a clean object, a leaking one in Parquet, and one in text."""
    staging = issuer.settings.stage
    target = StagingLocation(staging.bucket, "", staging.endpoint, issuer.settings.bigquery.project)
    stage = StagingBucket(target)
    table = io.BytesIO()
    pq.write_table(pa.table({"memo": ["a", f"card {CARD}", None]}), table)
    stage.write("scan/clean/a.txt", b"nothing here", "text/plain")
    stage.write("scan/leaking/part.parquet", table.getvalue(), "application/octet-stream")
    stage.write("scan/leaking/rows.jsonl", json.dumps({"to": EMAIL}).encode(), "application/json")
    return target.uri("scan")


@pytest.mark.stack
def test_objects_under_a_prefix_are_scanned(issuer: Issuer, bucket: str) -> None:
    """Every object below the prefix is scanned by its own kind, and none beside it."""
    settings = ["--settings", str(issuer.ends.settings)]
    assert run(f"{bucket}/clean", *settings).exit_code == 0
    result = run(bucket, *settings)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{bucket}/leaking/part.parquet: memo: 1 look like pan",
        f"{bucket}/leaking/rows.jsonl: line: 1 look like email",
        "3 scanned, 5 rows: 1 email, 1 pan",
    ]


@pytest.mark.stack
def test_a_place_that_is_not_there_is_no_clean_place(issuer: Issuer, bucket: str) -> None:
    """A misspelled prefix, bucket, dataset or table is an error, not "nothing found"."""
    for target in (f"{bucket}/nobody", "gs://no-such-bucket/x", "no_dataset", "issuing.no_table", "no/such/file"):
        result = run(target, "--settings", str(issuer.ends.settings))
        assert getattr(result.exception, "exit_code", 0) == 2, target


@pytest.mark.stack
def test_what_the_daily_load_published_is_clean(issuer: Issuer) -> None:
    """A dataset of masked tables holds nothing that a scan finds."""
    issuer.load(DAY, "members", "cards", "applications")
    result = run("issuing", "--settings", str(issuer.ends.settings))
    assert (result.exit_code, result.stderr) == (0, "")
    assert "nothing found" in result.stdout


@pytest.mark.stack
def test_tables_and_views_of_a_dataset_are_scanned(issuer: Issuer) -> None:
    """Columns, records and arrays of tables are looked into, and what views give."""
    client = issuer.warehouse.client
    issuer.warehouse.ensure_dataset("leaky")
    record = bigquery.SchemaField("who", "RECORD", fields=[bigquery.SchemaField("mail", "STRING")])
    schema = [bigquery.SchemaField("memo", "STRING"), record, bigquery.SchemaField("cards", "STRING", "REPEATED")]
    rows = [{"memo": "a", "who": {"mail": EMAIL}, "cards": ["x", CARD]}, {"memo": CARD, "who": None, "cards": []}]
    client.load_table_from_json(rows, "leaky.people", job_config=bigquery.LoadJobConfig(schema=schema)).result()
    view = bigquery.Table(issuer.warehouse.table_id("leaky.shown"))
    view.view_query = f"SELECT memo FROM `{issuer.warehouse.table_id('leaky.people')}`"
    client.create_table(view)
    settings = ["--settings", str(issuer.ends.settings)]
    table = ["leaky.people: cards[]: 1 look like pan", "leaky.people: memo: 1 look like pan"]
    mail = "leaky.people: who.mail: 1 look like email"
    assert run("leaky", *settings).stdout.splitlines()[:-1] == [*table, mail, "leaky.shown: memo: 1 look like pan"]
    assert run("leaky.people", *settings).stdout.splitlines()[:-1] == [*table, mail]


@pytest.mark.stack
def test_what_a_contract_lets_a_column_look_like_is_allowed(issuer: Issuer, tmp_path: Path) -> None:
    """A public contact's address in a table of ours is no finding; a card number beside it is."""
    (tmp_path / "shops.yaml").write_text(
        """
table: shops
about: One row for each shop.
source: issuing.shops
publish: shops.shops
load: {mode: full}
key: [contact]
columns:
  contact: {type: string, class: none, mask: {strategy: keep, why: the shop's public address}, may_look_like: [email]}
""",
        encoding="utf-8",
    )
    issuer.warehouse.ensure_dataset("shops")
    client = issuer.warehouse.client
    schema = [bigquery.SchemaField("contact", "STRING")]
    rows = [{"contact": EMAIL}, {"contact": CARD}]
    client.load_table_from_json(rows, "shops.shops", job_config=bigquery.LoadJobConfig(schema=schema)).result()
    asked = ["shops", "--settings", str(issuer.ends.settings)]
    assert "1 email, 1 pan" in run(*asked).stdout
    assert "2 rows: 1 pan" in run(*asked, "--contracts", str(tmp_path)).stdout
