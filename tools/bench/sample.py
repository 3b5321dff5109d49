"""The plain sample that everyone writes: the yardstick for speed and size, not a model.

Clients are made at import; an upload is downloaded, sent, stored and labelled; nothing is
claimed, verified, retried or refused.
"""

import json

import functions_framework
from google import genai
from google.cloud import firestore, storage
from google.genai import types

PROMPT = (
    "Write a caption of one or two sentences, an alt text of at most 125 characters, tags, and "
    "any text visible in this image. Say whether the image is purely decorative."
)
SCHEMA = {
    "type": "object",
    "properties": {
        "caption": {"type": "string"},
        "alt_text": {"type": "string"},
        "decorative": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "visible_text": {"type": "string"},
    },
    "required": ["caption", "alt_text", "decorative", "tags", "visible_text"],
}

storage_client = storage.Client()
firestore_client = firestore.Client()
genai_client = genai.Client()


@functions_framework.cloud_event
def plain_sample(event):
    data = event.data
    if not data["contentType"].startswith("image/"):
        return
    blob = storage_client.bucket(data["bucket"]).blob(data["name"])
    image = types.Part.from_bytes(data=blob.download_as_bytes(), mime_type=data["contentType"])
    response = genai_client.models.generate_content(
        model="gemini-3.5-flash-lite",
        contents=[image, PROMPT],
        config=types.GenerateContentConfig(
            response_mime_type="application/json", response_json_schema=SCHEMA
        ),
    )
    reply = json.loads(response.text)
    document = firestore_client.collection("plain_sample").document(data["name"].replace("/", "_"))
    document.set({**reply, "name": data["name"], "created_at": firestore.SERVER_TIMESTAMP})
    blob.metadata = {"alt-text": reply["alt_text"], "caption": reply["caption"]}
    blob.patch()
