"""Verifies a folder of evidence with published tools alone: securesystemslib (DSSE) and in-toto-attestation.

Usage: evidence.py FOLDER PUBLIC_KEY. Prints the names of the subjects; exits 1 where the signature does not hold.
"""

import hashlib
import json
import pathlib
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

folder, key = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
envelope = Envelope.from_dict(json.loads((folder / "evidence.dsse.json").read_text()))
(keyid,) = envelope.signatures
public = SSlibKey.from_crypto(load_pem_public_key(key.read_bytes()), keyid=keyid)
try:
    envelope.verify([public], threshold=1)
except VerificationError as failed:
    sys.exit(f"the signature does not hold: {failed}")
stated = json.loads(envelope.payload)
statement = Statement.copy_from_pb(json_format.ParseDict(stated, statement_pb2.Statement()))
statement.validate()
json_format.ParseDict(stated["predicate"], test_result_pb2.TestResult())
for subject in stated["subject"]:
    digest = hashlib.sha256((folder / subject["name"]).read_bytes()).hexdigest()
    assert digest == subject["digest"]["sha256"], subject["name"]
    print(subject["name"])
