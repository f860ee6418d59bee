"""transformers with Accelerate's disk offload, run as timed-run.js runs airllm: same ids, greedy, timed from the first token.

    python engines/accelerate_offload.py '{"folder": …, "offload": DIR, "prompt": [ids], "tokens": 8, "threads": 2,
    "limitBytes": …, "headroomBytes": …}'

As many layers as fit `limitBytes - headroomBytes` stay in memory, the others are offloaded: a safetensors checkpoint is read
in place, memory-mapped, and nothing is written to `offload`. The greatest headroom-saving setting that is not killed by the
limit is its better one; the runner finds it.
"""

import json
import sys
import time

STARTED = time.monotonic()

import torch  # noqa: E402
from transformers import AutoModelForCausalLM  # noqa: E402

request = json.loads(sys.argv[1])
torch.set_num_threads(request["threads"])


def storage_bytes():
    with open("/proc/self/io") as counters:
        return int(next(line for line in counters if line.startswith("read_bytes")).split()[1])


budget = max(request["limitBytes"] - request["headroomBytes"], 1)
model = AutoModelForCausalLM.from_pretrained(
    request["folder"],
    dtype=torch.bfloat16,
    device_map="auto",
    max_memory={"cpu": budget},
    offload_folder=request["offload"],
)
model.eval()
marks = []
with torch.inference_mode():
    ids = torch.tensor([request["prompt"]])
    cache = None
    for _ in range(request["tokens"] + 1):
        output = model(input_ids=ids, past_key_values=cache, use_cache=True)
        cache = output.past_key_values
        ids = output.logits[:, -1:].argmax(-1)
        marks.append((time.monotonic(), storage_bytes(), int(ids)))

placed = list(getattr(model, "hf_device_map", {}).values())
first, last = marks[0], marks[-1]
print(
    json.dumps(
        {
            "firstTokenSeconds": first[0] - STARTED,
            "tokens": len(marks) - 1,
            "seconds": last[0] - first[0],
            "storageBytes": last[1] - first[1],
            "tokenIds": [mark[2] for mark in marks],
            "offloaded": f"{placed.count('disk')} of {len(placed)} modules",
        }
    )
)
