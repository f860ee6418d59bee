#!/usr/bin/env python3
"""What transformers' routers choose for given logits, in float32.

    pip install transformers==5.18.0 torch==2.13.0
    python generate.py > routing.json && pnpm exec prettier --write routing.json

A router's weight is the identity, so that its input is its logits. Each case has the fields of a routing rule, logits
[rows, experts], and for each row the chosen experts by ascending number with their weights.
"""
import json
from types import SimpleNamespace

import torch
from transformers.models.deepseek_v2.modeling_deepseek_v2 import DeepseekV2TopkRouter
from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3TopkRouter
from transformers.models.gpt_oss.modeling_gpt_oss import GptOssTopKRouter
from transformers.models.llama4.modeling_llama4 import Llama4Router
from transformers.models.qwen2_moe.modeling_qwen2_moe import Qwen2MoeTopKRouter

torch.manual_seed(20)
torch.set_num_threads(1)
EXPERTS, ROWS = 8, 6
RULE = dict(normalizeTopK=False, scale=1)


def config(**fields):
    defaults = dict(hidden_size=EXPERTS, num_experts=EXPERTS, num_local_experts=EXPERTS, n_routed_experts=EXPERTS,
                    norm_topk_prob=False, n_group=1, topk_group=1, routed_scaling_factor=1.0, topk_method="greedy")
    return SimpleNamespace(**{**defaults, **fields})


CASES = {
    "Qwen2-MoE": (Qwen2MoeTopKRouter(config(num_experts_per_tok=3)), dict(RULE, topK=3, scoring="softmax")),
    "Qwen3-MoE, norm_topk_prob": (Qwen2MoeTopKRouter(config(num_experts_per_tok=3, norm_topk_prob=True)),
                                  dict(RULE, topK=3, scoring="softmax", normalizeTopK=True)),
    "DeepSeek-V2 greedy": (DeepseekV2TopkRouter(config(num_experts_per_tok=2, routed_scaling_factor=16.0)),
                           dict(RULE, topK=2, scoring="softmax", scale=16)),
    "DeepSeek-V2 group_limited_greedy": (
        DeepseekV2TopkRouter(config(num_experts_per_tok=3, topk_method="group_limited_greedy", n_group=4, topk_group=2)),
        dict(RULE, topK=3, scoring="softmax", groups=dict(count=4, topGroups=2, score="max"))),
    "DeepSeek-V3": (
        DeepseekV3TopkRouter(config(num_experts_per_tok=3, norm_topk_prob=True, n_group=4, topk_group=2,
                                    routed_scaling_factor=2.5)),
        dict(topK=3, scoring="sigmoid", normalizeTopK=True, scale=2.5,
             groups=dict(count=4, topGroups=2, score="top2-sum"))),
    "Llama 4": (Llama4Router(config(num_experts_per_tok=1)), dict(RULE, topK=1, scoring="sigmoid")),
    "gpt-oss": (GptOssTopKRouter(config(num_experts_per_tok=3)), dict(RULE, topK=3, scoring="none")),
}


def run(router, rule):
    router.weight.data = torch.eye(EXPERTS)
    if hasattr(router, "bias") and router.bias is not None:
        router.bias.data.zero_()
    logits = (torch.randn(ROWS, EXPERTS) * 2).round(decimals=3)
    bias = None
    if hasattr(router, "e_score_correction_bias"):
        bias = torch.randn(EXPERTS).round(decimals=3)
        router.e_score_correction_bias.copy_(bias)
    with torch.no_grad():
        outputs = router(logits)
    if len(outputs) == 3:
        weights, indices = outputs[1], outputs[2]
    else:
        weights, indices = outputs[0].topk(rule["topK"], dim=-1)
    chosen = [sorted(zip(i, w)) for i, w in zip(indices.tolist(), weights.tolist())]
    return dict(rule=rule, correctionBias=None if bias is None else bias.tolist(), logits=logits.tolist(), chosen=chosen)


result = dict(experts=EXPERTS, cases={name: run(*case) for name, case in CASES.items()})
print(json.dumps(result))
