"""Our records and those of others: adapters at the edge of the control plane, pure and without I/O.

Inside, one vocabulary (`quantum_fabric.messages`). Outside, several: a service of the link layer (EGP), virtual circuits (QNP),
RuleSets, the node model of ETSI GS QKD 015. Each module here knows one of them and says what it cannot carry; what it reads is checked
before anything is made of it.

==================  ==============================================================================================
module              speaks
==================  ==============================================================================================
`bell`              the four Bell states: by name, and by the two public numberings
`egp`               CREATE, RECV, OK, ERR of the entanglement generation protocol, as records
`egp_shapes`        the same as plain dicts
`egp_bits`          the same in the bits of draft-dahlberg-ll-quantum-03
`egp_service`       what a node's link layer answers: CREATE to `LinkRequest`, deliveries to OK, ERR and EXPIRE
`egp_network`       such services at several nodes, on a running network
`qnp`               virtual circuits out of plans and back
`qnp_tracks`        FORWARD, COMPLETE, TRACK and EXPIRE out of the messages of a run
`rulesets`          RuleSets out of the rules of a node
`rulesets_reading`  and back
`reading`           nothing: it checks what all of them read
`etsi015`           nodes, interfaces, links of an entanglement network in the tree of ETSI GS QKD 015
==================  ==============================================================================================
"""
