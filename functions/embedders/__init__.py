"""One file a provider of embeddings, each with one class that is an Embedder."""
