"""Trains the bundled sentence-embedding model.

    python -m nlu.training --open FOLDER --thesaurus FILE [--ding FILE] --output FOLDER

Without `--ding` nothing under the GPL goes into the weights.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from nlu.training import pairs
from nlu.training.export import save
from nlu.training.pairs import Paraphrase, Translation
from nlu.training.pieces import finer, train_tokenizer
from nlu.training.student import Bags, GermanBags, Paraphrases, Recipe, Student, Translations
from nlu.training.teacher import principal_components, teacher_folder, teacher_vectors

PIECES = 40_000
PRACTICE = Path(__file__).resolve().parents[2] / "knowledge" / "practice"


def main() -> None:
    """Read the sources, ask the teacher, train the student, save it."""
    arguments = _arguments()
    begun = time.monotonic()
    torch.set_num_threads(os.cpu_count() or 1)
    recipe = Recipe(steps=arguments.steps)

    translations = [pairs.open_translations(arguments.open)]
    thesaurus = pairs.thesaurus_synonyms(arguments.thesaurus)
    paraphrases = [
        (pairs.open_paraphrases(arguments.open), 0.3, 256),
        (thesaurus, 0.7, 768),
        (pairs.practice_paraphrases(PRACTICE), 1.0, 512),
    ]
    if arguments.ding:
        translations.insert(0, pairs.ding_translations(arguments.ding))
        paraphrases.append((pairs.ding_synonyms(arguments.ding), 0.3, 256))

    english = sorted({pair.english for group in translations for pair in group})
    teacher = principal_components(teacher_vectors(teacher_folder(), english, arguments.cache), recipe.dimensions)
    print(f"teacher ready after {time.monotonic() - begun:.0f} s", flush=True)

    usual = train_tokenizer(_texts(translations, [group for group, _, _ in paraphrases]), PIECES)
    fine = finer(usual)
    print(f"tokenizer ready after {time.monotonic() - begun:.0f} s", flush=True)

    def german(texts: Sequence[str]) -> GermanBags:
        return GermanBags(texts, usual, fine, recipe)

    row = {text: at for at, text in enumerate(english)}
    student = Student(usual.get_vocab_size(), recipe)
    student.fit(
        teacher,
        [
            Translations(
                german([pair.german for pair in group]),
                Bags([encoding.ids or [0] for encoding in usual.encode_batch([pair.english for pair in group])]),
                torch.tensor([row[pair.english] for pair in group]),
            )
            for group in translations
        ],
        [
            Paraphrases(
                german([pair.left for pair in group]),
                german([pair.right for pair in group]),
                torch.tensor([pair.group for pair in group]),
                weight,
                batch,
            )
            for group, weight, batch in paraphrases
        ],
    )
    save(student.weights, usual, arguments.output)
    print(f"saved to {arguments.output} after {time.monotonic() - begun:.0f} s")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--open", type=Path, required=True, help="folder of the open pairs")
    parser.add_argument("--thesaurus", type=Path, required=True, help="th_de_DE_v2.dat of Debian's mythes-de")
    parser.add_argument("--ding", type=Path, help="de-en of Debian's trans-de-en (GPL)")
    parser.add_argument("--output", type=Path, required=True, help="folder of the model")
    parser.add_argument("--cache", type=Path, default=Path("var/embedding/teacher"), help="the teacher's vectors")
    parser.add_argument("--steps", type=int, default=Recipe().steps, help="batches of the training")
    return parser.parse_args()


def _texts(translations: Sequence[Sequence[Translation]], paraphrases: Sequence[Sequence[Paraphrase]]) -> Iterator[str]:
    for group in translations:
        for pair in group:
            yield pair.german
            yield pair.english
    for others in paraphrases:
        for other in others:
            yield other.left


if __name__ == "__main__":
    main()
