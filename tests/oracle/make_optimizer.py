#!/usr/bin/env python3
"""Makes tests/fixtures/optimizer/adamw.txt: updates of torch.optim.AdamW with clipping by
clip_grad_norm_ and a moving average of the weights, on a matrix of 3 x 4 and a bias of 5 numbers.

    python tests/oracle/make_optimizer.py [FILE]

The file is numbers in lines: first the initial values, then for each update the rate, the norm before clipping,
the gradients, the values afterwards and the average afterwards.
"""

import sys
from pathlib import Path

import torch

BETA1, BETA2, EPSILON, WEIGHT_DECAY, CLIP, AVERAGE = 0.9, 0.98, 1e-9, 0.01, 1.0, 0.5
UPDATES = 12


def line(tensors):
    return " ".join(f"{x:.9g}" for t in tensors for x in t.detach().flatten().tolist())


def main():
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "tests/fixtures/optimizer/adamw.txt")
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    matrix = torch.nn.Parameter(torch.randn(3, 4))
    bias = torch.nn.Parameter(torch.randn(5))
    groups = [
        {"params": [matrix], "weight_decay": WEIGHT_DECAY},
        {"params": [bias], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1.0, betas=(BETA1, BETA2), eps=EPSILON)
    average = [matrix.detach().clone(), bias.detach().clone()]
    lines = [line([matrix, bias])]
    for update in range(1, UPDATES + 1):
        rate = 0.1 / update
        # Every third gradient is small enough to pass unclipped.
        scale = 0.05 if update % 3 == 0 else 2.0
        for parameter in (matrix, bias):
            parameter.grad = torch.randn_like(parameter) * scale
        gradients = line([matrix.grad, bias.grad])
        norm = torch.nn.utils.clip_grad_norm_([matrix, bias], CLIP)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        decay = min(AVERAGE, (1 + update) / (10 + update))
        for kept, parameter in zip(average, (matrix, bias)):
            kept.mul_(decay).add_(parameter.detach(), alpha=1 - decay)
        lines += [f"{rate:.9g}", f"{norm.item():.9g}", gradients, line([matrix, bias]), line(average)]
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
