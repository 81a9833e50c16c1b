"""Full training steps of the reference work in PyTorch.

python serve_step.py T|B THREADS float32|bfloat16 eager|compiled"""

import sys
import time

import torch

from contest import serve
from transformer import Trainer, Transformer

SENTENCES, LENGTH, VOCABULARY = 64, 16, 8000
ROUND_SECONDS = 0.8


def main():
    size, threads, precision, mode = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    trainer = Trainer(
        Transformer(size, VOCABULARY, LENGTH), mode == "compiled", precision == "bfloat16"
    )
    ids = torch.randint(0, VOCABULARY - 1, (SENTENCES, LENGTH))
    trainer.step(ids, ids, ids)
    trainer.step(ids, ids, ids)
    begun = time.perf_counter()
    trainer.step(ids, ids, ids)
    count = int(ROUND_SECONDS / (time.perf_counter() - begun)) + 1

    def work():
        for _ in range(count):
            trainer.step(ids, ids, ids)
        return count

    serve(work)


main()
