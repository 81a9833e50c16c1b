"""The model of tolk in PyTorch: pre-norm, ReLU, sinusoidal positions, one tied embedding.

Written for speed: q, k and v are one product, as are the keys and values of the source; attention
is PyTorch's fused one."""

import math

import torch
from torch import nn
from torch.nn import functional


def sinusoids(length, width):
    position = torch.arange(length).unsqueeze(1)
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    return torch.cat([torch.sin(position * rate), torch.cos(position * rate)], dim=1)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def split(self, x):
        return x.view(x.size(0), x.size(1), self.heads, -1).transpose(1, 2)

    def attend(self, q, k, v, mask, causal):
        y = functional.scaled_dot_product_attention(
            self.split(q), self.split(k), self.split(v), attn_mask=mask, is_causal=causal
        )
        return self.out(y.transpose(1, 2).flatten(2))

    def forward(self, x, mask=None, causal=False):
        return self.attend(*self.qkv(x).chunk(3, dim=-1), mask, causal)

    def cross(self, x, memory, mask=None):
        width = x.size(-1)
        weight, bias = self.qkv.weight, self.qkv.bias
        q = functional.linear(x, weight[:width], bias[:width])
        k, v = functional.linear(memory, weight[width:], bias[width:]).chunk(2, dim=-1)
        return self.attend(q, k, v, mask, False)


class Layer(nn.Module):
    def __init__(self, width, heads, inner, decodes, dropout):
        super().__init__()
        self.self_norm = nn.LayerNorm(width)
        self.self_attention = Attention(width, heads)
        if decodes:
            self.cross_norm = nn.LayerNorm(width)
            self.cross_attention = Attention(width, heads)
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, inner)
        self.outer = nn.Linear(inner, width)
        self.dropout = nn.Dropout(dropout)
        self.decodes = decodes

    def forward(self, x, mask, memory=None, memory_mask=None):
        drop = self.dropout
        x = x + drop(self.self_attention(self.self_norm(x), mask, causal=self.decodes))
        if self.decodes:
            x = x + drop(self.cross_attention.cross(self.cross_norm(x), memory, memory_mask))
        return x + drop(self.outer(functional.relu(self.inner(self.norm(x)))))


class Transformer(nn.Module):
    SIZES = {"T": (256, 4, 1024, 3), "B": (512, 8, 2048, 6)}

    def __init__(self, size, vocabulary, longest, dropout=0.0):
        super().__init__()
        width, heads, inner, layers = self.SIZES[size]
        self.embedding = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        self.register_buffer("positions", sinusoids(longest, width))
        self.encoder = nn.ModuleList(
            Layer(width, heads, inner, False, dropout) for _ in range(layers)
        )
        self.decoder = nn.ModuleList(
            Layer(width, heads, inner, True, dropout) for _ in range(layers)
        )
        self.encoder_norm = nn.LayerNorm(width)
        self.decoder_norm = nn.LayerNorm(width)
        self.output_bias = nn.Parameter(torch.zeros(vocabulary))
        self.dropout = nn.Dropout(dropout)
        self.scale = math.sqrt(width)

    def embed(self, ids):
        return self.dropout(self.embedding(ids) * self.scale + self.positions[: ids.size(1)])

    def forward(self, source, target, labels, source_mask=None):
        """The mean label-smoothed loss. `source_mask` [batch, 1, 1, source]: where there are
        tokens. Padding stands last in the target, so that causality hides it; its labels are
        -100."""
        x = self.embed(source)
        for layer in self.encoder:
            x = layer(x, source_mask)
        memory = self.encoder_norm(x)
        x = self.embed(target)
        for layer in self.decoder:
            x = layer(x, None, memory, source_mask)
        logits = functional.linear(
            self.decoder_norm(x), self.embedding.weight, self.output_bias
        )
        return functional.cross_entropy(
            logits.flatten(0, 1), labels.flatten(), label_smoothing=0.1
        )


class Trainer:
    """Full steps: forward, loss, backward, clipping by the global norm, Adam."""

    def __init__(self, model, compiled, bfloat16, dynamic=False):
        self.model = model
        self.forward = torch.compile(model, dynamic=dynamic) if compiled else model
        self.bfloat16 = bfloat16
        self.optimizer = torch.optim.Adam(
            model.parameters(), lr=1e-4, betas=(0.9, 0.98), eps=1e-9, fused=True
        )

    def step(self, *batch):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bfloat16):
            loss = self.forward(*batch)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0, foreach=True)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss
