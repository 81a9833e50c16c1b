#!/usr/bin/env python3
"""Makes tests/fixtures/oracle/: a small random Pegasus (pre-norm) and a small random MarianMT
(post-norm) model with `transformers`, and what it computes from them.

    make fixtures        (or: python tests/oracle/make_fixtures.py [FOLDER])

In FOLDER/pegasus and FOLDER/marian:
  config.json, generation_config.json, model.safetensors    as save_pretrained writes them
  expected.safetensors    batch without padding (rows of ids, begins of sentences), and from it
    encoder [source rows, d_model], logits [target rows, vocabulary]
    negative_log_likelihood, smoothed       sums over the target rows, F64
    gradient.NAME                           of smoothed / target rows
    attention.{encoder,decoder,cross}.LAYER.SENTENCE    [heads, queries, keys]
    greedy, greedy_begin                    ids without the start token
  guided.safetensors      guided alignment of head GUIDED_HEAD in layer GUIDED_LAYER, on the same batch
    begin [target rows + 1], keys           the source rows that each target row should look at
    loss                                    sum over the target rows, F64
    gradient.NAME                           of smoothed / target rows + GUIDED_SCALE · loss

`transformers` sees the sentences padded and masked; only the rows of tokens are stored.
"""

import math
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (
    MarianConfig,
    MarianMTModel,
    PegasusConfig,
    PegasusForConditionalGeneration,
)

VOCABULARY = 37
PAD, EOS, UNK = VOCABULARY - 1, 0, 1
LABEL_SMOOTHING = 0.1
GREEDY_STEPS = 12
SOURCE_LENGTHS = [5, 1, 9, 3]
TARGET_LENGTHS = [4, 7, 1, 6]
GUIDED_LAYER, GUIDED_HEAD, GUIDED_SCALE, GUIDED_SEED = 1, 2, 0.3, 5

SIZES = dict(
    vocab_size=VOCABULARY,
    d_model=16,
    encoder_layers=2,
    decoder_layers=2,
    encoder_attention_heads=2,
    decoder_attention_heads=4,
    encoder_ffn_dim=24,
    decoder_ffn_dim=40,
    max_position_embeddings=32,
    scale_embedding=True,
    pad_token_id=PAD,
    eos_token_id=EOS,
    decoder_start_token_id=PAD,
    forced_eos_token_id=None,
    attn_implementation="eager",
)

# The seeds give greedy translations of different lengths with changing ids.
MODELS = {
    "pegasus": (
        14,
        lambda: PegasusForConditionalGeneration(
            PegasusConfig(activation_function="swish", normalize_before=True, **SIZES)
        ),
    ),
    "marian": (21, lambda: MarianMTModel(MarianConfig(activation_function="relu", **SIZES))),
}


def randomise(model):
    """No bias is zero, no norm's weight one: a gradient or an addend that is left out shows."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "embed_positions" in name:
                continue
            noise = torch.randn_like(parameter)
            if name == "model.shared.weight":
                parameter.copy_(noise / math.sqrt(parameter.shape[1]))
            elif "norm" in name and name.endswith("weight"):
                parameter.copy_(1 + noise)
            elif parameter.ndim == 1:
                parameter.copy_(0.2 * noise)
            else:
                parameter.copy_(noise * 1.5 / math.sqrt(parameter.shape[1]))
        model.model.shared.weight[PAD] = 0
        model.final_logits_bias.copy_(0.3 * torch.randn_like(model.final_logits_bias))
        model.final_logits_bias[0, EOS] += 1.5


def ragged_batch():
    """Sentences that end with eos; all their other ids are pieces."""

    def sentences(lengths):
        return [
            torch.cat([torch.randint(UNK, PAD, (length - 1,)), torch.tensor([EOS])])
            for length in lengths
        ]

    return sentences(SOURCE_LENGTHS), sentences(TARGET_LENGTHS)


def padded(sentences, filler):
    return torch.nn.utils.rnn.pad_sequence(sentences, batch_first=True, padding_value=filler)


def rows(tensor, lengths):
    return torch.cat([tensor[i, :length] for i, length in enumerate(lengths)])


def begins(lengths):
    return torch.tensor([0] + lengths).cumsum(0)


def attention(prefix, layers, queries, keys):
    return {
        f"attention.{prefix}.{layer}.{i}": weights[i, :, : queries[i], : keys[i]].contiguous()
        for layer, weights in enumerate(layers)
        for i in range(len(queries))
    }


def translate_greedily(model, source, mask):
    """The best id at each step, pad barred; fails where a runner-up is so near that rounding
    could choose."""
    model.generation_config.forced_eos_token_id = None
    out = model.generate(
        input_ids=source,
        attention_mask=mask,
        num_beams=1,
        do_sample=False,
        max_new_tokens=GREEDY_STEPS,
        bad_words_ids=[[PAD]],
        return_dict_in_generate=True,
        output_scores=True,
    )
    sentences = []
    for i, ids in enumerate(out.sequences[:, 1:].tolist()):
        length = ids.index(EOS) + 1 if EOS in ids else len(ids)
        for scores in out.scores[:length]:
            best, second = scores[i].topk(2).values
            assert best - second > 1e-3, "two ids are too near; choose another seed"
        sentences.append(torch.tensor(ids[:length]))
    lengths = [len(sentence) for sentence in sentences]
    assert 1 < len(set(lengths)), f"all greedy translations are as long: {lengths}"
    return {"greedy": torch.cat(sentences), "greedy_begin": begins(lengths)}


def gradients(model):
    """The sums over tied weights, once; the trained bias is a buffer there, a parameter here."""
    found = {
        f"gradient.{name}": parameter.grad.clone()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    found["gradient.final_logits_bias"] = model.final_logits_bias.grad.clone()
    return found


def guided_rows():
    """For each target row the source rows that it looks at: none for some, several for others."""
    generator = torch.Generator().manual_seed(GUIDED_SEED)
    rows = []
    for queries, keys in zip(TARGET_LENGTHS, SOURCE_LENGTHS):
        for _ in range(queries):
            count = int(torch.randint(0, min(3, keys) + 1, (1,), generator=generator))
            order = torch.randperm(keys, generator=generator)
            rows.append(sorted(order[:count].tolist()))
    return rows


def guided(model, batch, loss_of):
    """Cross-entropy of the head's attention against the uniform distribution over each row's keys."""
    model.zero_grad()
    out = model(**batch, output_attentions=True, use_cache=False)
    weights = out.cross_attentions[GUIDED_LAYER][:, GUIDED_HEAD]
    rows = guided_rows()
    loss = 0
    at = iter(rows)
    for sentence, queries in enumerate(TARGET_LENGTHS):
        for query in range(queries):
            keys = next(at)
            if keys:
                loss = loss - weights[sentence, query, keys].log().mean()
    (loss_of(out, LABEL_SMOOTHING) / sum(TARGET_LENGTHS) + GUIDED_SCALE * loss).backward()
    return {
        "begin": begins([len(keys) for keys in rows]),
        "keys": torch.tensor([key for keys in rows for key in keys]),
        "loss": loss.detach().double(),
    } | gradients(model)


def compute(model):
    source, target = ragged_batch()
    inputs = [torch.cat([torch.tensor([PAD]), sentence[:-1]]) for sentence in target]
    source_ids = padded(source, PAD)
    mask = padded([torch.ones_like(sentence) for sentence in source], 0)
    labels = padded(target, -100)
    model.final_logits_bias.requires_grad_(True)
    batch = dict(
        input_ids=source_ids, attention_mask=mask, decoder_input_ids=padded(inputs, PAD)
    )
    out = model(**batch, output_attentions=True, use_cache=False)

    def loss_of(out, smoothing):
        return torch.nn.functional.cross_entropy(
            out.logits.view(-1, VOCABULARY),
            labels.view(-1),
            ignore_index=-100,
            reduction="sum",
            label_smoothing=smoothing,
        )

    (loss_of(out, LABEL_SMOOTHING) / sum(TARGET_LENGTHS)).backward()
    expected = {
        "source": torch.cat(source),
        "source_begin": begins(SOURCE_LENGTHS),
        "target_input": torch.cat(inputs),
        "target_output": torch.cat(target),
        "target_begin": begins(TARGET_LENGTHS),
        "encoder": rows(out.encoder_last_hidden_state.detach(), SOURCE_LENGTHS),
        "logits": rows(out.logits.detach(), TARGET_LENGTHS),
        "negative_log_likelihood": loss_of(out, 0).detach().double(),
        "smoothed": loss_of(out, LABEL_SMOOTHING).detach().double(),
    }
    expected |= attention("encoder", out.encoder_attentions, SOURCE_LENGTHS, SOURCE_LENGTHS)
    expected |= attention("decoder", out.decoder_attentions, TARGET_LENGTHS, TARGET_LENGTHS)
    expected |= attention("cross", out.cross_attentions, TARGET_LENGTHS, SOURCE_LENGTHS)
    expected |= gradients(model)
    model.final_logits_bias.grad = None
    with_guide = guided(model, batch, loss_of)
    model.final_logits_bias.requires_grad_(False)
    return expected | translate_greedily(model, source_ids, mask), with_guide


def store(tensors, path):
    save_file({k: v.detach().contiguous() for k, v in tensors.items()}, path)


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "tests/fixtures/oracle")
    torch.set_num_threads(1)
    for name, (seed, make) in MODELS.items():
        torch.manual_seed(seed)
        model = make().eval()
        randomise(model)
        expected, with_guide = compute(model)
        model.save_pretrained(folder / name)
        store(expected, folder / name / "expected.safetensors")
        store(with_guide, folder / name / "guided.safetensors")
        print(name, "greedy begins", expected["greedy_begin"].tolist())


if __name__ == "__main__":
    main()
