from __future__ import annotations

import numpy as np

from core.clock import FixedClock
from core.database import Database
from knowledge.dense import FEATURES
from knowledge.embedding import CachedEmbedder
from knowledge.index import Index, IndexHolder
from knowledge.models import Outcome
from knowledge.search import Search
from knowledge.store import CatalogueStore
from tests.knowledge.samples import LIFE_SITUATIONS, OFFICES, SERVICES, HashingEmbedder, catalogue, service


def test_a_new_service_is_found_after_the_swap_without_training(database: Database, clock: FixedClock) -> None:
    store = CatalogueStore(database, clock)
    store.import_missing(SERVICES, OFFICES, LIFE_SITUATIONS)
    model = HashingEmbedder()
    cached = CachedEmbedder(model, database)
    holder = IndexHolder(store, lambda records: Index(records, model, passages_by=cached))
    search = Search(holder, clock=clock)
    holder.refresh()
    assert search.find("Wo bekomme ich einen Pilzpass?").outcome is not Outcome.SURE

    store.put_service(service("pilzberatung", "Pilzberatung", "Pilzpass", "Pilze bestimmen lassen"))

    assert holder.refresh()
    found = search.find("Wo bekomme ich einen Pilzpass?")
    assert (found.outcome, found.candidates[0].id) == (Outcome.SURE, "pilzberatung")


def test_only_a_changed_catalogue_is_built_again(database: Database, clock: FixedClock) -> None:
    store = CatalogueStore(database, clock)
    store.import_missing(SERVICES)
    built: list[int] = []

    def build(records: object) -> Index:
        built.append(1)
        return Index(store.load(), None)

    holder = IndexHolder(store, build)
    assert not holder.ready
    assert holder.refresh() and holder.ready
    assert not holder.refresh()
    store.put_service(SERVICES[0])
    assert holder.refresh()
    assert len(built) == 2


def test_what_citizens_ask_is_not_kept(database: Database, clock: FixedClock) -> None:
    model = HashingEmbedder()
    index = Index(catalogue(), model, passages_by=CachedEmbedder(model, database))
    index.vectors("Ich heiße wie niemand sonst")
    again = HashingEmbedder()
    CachedEmbedder(again, database).encode(["Ich heiße wie niemand sonst"])
    assert again.asked


def test_a_passage_is_nearest_to_itself() -> None:
    index = Index(catalogue(), HashingEmbedder())
    best = index.vectors("Hundemarke")
    assert best.shape == (len(index.entries), len(FEATURES))
    assert index.entries[int(best[:, FEATURES.index("name_vector")].argmax())].id == "hundesteuer"
    np.testing.assert_allclose(best.max(), 1, atol=1e-5)


def test_without_a_model_only_words_count() -> None:
    index = Index(catalogue(), None)
    assert index.passages == 0
    assert not index.vectors("Hund").any()


def test_entries_keep_regions_and_only_published_services_of_situations() -> None:
    draft = service("kindergeld", "Kindergeld", status="draft")
    index = Index(catalogue(draft, service("jagdschein", "Jagdschein", areas=["160530000000"])), None)
    jagdschein, situation = index.entry("service", "jagdschein"), index.entry("life_situation", "geburt")
    assert jagdschein is not None and jagdschein.areas == ("160530000000",)
    assert situation is not None and situation.services == ("geburtsurkunde",)
    assert index.entry("service", "kindergeld") is None
