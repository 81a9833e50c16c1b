"""Translation in CTranslate2: in batches of 64, or one sentence at a time by each worker.

python serve_translate.py DIR TOKENIZER TEXT SENTENCES BEAM batch|single TYPE INTER INTRA [OUTPUT]

The sentences are given in pieces; reading and joining them is no part of the time. Greatest length
and length penalty are those of tolk."""

import sys

import ctranslate2
import sentencepiece

from contest import serve

BATCH = 64
LENGTH_PENALTY = 1.0
FACTOR, CONSTANT, POSITIONS = 2, 10, 512


def main():
    folder, tokenizer, text, sentences, beam, manner, kind, inter, intra = sys.argv[1:10]
    pieces = sentencepiece.SentencePieceProcessor(model_file=tokenizer)
    with open(text, encoding="utf-8") as file:
        lines = file.read().splitlines()[: int(sentences)]
    sources = [pieces.encode(line, out_type=str) + ["</s>"] for line in lines]
    translator = ctranslate2.Translator(
        folder,
        compute_type=kind,
        inter_threads=int(inter),
        intra_threads=int(intra),
    )
    options = {
        "beam_size": int(beam),
        "length_penalty": LENGTH_PENALTY,
        "min_decoding_length": 0,
    }

    # One for a call: that of the longest source.
    longest = min(POSITIONS, FACTOR * max(map(len, sources)) + CONSTANT) - 1

    def translate():
        results = translator.translate_batch(
            sources,
            max_batch_size=1 if manner == "single" else BATCH,
            max_decoding_length=longest,
            **options,
        )
        return [result.hypotheses[0] for result in results]

    if len(sys.argv) > 10:
        with open(sys.argv[10], "w", encoding="utf-8") as file:
            file.writelines(pieces.decode(found) + "\n" for found in translate())
    serve(lambda: sum(len(found) + 1 for found in translate()))


main()
