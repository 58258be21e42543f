"""Publishing and reading snapshots: whole or not at all, while being served."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from knowledge.errors import ContentErrors, EncoderMismatch, SnapshotCorrupt, SnapshotNotFound
from knowledge.publishing import KEPT_SNAPSHOTS, build_snapshot
from knowledge.retriever import Retriever
from knowledge.snapshots import POINTER, SnapshotReader, read_snapshot
from tests.knowledge.conftest import PieceEncoder, change


@pytest.fixture
def snapshots(tmp_path: Path) -> Path:
    return tmp_path / "snapshots"


def edit(data_dir: Path, title: str) -> None:
    path = data_dir / "kb/dentist/en.md"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[1] = f'title: "{title}"\n'
    path.write_text("".join(lines), encoding="utf-8")


def title_of(reader: SnapshotReader) -> str:
    return reader.current().knowledge.articles["dentist"].translations["en"].title


def test_what_is_published_is_what_is_read(data_dir: Path, snapshots: Path, encoder: PieceEncoder) -> None:
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    info = build_snapshot(data_dir, snapshots, encoder, now=now)
    snapshot = SnapshotReader(snapshots).current()
    assert info.is_new
    assert info.articles == len(snapshot.knowledge.articles) == 3
    assert snapshot.manifest.built_at == now
    assert (snapshot.manifest.encoder, snapshot.manifest.dim) == ("pieces", 96)
    assert snapshot.knowledge.contact("helpline").phone == "0800-64 64 644"
    assert str(snapshot.knowledge.facts["deductible"].by_year[2026]) == "385"


def test_nothing_is_built_when_nothing_changed(data_dir: Path, snapshots: Path, encoder: PieceEncoder) -> None:
    first = build_snapshot(data_dir, snapshots, encoder)
    calls = encoder.calls
    second = build_snapshot(data_dir, snapshots, encoder)
    assert (second.is_new, second.folder, encoder.calls) == (False, first.folder, calls)


def test_a_change_embeds_only_what_changed(data_dir: Path, snapshots: Path, encoder: PieceEncoder) -> None:
    build_snapshot(data_dir, snapshots, encoder)
    edit(data_dir, "A new title")
    seen: list[tuple[int, int]] = []
    info = build_snapshot(data_dir, snapshots, encoder, progress=lambda done, total: seen.append((done, total)))
    assert info.is_new
    assert seen == [(info.passages, info.passages)]
    assert encoder.calls > 0


def test_a_reader_swaps_to_the_new_snapshot_while_serving(
    data_dir: Path, snapshots: Path, encoder: PieceEncoder
) -> None:
    build_snapshot(data_dir, snapshots, encoder)
    reader = SnapshotReader(snapshots)
    before = reader.current()
    assert reader.current() is before
    edit(data_dir, "A new title")
    build_snapshot(data_dir, snapshots, encoder)
    assert title_of(reader) == "A new title"
    assert before.knowledge.articles["dentist"].translations["en"].title == "Going to the dentist"


def test_searching_goes_on_while_snapshots_are_swapped(data_dir: Path, snapshots: Path, encoder: PieceEncoder) -> None:
    build_snapshot(data_dir, snapshots, encoder)
    reader, stop, failures, answers = SnapshotReader(snapshots), threading.Event(), [], []

    def serve() -> None:
        while not stop.is_set():
            try:
                answers.append(Retriever(reader.current(), encoder).search("dentist", "en").candidates[0].article)
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=serve) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(KEPT_SNAPSHOTS + 1):
        edit(data_dir, f"Title {number}")
        build_snapshot(data_dir, snapshots, encoder)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert set(answers) == {"dentist"}
    assert title_of(reader) == f"Title {KEPT_SNAPSHOTS}"


def test_only_the_last_snapshots_are_kept(data_dir: Path, snapshots: Path, encoder: PieceEncoder) -> None:
    for number in range(KEPT_SNAPSHOTS + 2):
        edit(data_dir, f"Title {number}")
        newest = build_snapshot(data_dir, snapshots, encoder).folder
    folders = [path for path in snapshots.iterdir() if path.is_dir()]
    assert len(folders) == KEPT_SNAPSHOTS
    assert newest in folders


def test_without_a_snapshot_the_error_says_what_to_do(snapshots: Path) -> None:
    with pytest.raises(SnapshotNotFound, match="zorgbrug kb publish"):
        SnapshotReader(snapshots).current()


@pytest.mark.parametrize("name", ["content.json", "search.json", "search.npz", "vectors.faiss", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_snapshot_is_refused_and_the_old_one_stays(
    data_dir: Path, snapshots: Path, encoder: PieceEncoder, name: str, damage: str
) -> None:
    build_snapshot(data_dir, snapshots, encoder)
    reader = SnapshotReader(snapshots)
    reader.current()
    edit(data_dir, "A new title")
    broken = build_snapshot(data_dir, snapshots, encoder).folder
    if damage == "gone":
        (broken / name).unlink()
    else:
        (broken / name).write_bytes((broken / name).read_bytes()[:100])
    with pytest.raises(SnapshotCorrupt, match="Publish again"):
        read_snapshot(broken)
    assert title_of(reader) == "Going to the dentist"
    assert title_of(reader) == "Going to the dentist"  # and it does not stumble over it at every question
    with pytest.raises(SnapshotCorrupt):
        SnapshotReader(snapshots).current()
    assert build_snapshot(data_dir, snapshots, encoder).is_new  # publishing again mends it
    assert title_of(reader) == "A new title"


def test_a_snapshot_of_another_encoder_is_refused_and_the_old_one_stays(
    data_dir: Path, snapshots: Path, encoder: PieceEncoder
) -> None:
    build_snapshot(data_dir, snapshots, encoder)
    reader = SnapshotReader(snapshots, encoder_name="pieces")
    old = reader.current()
    build_snapshot(data_dir, snapshots, PieceEncoder(name="other"))
    assert reader.current() is old
    with pytest.raises(EncoderMismatch, match="built with encoder other, but pieces is in use"):
        SnapshotReader(snapshots, encoder_name="pieces").current()


def test_a_pointer_that_goes_away_or_astray_keeps_the_old_snapshot(
    data_dir: Path, snapshots: Path, encoder: PieceEncoder
) -> None:
    build_snapshot(data_dir, snapshots, encoder)
    reader = SnapshotReader(snapshots)
    old = reader.current()
    (snapshots / POINTER).write_text("../../etc\n", encoding="utf-8")
    assert reader.current() is old
    (snapshots / POINTER).unlink()
    assert reader.current() is old


def test_a_snapshot_of_another_format_is_refused(data_dir: Path, snapshots: Path, encoder: PieceEncoder) -> None:
    folder = build_snapshot(data_dir, snapshots, encoder).folder
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format": 99}), encoding="utf-8")
    with pytest.raises(SnapshotCorrupt, match="format 99"):
        read_snapshot(folder)


def test_content_that_cannot_be_read_changes_nothing(data_dir: Path, snapshots: Path, encoder: PieceEncoder) -> None:
    info = build_snapshot(data_dir, snapshots, encoder)
    change(data_dir / "kb/dentist/article.yml", "topic: dental", "topic: teeth")
    with pytest.raises(ContentErrors):
        build_snapshot(data_dir, snapshots, encoder)
    assert SnapshotReader(snapshots).current().name == info.folder.name
    assert [path.name for path in snapshots.iterdir() if path.name.startswith(".draft")] == []


def test_a_build_that_fails_half_way_leaves_no_trace(
    data_dir: Path, snapshots: Path, encoder: PieceEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = build_snapshot(data_dir, snapshots, encoder)
    edit(data_dir, "A new title")

    def full_disk(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("knowledge.publishing.write_model", full_disk)
    with pytest.raises(OSError, match="No space left"):
        build_snapshot(data_dir, snapshots, encoder)
    assert sorted(path.name for path in snapshots.iterdir() if path.is_dir()) == [info.folder.name]
    assert title_of(SnapshotReader(snapshots)) == "Going to the dentist"


def test_a_damaged_cache_of_embeddings_only_costs_time(data_dir: Path, snapshots: Path, encoder: PieceEncoder) -> None:
    build_snapshot(data_dir, snapshots, encoder)
    (snapshots / "embeddings.npz").write_bytes(b"not an archive")
    edit(data_dir, "A new title")
    assert build_snapshot(data_dir, snapshots, encoder).is_new
