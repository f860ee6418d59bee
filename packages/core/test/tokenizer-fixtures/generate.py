"""Makes what tokenizer-sentencepiece.spec.ts and tokenizer-random.spec.ts compare with.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python generate.py <shared data>/tokenizers

models.json      small SentencePiece models of every kind, trained here, with the ids SentencePiece gives
random.json      random texts with the ids of the reference implementations, for published vocabularies
Both are laid out by prettier afterwards.
With --count N and --output FILE more random texts than the committed ones are made.
"""

import argparse
import base64
import io
import json
import os
import random
import tempfile
import unicodedata

import sentencepiece
import tiktoken
from tokenizers import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))

FRAGMENTS = [
    "Once upon a time", " ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u0085", "\u3000", "\ufeff",
    "\u200b", "\u2028", "\u1680", "\x1c", "\x00", "\x7f", "'s", "'S", "'\u017f", "'LL", "don't", "I'VE", "we\u2019re",
    "123", "1234567", "\u0663\u0664", "\u00bd", "\u00b2", "漢字", "日本語テスト", "かな", "한국어", "中文，标点。",
    "Привет мир", "שלום", "नमस्ते", "ไทย", "😀", "👩‍👩‍👧", "🏳️‍🌈", "👍🏽", "e\u0301", "\u00e9", "\ufb01", "\u212b",
    "\uff21", "\u2460", "\u338f", "\u2026", "...", "\u2014", '{"a": [1, 2]}', "def f(x):\n    return x",
    "http://x.y/z?q=1", "\u2581", "\u2581\u2581", "<0x0A>", "<0x41>", "a" * 12, "ab" * 5, "𝔘𝔫", "𒎗", "\u0378",
    "\u00df", "\u0130", "\u0131", "\u01c5", "~", "\uff5e", "_", "__init__", "$%&", "「」", "\u202e", "Œuvre", "naïve",
    "the", "The", " the", "ing", "er", "aba", "sop", "[", "]", "//", "/*", " .", "!?",
]  # fmt: skip
RANGES = [
    (0x20, 0x7E), (0xA1, 0x24F), (0x370, 0x5FF), (0x600, 0x6FF), (0x900, 0xDFF), (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3), (0x1F300, 0x1FAFF), (0x2000, 0x2BFF),
]  # fmt: skip


def random_text(rng, fragments):
    parts = []
    for _ in range(rng.randint(1, 14)):
        kind = rng.random()
        if kind < 0.75:
            parts.append(rng.choice(fragments))
        elif kind < 0.9:
            parts.append("".join(rng.choice("abcdefghijklmnopqrstuvwxyz ABC") for _ in range(rng.randint(1, 8))))
        else:
            parts.append(chr(rng.randint(*rng.choice(RANGES))))
    return "".join(parts)


def published(folder):
    """Name -> (encode, decode) of the reference implementation."""
    sources = {
        "Llama 2": "llama2/tokenizer.model",
        "Mistral v1": "mistral/tokenizer.model.v1",
        "Mistral v2": "mistral/mistral_instruct_tokenizer_240216.model.v2",
        "Mistral v3": "mistral/mistral_instruct_tokenizer_240323.model.v3",
        "Mistral v7": "mistral/mistral_instruct_tokenizer_241114.model.v7",
        "ChatGLM2": "chatglm/tokenizer.model",
    }
    found = {}
    for name, path in sources.items():
        model = sentencepiece.SentencePieceProcessor(os.path.join(folder, path))
        found[name] = (model.encode, model.decode)
    words = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )

    def ranks(name, path, pattern):
        with open(os.path.join(folder, path)) as file:
            pairs = [line.split() for line in file if line.strip()]
        table = {base64.b64decode(token): int(rank) for token, rank in pairs}
        return tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=table, special_tokens={})

    llama3 = ranks("llama3", "llama3/tokenizer.model", words % "{1,3}")
    qwen = ranks("qwen", "qwen1/qwen.tiktoken", words % "")
    found["Llama 3"] = (llama3.encode_ordinary, llama3.decode)
    # tokenization_qwen.py normalizes first. Qwen2 has the same vocabulary as vocab.json and merges.txt.
    found["Qwen 1"] = (lambda text: qwen.encode_ordinary(unicodedata.normalize("NFC", text)), qwen.decode)
    found["Qwen2"] = found["Qwen 1"]
    gpt2 = Tokenizer.from_file(os.path.join(folder, "gpt2/tokenizer.json"))
    found["GPT-2"] = (lambda text: gpt2.encode(text).ids, gpt2.decode)
    return found


SMALL_MODELS = {
    "BPE, byte fallback, user-defined pieces": dict(
        model_type="bpe", byte_fallback=True, user_defined_symbols=["<eoh>", "<sep>", "\u2581\u2581"],
        remove_extra_whitespaces=False,
    ),
    "BPE, no prefix space, user-defined pieces": dict(
        model_type="bpe", byte_fallback=True, user_defined_symbols=["<reserved_1>", "<reserved_10>", "+", "a.b"],
        remove_extra_whitespaces=False, add_dummy_prefix=False,
    ),
    "BPE, extra spaces removed, unknown characters": dict(model_type="bpe"),
    "BPE, character map": dict(model_type="bpe", byte_fallback=True, map=True),
    "Unigram, extra spaces removed, unknown characters": dict(model_type="unigram"),
    "Unigram, byte fallback, user-defined pieces": dict(
        model_type="unigram", byte_fallback=True, user_defined_symbols=["<eoh>"], remove_extra_whitespaces=False,
    ),
    "Unigram, character map, no prefix space": dict(
        model_type="unigram", byte_fallback=True, add_dummy_prefix=False, map=True,
    ),
}  # fmt: skip

# Longer keys win over shorter ones; one maps to nothing.
CHARACTER_MAP = {"\ufb01": "fi", "e\u0301": "\u00e9", "\u2026": "...", "\u200b": "", "\u3000": " ", "A": "a", "AB": "x"}


def train(options, corpus):
    options = dict(options)
    with tempfile.TemporaryDirectory() as folder:
        if options.pop("map", False):
            options["normalization_rule_tsv"] = os.path.join(folder, "map.tsv")
            with open(options["normalization_rule_tsv"], "w") as file:
                for source, target in CHARACTER_MAP.items():
                    codes = [" ".join(f"{ord(c):X}" for c in text) for text in (source, target)]
                    file.write("\t".join(codes) + "\n")
        else:
            options["normalization_rule_name"] = "identity"
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(corpus), model_writer=model, vocab_size=375 if options.get("byte_fallback") else 110,
            hard_vocab_limit=options["model_type"] == "bpe", character_coverage=0.98, num_threads=1, minloglevel=2,
            **options,
        )  # fmt: skip
    return model.getvalue()


def make_small_models():
    rng = random.Random(7)
    words = "the once upon a time there was little girl who liked to play in park with her friends and dog".split()
    corpus = [" ".join(rng.choice(words) for _ in range(12)) + rng.choice([".", "!", " 42"]) for _ in range(600)]
    made = []
    for name, options in SMALL_MODELS.items():
        model = train(options, corpus)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        fragments = FRAGMENTS + words + options.get("user_defined_symbols", []) * 8 + list(CHARACTER_MAP) * 2
        texts = ["", " ", "  the  dog  ", "ABA\u2026", *(random_text(rng, fragments) for _ in range(60))]
        cases = []
        for text in texts:
            ids = processor.encode(text)
            # SentencePiece shows an unknown character as U+2047, transformers by the name of the token.
            decoded = None if processor.unk_id() in ids else processor.decode(ids)
            cases.append({"text": text, "ids": ids, "decoded": decoded})
        made.append({"name": name, "model": base64.b64encode(model).decode(), "cases": cases})
    return made


def make_random(folder, count):
    rng = random.Random(1)
    texts = [random_text(rng, FRAGMENTS) for _ in range(count)]
    expected = {}
    for name, (encode, decode) in published(folder).items():
        ids = [encode(text) for text in texts]
        # Kept only where it is not the text itself.
        other = {i: decode(row) for i, row in enumerate(ids) if decode(row) != texts[i]}
        expected[name] = {"ids": ids, "decoded": other}
    return {"texts": texts, "expected": expected}


def write(path, value):
    with open(path, "w") as file:
        json.dump(value, file, ensure_ascii=True, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("tokenizers")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--output", default=os.path.join(HERE, "random.json"))
    arguments = parser.parse_args()
    write(arguments.output, make_random(arguments.tokenizers, arguments.count))
    write(os.path.join(HERE, "models.json"), make_small_models())
