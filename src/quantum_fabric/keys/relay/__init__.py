"""Keys across networks of trusted nodes: relayed hop by hop under one-time pads, over paths that no declared coalition covers.

KeyLink, KeyNetwork                what link key there is, as believed
Wanted, Guard, plan                which ways a key goes, or why none; Route, NoRoute
Demand, share_out                  who gets how much where supply is short
learns, exposing                   who knows a key, computed
RelayNode                          one node: source, relay and target
Start, Tick, Delivered, Failed, Alarm   what a node and its house say to each other
MemoryPads, ShelfPads              link key, each octet once
relayed_block                      a delivered key as bits for the stock of a KME
Site, Tie, Boundary                what is trusted in a network, and what each node would expose
"""
