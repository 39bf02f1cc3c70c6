#!/usr/bin/env bash
# checkov over the Dockerfile, and over the manifests of every example of the chart.
#
#   checkov.sh FOLDER PYTHON
set -euo pipefail
folder=$(realpath -m "${1:?usage: checkov.sh FOLDER PYTHON}") python=${2:?PYTHON}
root=$(cd "$(dirname "$0")/../.." && pwd)
checkov=${CHECKOV:-$folder/venv/bin/checkov}
rm -rf "$folder/manifests"
mkdir -p "$folder/manifests"
"$python" "$root/tests/package/rendered.py" "$folder/manifests"
cp "$root"/deploy/kubernetes/single/manifests.yaml "$folder/manifests/single.yaml"
cp "$root"/deploy/kubernetes/sharded/manifests.yaml "$folder/manifests/sharded.yaml"
quiet=(--compact --quiet --skip-download)

"$checkov" "${quiet[@]}" --framework dockerfile --file "$root/deploy/docker/Dockerfile"
# Left out, each for its reason:
# CKV_K8S_11  no CPU limit: throttling would delay polls, and the request is there
# CKV_K8S_15  pull policy Always: the tag is a version, or a digest is given
# CKV_K8S_43  image by digest: it is a value, and not known before the image is built
# CKV_K8S_35  secrets as files, not as environment: an example that shows envFrom
"$checkov" "${quiet[@]}" --framework kubernetes --directory "$folder/manifests" \
  --skip-check CKV_K8S_11,CKV_K8S_15,CKV_K8S_43,CKV_K8S_35
