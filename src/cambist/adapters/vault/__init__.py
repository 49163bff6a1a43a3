"""The vault: secrets sealed with AES-256-GCM, each with a key of its own, which a key from elsewhere wraps."""
