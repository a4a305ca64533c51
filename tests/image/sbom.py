"""Writes what is in the image as SPDX JSON: python sbom.py ARCHIVE OUT.

The packages are those that the image itself lists in var/lib/dpkg/status.d, each with the package
URL by which vulnerability databases know it.
"""

import json
import sys
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from oci import Image

STATUS = "var/lib/dpkg/status.d/"


def stanza(text):
    """The fields of a Debian control stanza, without continuation lines."""
    return dict(line.split(": ", 1) for line in text.splitlines()
                if ": " in line and not line.startswith(" "))


def spdx_package(fields):
    name, version = fields["Package"], fields["Version"]
    return {
        "SPDXID": f"SPDXRef-{name.replace('+', '-')}",
        "name": name,
        "versionInfo": version,
        "supplier": f"Organization: {fields['Maintainer']}",
        "downloadLocation": "NOASSERTION",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{quote(name)}@{quote(version)}"
                                f"?arch={fields['Architecture']}",
        }],
    }


def document(image):
    labels = image.config["config"]["Labels"]
    program = {
        "SPDXID": "SPDXRef-deepgram-operator",
        "name": "deepgram-operator",
        "versionInfo": labels["org.opencontainers.image.version"],
        "licenseDeclared": labels["org.opencontainers.image.licenses"],
        "downloadLocation": "NOASSERTION",
    }
    packages = [program, *(spdx_package(stanza(text)) for text in image.files(STATUS))]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"deepgram-operator-{program['versionInfo']}",
        "documentNamespace": f"https://deepgram.com/spdx/deepgram-operator/{image.digest}",
        "creationInfo": {
            "created": datetime.fromisoformat(image.config["created"]).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: deepgram-operator-sbom"],
        },
        "packages": packages,
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
             "relatedSpdxElement": program["SPDXID"]},
            *({"spdxElementId": program["SPDXID"], "relationshipType": "DEPENDS_ON",
               "relatedSpdxElement": package["SPDXID"]} for package in packages[1:]),
        ],
    }


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(document(Image(sys.argv[1])), indent=2) + "\n")
