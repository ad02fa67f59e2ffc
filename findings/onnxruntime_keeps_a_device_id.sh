#!/bin/bash
# Guess: importing an inference library on Linux leaves nothing in the home directory.
# Seen:  onnxruntime's wheel makes ~/.cache/Microsoft/DeveloperTools/.onnxruntime with a device id and a database of events
#        to be sent, as soon as it is imported, before a model is loaded. With ORT_DISABLE_TELEMETRY=1 in the environment
#        before the import there is nothing. Set after the import it is too late.
# With:  onnxruntime 1.31.0 on Linux. The runs are cut off from the network where `unshare` may do that.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
python3 -m venv env
env/bin/pip -q install onnxruntime==1.31.0
alone=""; unshare -rn true 2>/dev/null && alone="unshare -rn"

left_by() {  # NAME, then what precedes the import
  mkdir "$1"
  env -u ORT_DISABLE_TELEMETRY -u XDG_CACHE_HOME HOME="$folder/$1" $alone env/bin/python -c "import os; $2; import onnxruntime; $3"
  (cd "$1" && find . -type f | sort)
}
plain=$(left_by plain "pass" "pass")
before=$(left_by before "os.environ['ORT_DISABLE_TELEMETRY'] = '1'" "pass")
after=$(left_by after "pass" "os.environ['ORT_DISABLE_TELEMETRY'] = '1'")
printf 'not set:\n%s\nset before the import:\n%s\nset after it:\n%s\n' "$plain" "$before" "$after"
grep -q deviceid <<< "$plain" || { echo "nothing is left any more"; exit 1; }
[ -z "$before" ] || { echo "the variable no longer prevents it"; exit 1; }
grep -q deviceid <<< "$after" || { echo "the variable helps after the import, too"; exit 1; }
