"""Training on real sentences in PyTorch: batches of sentences of about one length, padded.

python serve_epoch.py IDS BATCH_TOKENS BATCHES DROPOUT THREADS float32|bfloat16 eager|compiled

IDS is what bench/epoch writes, so that both learn from the same pieces. Batches are made as tolk
makes them: shuffled, sorted within pools of 8,192, cut where source and target together, padding
not counted, reach the budget. A round is BATCHES updates spread evenly over the epoch."""

import random
import sys

import torch

from contest import serve
from transformer import Trainer, Transformer

POOL, LONGEST, IGNORED = 8192, 128, -100


def read(path):
    with open(path, encoding="ascii") as file:
        for line in file:
            source, target = (list(map(int, side.split())) for side in line.split("|"))
            if max(len(source), len(target)) <= LONGEST:
                yield source, target


def plan(pairs, budget):
    order = random.Random(1)
    order.shuffle(pairs)
    batches = []
    for begin in range(0, len(pairs), POOL):
        batch, tokens = [], 0
        for pair in sorted(pairs[begin : begin + POOL], key=lambda p: (len(p[1]), len(p[0]))):
            more = len(pair[0]) + len(pair[1])
            if batch and tokens + more > budget:
                batches.append(batch)
                batch, tokens = [], 0
            batch.append(pair)
            tokens += more
        batches.append(batch)
    order.shuffle(batches)
    return batches


def padded(rows, value):
    width = max(map(len, rows))
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


def tensors(batch, pad):
    source = padded([pair[0] for pair in batch], pad)
    target = padded([[pad] + pair[1][:-1] for pair in batch], pad)
    labels = padded([pair[1] for pair in batch], IGNORED)
    mask = (source != pad)[:, None, None, :]
    return source, target, labels, None if mask.all() else mask


def main():
    path, budget, count, dropout, threads, precision, mode = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    pairs = list(read(path))
    pad = 1 + max(max(max(source), max(target)) for source, target in pairs)
    batches = plan(pairs, int(budget))
    chosen = [batches[i * len(batches) // int(count)] for i in range(int(count))]
    tokens = sum(len(source) + len(target) for batch in chosen for source, target in batch)
    trainer = Trainer(
        Transformer("T", pad + 1, LONGEST, float(dropout)),
        mode == "compiled",
        precision == "bfloat16",
        dynamic=True,
    )

    def work():
        for batch in chosen:
            trainer.step(*tensors(batch, pad))
        return tokens

    serve(work)


main()
