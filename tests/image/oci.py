"""Reads the OCI archive that `make image` writes."""

import hashlib
import json
import tarfile


class Image:
    def __init__(self, path):
        self.archive = tarfile.open(path)
        self.digest = self._json("index.json")["manifests"][0]["digest"]
        self.manifest = self._json(self._blob(self.digest))
        self.config = self._json(self._blob(self.manifest["config"]["digest"]))

    def unpack(self, directory):
        """Returns the size in bytes of all files. Nothing below it is deleted by a later layer: the
        image is made from scratch in one copy."""
        size = 0
        for layer in self.manifest["layers"]:
            blob = self.archive.extractfile(self._blob(layer["digest"]))
            with tarfile.open(fileobj=blob) as files:
                for member in files:
                    assert "/.wh." not in f"/{member.name}", member.name
                    files.extract(member, directory)
                    size += member.size
        return size

    def members(self):
        for layer in self.manifest["layers"]:
            blob = self.archive.extractfile(self._blob(layer["digest"]))
            with tarfile.open(fileobj=blob) as files:
                yield from files

    def files(self, prefix):
        """The texts of the files below that path, in the order of their names."""
        for layer in self.manifest["layers"]:
            blob = self.archive.extractfile(self._blob(layer["digest"]))
            with tarfile.open(fileobj=blob) as files:
                for name in sorted(files.getnames()):
                    if name.startswith(prefix):
                        yield files.extractfile(name).read().decode()

    def check_blobs(self):
        """Every blob is what its digest says."""
        for name in self.archive.getnames():
            if name.startswith("blobs/sha256/") and self.archive.getmember(name).isfile():
                found = hashlib.sha256(self.archive.extractfile(name).read()).hexdigest()
                assert name.endswith(found), name

    def _blob(self, digest):
        return "blobs/" + digest.replace(":", "/")

    def _json(self, name):
        return json.load(self.archive.extractfile(name))
