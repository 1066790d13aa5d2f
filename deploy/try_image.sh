#!/usr/bin/env bash
# The steps of deploy/Dockerfile without Docker, in an empty folder that is removed afterwards: how large is the result,
# and does it pass its health check? Takes the Python of the image, or the one that PYTHON names.
set -euo pipefail
cd "$(dirname "$0")/.."

work="$(mktemp -d)"
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT

"${PYTHON:-python3.12}" -m venv "$work/python"
"$work/python/bin/python" -m pip install --quiet --no-cache-dir --no-compile --requirement requirements-serve.txt

mkdir "$work/flowers"
sed -n 's/^COPY //p' deploy/Dockerfile | while read -r -a words; do
  for source in "${words[@]:0:${#words[@]}-1}"; do
    git ls-files "$source" | grep -v '^models/[^/]*/classifier\.keras$' | xargs cp --parents --target-directory "$work/flowers"
  done
done
du -sh --apparent-size "$work/python" "$work/flowers"

cd "$work/flowers"
export STREAMLIT_SERVER_PORT="${PORT:-8599}" STREAMLIT_SERVER_HEADLESS=true STREAMLIT_SERVER_FILE_WATCHER_TYPE=none
export PYTHONDONTWRITEBYTECODE=1 FLOWERS_CACHE_DIR="$work/cache" HOME="$work"
"$work/python/bin/python" -m scripts app &
server=$!
for _ in $(seq 60); do
  sleep 1
  if "$work/python/bin/python" deploy/health.py 2> /dev/null; then
    echo "The health check passes."
    exit 0
  fi
done
echo "The health check does not pass after a minute." >&2
exit 1
