"""A national key network: 32 trusted nodes, 16 sites of users, keys relayed over paths that no single node can read.

The network is made up. Its link keys come from a seed, so nothing here is secret; everything else is as it would be: routes that
follow the supply, one-time pads, authenticated hops, and keys that end in the key managers of two sites, which hand them to two
applications. One relay is broken into: it reads just the keys that `qfabric trust` says.
"""

import hashlib
import random
from functools import reduce
from uuid import UUID

from quantum_fabric import documents, keys
from quantum_fabric.cli.trust import boundary_of
from quantum_fabric.keys import relay

ROWS, COLUMNS = "ABCD", range(1, 9)
OPERATORS = ("North Fibre", "Lakes", "Capital", "Eastern Grid")


def national_network():
    """A grid of 32 relays; 12 sites stand between two of them, 4 hang on one alone."""
    nodes, links = [], []

    def link(one, other):
        links.append({"between": [one, other], "length": "60 km"})

    for row in ROWS:
        for column in COLUMNS:
            trust = {"operator": OPERATORS[(column - 1) // 2], "trusted": True, "domain": "inland"}
            nodes.append({"name": f"{row}{column}", "trust": trust})
            if column > 1:
                link(f"{row}{column - 1}", f"{row}{column}")
            if row > "A":
                link(f"{chr(ord(row) - 1)}{column}", f"{row}{column}")
    for number in range(16):
        site, row, column = f"site-{number + 1:02}", ROWS[number % 4], 1 + 2 * (number // 4)
        nodes.append({"name": site, "relays": False})
        link(site, f"{row}{column}")
        if number % 4:
            link(site, f"{row}{column + 1}")
    return documents.network_from(
        {
            "kind": "network",
            "version": 1,
            "title": "A national key network",
            "provenance": [{"what": "everything", "source": "made up", "standing": "assumed"}],
            "defaults": {"architecture": "direct_transmission", "source": "weak_pulse/gigahertz"},
            "nodes": nodes,
            "links": links,
        }
    )


def noise(label, octets):
    """Octets that look random and are the same each time."""
    return hashlib.shake_256(label.encode()).digest(octets)


class Wiretapped(relay.MemoryPads):
    """The link keys of a node that has been broken into: somebody keeps a copy of all that it uses."""

    def __init__(self, node):
        super().__init__(node)
        self.copies = {}

    def cut(self, peer, octets):
        pad = super().cut(peer, octets)
        if pad is not None:
            self.copies[self.node, peer, pad.places] = bytes(pad.material.octets)
        return pad

    def look(self, peer, places):
        found = super().look(peer, places)
        if found is not None:
            self.copies[peer, self.node, places] = bytes(found.octets)
        return found


class Plant:
    """Nodes, their link keys, and wires that lose one message in twenty."""

    def __init__(self, network, broken):
        self.network = self.believed = network
        self.pads = {
            name: (Wiretapped if name in broken else relay.MemoryPads)(name) for name in network.nodes
        }
        for link in network.links:
            for spender, follower in ((link.a, link.b), (link.b, link.a)):
                bits = noise(f"{spender} {follower}", link.stored(spender) // 8)
                for end in (spender, follower):
                    self.pads[end].add(spender, follower, UUID(int=1), bits)
        self.nodes = {
            name: relay.RelayNode(name, self.pads[name], name in network.relays) for name in network.nodes
        }
        self.now, self.dice = 0, random.Random(7)
        self.heard, self.delivered, self.failed, self.lost = [], {}, [], 0

    def relay(self, transfer, route):
        """Send one key and carry messages until nobody holds anything; returns what each end was given."""
        source = route.paths[0][0]
        start = relay.Start(
            transfer,
            route.paths,
            route.octets,
            keys.KeyMaterial(noise(f"key {transfer}", relay.noise_octets(route.octets, len(route.paths)))),
            self.now + 600_000,
        )
        wires = self._keep(source, self.nodes[source].handle(start, self.now))
        while wires or not all(node.quiet for node in self.nodes.values()):
            if not wires:
                self.now += 1000
                for name, node in self.nodes.items():
                    wires += self._keep(name, node.handle(relay.Tick(), self.now))
                continue
            message = wires.pop(self.dice.randrange(len(wires)))
            if self.dice.random() < 0.05:
                self.lost += 1
                continue
            wires += self._keep(message.receiver, self.nodes[message.receiver].handle(message, self.now))
        return self.delivered.get(transfer, {})

    def _keep(self, node, answers):
        for answer in answers:
            if isinstance(answer, relay.Delivered):
                self.delivered.setdefault(answer.transfer, {})[node] = answer
            elif isinstance(answer, relay.Failed):
                self.failed.append(answer)
        messages = [one for one in answers if isinstance(one, relay.Envelope | relay.Ack)]
        self.heard += messages
        return messages

    def spent(self):
        """Bits that are gone, in which both ends of each link agree."""
        total = 0
        for link in self.network.links:
            for spender, follower in ((link.a, link.b), (link.b, link.a)):
                left = {self.pads[end].left(spender, follower) for end in (spender, follower)}
                assert len(left) == 1, "the ends of a link disagree"
                total += link.stored(spender) - 8 * left.pop()
        return total


def break_in(plant, nodes, routes):
    """What broken nodes make of all that they used and all that crossed any wire: the keys that they can put together."""
    copies, shares = {}, {}
    for node in nodes:
        copies |= plant.pads[node].copies
    for message in plant.heard:
        carried = getattr(message, "payload", None)
        if isinstance(carried, relay.Carry):
            pad = copies.get((message.sender, message.receiver, carried.pad))
            if pad is not None:
                shares[carried.transfer, carried.share] = xor(carried.body, pad)
    found = {}
    for transfer, route in routes.items():
        known = [shares.get((transfer, number)) for number in range(len(route.paths))]
        if None not in known:
            found[transfer] = reduce(xor, known)[: route.octets]
    return found


def xor(one, other):
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


class Site:
    """The key manager of one site, with one application."""

    def __init__(self, name, homes, pairs):
        policy = keys.Policy(
            name, homes, dict.fromkeys(pairs, keys.Quota()), mode=keys.Mode.TRIAL
        )  # a trial: these bits are no secret
        ring = keys.KeyRing(keys.Kek("example", keys.KeyMaterial(bytes(32))))
        self.ids = 0
        self.desk, self.shelf = keys.Desk(policy, ring, self.next_id), keys.MemoryShelf()

    def next_id(self):
        self.ids += 1
        return UUID(bytes=noise(f"{self.desk.policy.kme} {self.ids}", 16), version=4)


def hand_out(one, other, master, slave):
    """As two key servers do it: reserve at one, hold at the other, confirm, hand out at both. Returns both keys."""
    promise = one.desk.issue(one.shelf, master, keys.KeyRequest(slave), 0)
    for errand in one.shelf.errands(other.desk.policy.kme, 9):
        record = one.shelf.key(errand.key_id)
        parcel = keys.Consignment(record.key_id, master, record.slaves, 60_000, errand.slices, errand.masked)
        assert keys.accept(other.desk, other.shelf, one.desk.policy.kme, parcel, 0) is None
    keys.confirmed(one.desk, one.shelf, other.desk.policy.kme, list(promise.key_ids), 0)
    first = one.desk.release(one.shelf, master, promise.key_ids, 0).keys[0]
    second = other.desk.collect(other.shelf, master, slave, promise.key_ids, 0).keys[0]
    return bytes(first.material.octets), bytes(second.material.octets)


def ask(plant, pairs, turns):
    """Every pair asks for one key in each turn. Yields the pair and its route, or its refusal, and what the ends were given."""
    for turn in range(turns):
        for pair in pairs:
            guard = relay.Guard(1, accepted=frozenset(pair.must_trust))
            route = relay.plan(plant.believed, relay.Wanted(*pair.ends, octets=64, guard=guard))
            if isinstance(route, relay.NoRoute):
                yield pair, None, route, {}
                continue
            plant.believed = plant.believed.spend(route.uses)
            transfer = UUID(bytes=noise(f"{turn} {pair.ends}", 16), version=4)
            yield pair, transfer, route, plant.relay(transfer, route)


def take_in(sites, given, route):
    """The relayed key becomes stock of both key managers."""
    for name, delivered in given.items():
        block = relay.relayed_block(delivered, route.provenance)
        assert keys.feed(sites[name].desk, sites[name].shelf, block, 0) == route.octets


def main(broken=("A1",)):
    document = national_network()
    boundary = boundary_of(document, documents.inventory(document))
    relayed = [pair for pair in boundary.pairs if pair.need is relay.Need.RELAYED]
    bare = [pair for pair in relayed if pair.must_trust]
    print(f"{len(boundary.keys.relays)} relays, {len(boundary.ends)} sites, {len(relayed)} pairs of sites")
    print(
        f"{len(bare)} of them cannot do without a certain relay: {bare[0].ends} not without {bare[0].must_trust}"
    )

    dice = random.Random(1)
    believed = relay.KeyNetwork(
        tuple(
            relay.KeyLink(
                link.a, link.b, 8 * dice.randrange(9_000, 30_000), 8 * dice.randrange(9_000, 30_000)
            )
            for link in boundary.keys.links
        ),
        boundary.keys.relays,
    )
    plant = Plant(believed, broken)
    chosen = dice.sample(relayed, 40)
    sae = {site: f"app-{site[-2:]}" for site in boundary.ends}
    homes = {name: site for site, name in sae.items()}
    allowed = [tuple(sae[end] for end in pair.ends) for pair in chosen]
    sites = {site: Site(site, homes, allowed) for site in boundary.ends}

    routes, truth, refused, ways, handed = {}, {}, [], {}, 0
    for pair, transfer, route, given in ask(plant, chosen, turns=4):
        if transfer is None:
            refused.append(route)
            continue
        a, b = pair.ends
        assert given[a].material == given[b].material, "two different keys"
        routes[transfer], truth[transfer] = route, bytes(given[a].material.octets)
        ways.setdefault(pair.ends, set()).add(route.paths)
        take_in(sites, given, route)
        for _ in range(2):
            mine, theirs = hand_out(sites[a], sites[b], sae[a], sae[b])
            assert mine == theirs, "two applications with different keys"
            handed += 1

    print(
        f"\n{len(routes)} keys of 512 bits relayed, and {handed} of 256 bits handed to two applications each: all equal"
    )
    print(f"{len(refused)} were refused for want of supply")
    other = next(pair for pair in bare if pair not in chosen)
    for accepted in ((), other.must_trust):
        guard = relay.Guard(1, accepted=frozenset(accepted))
        no = relay.plan(plant.believed, relay.Wanted(*other.ends, octets=100_000, guard=guard))
        print(f"  {no.short.value}: {no.reason}; {no.octets} octets could be had")
    print(
        f"{sum(len(each) > 1 for each in ways.values())} of {len(ways)} pairs changed their paths as supply went down"
    )
    entries = [entry for node in plant.nodes.values() for entry in node.book.drain()]
    left = sum(len(node.book.held) for node in plant.nodes.values())
    print(
        f"{len(entries)} entries of custody closed, {left} open; {plant.lost} messages were lost on the wires"
    )
    planned = sum(sum(route.uses.values()) for route in routes.values())
    print(f"{plant.spent():,} bits of link key spent, {planned:,} planned")

    node = broken[0]
    stolen = break_in(plant, [node], routes)
    certain = set(boundary.of_node(node).certain)
    predicted = {transfer for transfer, route in routes.items() if ends_of(route) in certain}
    seen = sum(node in path for route in routes.values() for path in route.paths)
    print(f"\n{node} was broken into all the time: it relayed {seen} shares and can read {len(stolen)} keys")
    print(f"just those that were predicted: {set(stolen) == predicted}")
    print(f"what it read are the keys: {stolen == {name: truth[name] for name in stolen}}")
    return plant, routes, truth, boundary


def ends_of(route):
    return tuple(sorted((route.paths[0][0], route.paths[0][-1])))


if __name__ == "__main__":
    main()
