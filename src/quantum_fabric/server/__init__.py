"""What meets the outside: TLS and identity, the key interfaces over HTTP, storage on disk.

Needs the extra ``server`` (aiohttp) for everything that listens; storage and KEKs need nothing but the core.
"""
