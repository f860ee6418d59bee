#!/usr/bin/env bash
# Installs the peers, outside the workspace: node-llama-cpp with its prebuilt binary beside this file, and PyTorch (CPU),
# transformers and Accelerate in a Python environment of their own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
npm install --ignore-scripts --no-audit --no-fund --no-package-lock
python3 -m venv ../../.cache/peers/venv
../../.cache/peers/venv/bin/pip install --quiet accelerate safetensors torch transformers
