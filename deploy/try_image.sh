#!/usr/bin/env bash
# The steps of deploy/Dockerfile without Docker, in an empty folder that is removed afterwards: how large is the result,
# does it pass its health check, and does it name a photo? Takes the Python of the image, or the one that PYTHON names.
set -euo pipefail
cd "$(dirname "$0")/.."
checkout="$PWD"

work="$(mktemp -d)"
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
size() { du --summarize --apparent-size --block-size=1MB "$1" | cut --fields=1; }

"${PYTHON:-python3.12}" -m venv "$work/python"
python="$work/python/bin/python"
"$python" -m pip install --quiet --no-cache-dir --no-compile --requirement requirements-serve.txt

mkdir "$work/flowers"
sed -n 's/^COPY //p' deploy/Dockerfile | while read -r -a words; do
  for source in "${words[@]:0:${#words[@]}-1}"; do
    git ls-files "$source" | grep -v '^models/[^/]*/classifier\.keras$' | xargs cp --parents --target-directory "$work/flowers"
  done
done
echo "Python with what serves: $(size "$work/python") MB. The app with its models: $(size "$work/flowers") MB."

# Unlike in the image, Python keeps the bytecode of what it loads: so large it becomes on a machine of one's own.
unset PYTHONDONTWRITEBYTECODE PYTHONPATH "${!FLOWERS_@}"
cd "$work/flowers"
export STREAMLIT_SERVER_PORT="${PORT:-8599}" STREAMLIT_SERVER_HEADLESS=true STREAMLIT_SERVER_FILE_WATCHER_TYPE=none
export FLOWERS_CACHE_DIR="$work/cache" HOME="$work"
"$python" -m scripts app &
server=$!
healthy=""
for _ in $(seq 60); do
  sleep 1
  if "$python" deploy/health.py 2> /dev/null; then
    healthy=yes
    break
  fi
done
if [ -z "$healthy" ]; then
  echo "The health check does not pass after a minute." >&2
  exit 1
fi
echo "The health check passes."

cd "$checkout"
"$python" - "http://localhost:$STREAMLIT_SERVER_PORT" << 'END'
import re
import sys

from tests.fixtures.running_server import Visitor, elements

with Visitor(sys.argv[1]) as visitor:
    came = visitor.run("photo=example")
page = " ".join(element.body for element in elements(came, "html"))
named = re.search(r'most probable flowers">.*?<span class="name">(.*?) <i>', page, re.DOTALL)
if not named or elements(came, "exception"):
    sys.exit("The page does not name the flower of its example.")
print(f"The page names its example: {named[1]}.")
END
echo "Python after that page: $(size "$work/python") MB."
