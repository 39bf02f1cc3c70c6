#!/usr/bin/env python3
"""Reads the archives of the image: its configuration in both formats, and unpacks its root.

    image_config.py FOLDER REVISION
"""

import json
import pathlib
import sys
import tarfile
import tomllib

CARGO = pathlib.Path(__file__).resolve().parents[2] / "Cargo.toml"
VERSION = tomllib.loads(CARGO.read_text())["workspace"]["package"]["version"]
LABEL = "org.opencontainers.image."


def blob(archive, digest):
    return archive.extractfile("blobs/" + digest.replace(":", "/"))


def oci(path):
    """(configuration, layers) of an OCI archive."""
    archive = tarfile.open(path)
    index = json.load(archive.extractfile("index.json"))
    manifest = json.load(blob(archive, index["manifests"][0]["digest"]))
    config = json.load(blob(archive, manifest["config"]["digest"]))
    return config, [blob(archive, layer["digest"]) for layer in manifest["layers"]]


def docker(path):
    archive = tarfile.open(path)
    manifest = json.load(archive.extractfile("manifest.json"))
    return json.load(archive.extractfile(manifest[0]["Config"]))


def check(config, revision):
    config = config["config"]
    assert config["User"] == "65532:65532", config["User"]
    assert config["Entrypoint"] == ["cloudtrail-exporter"], config["Entrypoint"]
    assert list(config["ExposedPorts"]) == ["10065/tcp"], config["ExposedPorts"]
    labels = config["Labels"]
    assert labels[LABEL + "revision"] == revision and labels[LABEL + "version"] == VERSION, labels
    for name in ("title", "description", "url", "source", "documentation", "licenses", "vendor"):
        assert labels[LABEL + name], name


def main():
    folder, revision = pathlib.Path(sys.argv[1]), sys.argv[2]
    config, layers = oci(folder / "image.oci.tar")
    check(config, revision)
    assert "Healthcheck" not in config["config"], "OCI has no field for it"
    with_check = docker(folder / "image.docker.tar")
    check(with_check, revision)
    command = with_check["config"]["Healthcheck"]["Test"]
    assert command == ["CMD", "cloudtrail-exporter", "healthcheck"], command
    for layer in layers:
        with tarfile.open(fileobj=layer) as tar:
            tar.extractall(folder / "root", filter="fully_trusted")
    size = (folder / "image.oci.tar").stat().st_size
    print(f"    {len(layers)} layer, {size / 1e6:.1f} MB compressed")


if __name__ == "__main__":
    main()
