#!/bin/sh
# The picture of the README: the page of the demo's model, as a browser shows it.  tools/pictures.sh [BUILD]
set -eu
build=${1:-build}
model=$build/demo/model
if [ ! -e "$model/model.safetensors" ]; then
    echo "tools/pictures.sh: no model in $model; run make demo first" >&2
    exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$build/tolk" inspect --html "$folder/page.html" --gold '0-0 1-1 2-2 3-3 4-4 5-5' "$model" 'De kat zit op de mat.'
for browser in chromium chromium-browser google-chrome; do
    command -v "$browser" >/dev/null || continue
    "$browser" --headless=new --no-sandbox --disable-gpu --hide-scrollbars --window-size=1160,1520 \
        --screenshot="$folder/page.png" "file://$folder/page.html" 2>"$folder/log" || cat "$folder/log" >&2
    mv "$folder/page.png" docs/page.png
    echo "docs/page.png: $(wc -c <docs/page.png) bytes"
    exit 0
done
echo "tools/pictures.sh: no chromium on this system" >&2
exit 1
