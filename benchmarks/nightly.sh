#!/usr/bin/env bash
# Every published experiment in its small version: shows that each still works, in some minutes; no evidence.
#
#     benchmarks/nightly.sh [FOLDER]      # AUGBENCH_DATA names the data
set -euo pipefail
folder=$(mktemp -d "${1:-${TMPDIR:-/tmp}}/augbench-nightly-XXXXXX")
start=$SECONDS
bench reproduce all --quick --out "$folder"
echo "all experiments, small: $((SECONDS - start)) s, pages in $folder/site"
