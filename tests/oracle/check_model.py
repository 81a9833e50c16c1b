#!/usr/bin/env python3
"""Compares a model directory of ours in `transformers`, in CTranslate2 and in our own programs.

    make check-oracle MODEL=toy.model [SENTENCES=file]

For each sentence: the ids of the tokenizer and the greedy translation of `transformers`; the logits
along that translation from our model core; the translation that `tolk translate --beam 1` prints;
the greedy translation of the model that CTranslate2's converter makes. Ends with status 1 when
one of them differs."""

import argparse
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, logging

LOGITS_TOLERANCE = 1e-4
# The bound of all three programs; translations that do not end before are left out where texts are
# compared.
MAX_PIECES = 64


def transformers_greedy(model, tokenizer, sentence):
    """Source ids, translated ids with eos, and the logits at each of them."""
    source = tokenizer(sentence, return_tensors="pt").input_ids
    out = model.generate(
        input_ids=source,
        num_beams=1,
        do_sample=False,
        max_new_tokens=min(MAX_PIECES, model.config.max_position_embeddings - 1),
    )
    with torch.no_grad():
        logits = model(input_ids=source, decoder_input_ids=out[:, :-1]).logits[0]
    return source[0].tolist(), out[0, 1:].tolist(), logits


def our_logits(program, folder, pairs):
    lines = (f"{' '.join(map(str, s))} | {' '.join(map(str, t))}\n" for s, t in pairs)
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "logits.safetensors"
        subprocess.run([program, folder, path], input="".join(lines), text=True, check=True)
        return load_file(path)["logits"]


def our_translations(program, folder, sentences):
    run = subprocess.run(
        [program, "translate", folder, "--beam", "1", "--max-length", str(MAX_PIECES)],
        input="".join(f"{sentence}\n" for sentence in sentences),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return run.stdout.splitlines()


def ctranslate2_greedy(folder, tokenizer, sources):
    """Ids of the greedy translations, without eos."""
    import ctranslate2
    from ctranslate2.converters import TransformersConverter

    with tempfile.TemporaryDirectory() as temporary:
        TransformersConverter(folder).convert(temporary, force=True)
        translator = ctranslate2.Translator(temporary, compute_type="float32")
        results = translator.translate_batch(
            [tokenizer.convert_ids_to_tokens(ids) for ids in sources],
            beam_size=1,
            min_decoding_length=0,
            max_decoding_length=MAX_PIECES,
            suppress_sequences=[[tokenizer.pad_token]] if has_pad(temporary) else None,
        )
    return [tokenizer.convert_tokens_to_ids(result.hypotheses[0]) for result in results]


def has_pad(folder):
    """Of a MarianMT model the converter drops pad, of a Pegasus model it keeps it."""
    return "<pad>" in (Path(folder) / "shared_vocabulary.json").read_text(encoding="utf-8")


def report(what, sentences, expected, found):
    differing = [i for i in range(len(sentences)) if i >= len(found) or expected[i] != found[i]]
    for i in differing:
        print(f"  {sentences[i]}\n    expected {expected[i]}\n    found    {found[i:i + 1]}")
    print(f"{what}: {len(sentences) - len(differing)} of {len(sentences)} agree")
    return not differing


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--build", default="build", help="where our programs were built")
    parser.add_argument("--sentences", default=str(Path(__file__).with_name("sentences.txt")))
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message="Recommended: pip install sacremoses")
    logging.set_verbosity_error()  # the positions are computed: no tensor of them is missing
    logging.disable_progress_bar()
    build = Path(options.build)
    sentences = Path(options.sentences).read_text(encoding="utf-8").splitlines()

    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForSeq2SeqLM.from_pretrained(options.model, attn_implementation="eager").eval()
    model.generation_config.max_length = None
    model.generation_config.forced_eos_token_id = None
    greedy = [transformers_greedy(model, tokenizer, sentence) for sentence in sentences]

    expected = torch.cat([logits for _, _, logits in greedy])
    found = our_logits(
        build / "tests/oracle/dump_logits",
        options.model,
        [(source, target) for source, target, _ in greedy],
    )
    distance = (expected - found).abs().max().item()
    print(f"logits: at most {distance:.2g} apart, the largest is {expected.abs().max():.3g}")

    ended = [i for i in range(len(sentences)) if greedy[i][1][-1] == tokenizer.eos_token_id]
    print(f"translations: {len(sentences) - len(ended)} of {len(sentences)} never end, left out")
    if not ended:
        sys.exit("no translation is left to compare; train the model longer")
    sentences = [sentences[i] for i in ended]
    sources = [greedy[i][0] for i in ended]
    targets = [greedy[i][1][:-1] for i in ended]
    good = distance <= LOGITS_TOLERANCE
    good &= report(
        "tolk translate --beam 1",
        sentences,
        tokenizer.batch_decode(targets, skip_special_tokens=True),
        our_translations(build / "tolk", options.model, sentences),
    )
    good &= report(
        "CTranslate2", sentences, targets, ctranslate2_greedy(options.model, tokenizer, sources)
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
