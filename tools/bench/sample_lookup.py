"""The plain lookup that everyone writes: the yardstick for `alt_text`. One read a request."""

import hashlib

import functions_framework
from google.cloud import firestore

firestore_client = firestore.Client()


@functions_framework.http
def plain_lookup(request):
    bucket, _, name = request.args["src"].removeprefix("gs://").partition("/")
    key = hashlib.sha256(f"{bucket}/{name}".encode()).hexdigest()
    document = firestore_client.collection("captions").document(key).get().to_dict()
    if not document:
        return {"error": "not found"}, 404
    return {"alt": document["alt_text"], "caption": document["caption"]}
