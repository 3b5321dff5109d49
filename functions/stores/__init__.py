"""Where captions and images live: Firestore and Cloud Storage, or SQLite and a folder."""
