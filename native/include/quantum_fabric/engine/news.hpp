// News that is worked out instead of being carried: what letters between nodes would say, where only the ends act on it.
//
// In a chain that swaps whatever is ready, a repeater does nothing with the news that its partner has swapped: it passes it on, at
// once where its half was swapped away and otherwise with its own news. So the ends know their pair is whole when the latest word of
// all repeaters can have reached them, and these times grow with the pair: for word to the left the latest of (time of the swap +
// light's way from there), for word to the right of (time - way). A pair's record keeps both, and what the words would say. Word of a
// break is an event, addressed to whoever holds the other end now; who has swapped when it comes passes it on as ever.
//
// The same events in the same order, less those letters: tests/contracts/test_news_worked_out.py. What it takes is checked here.
#pragma once

#include <algorithm>

#include "engine.hpp"

namespace quantum_fabric::engine {

// Why letters of an installation have to be carried; empty if they need not.
template <class State>
std::string Engine<State>::why_letters(const Installation& only) const {
    if (only.along.empty()) return "delays that do not add up along the path";
    for (std::int32_t place = only.first; place < only.first + only.nodes; ++place) {
        const Circuit& at = circuits[std::size_t(place)];
        int each[2] = {0, 0};
        for (std::int32_t qubit = at.first; qubit < at.last; ++qubit) ++each[qubits[std::size_t(qubit)].side];
        if (each[LEFT] > 1 || each[RIGHT] > 1) return "several memories for an end of a link";
        if (!at.purify.empty()) return "pairs are purified";
        if (at.holds) return "pairs are held";
        if (at.choice == Choice::BEST) return "repeaters choose by what they believe";
        const bool end = at.position == 0 || at.position == only.nodes - 1;
        if (end != at.delivers || (end && at.partner != only.nodes - 1 - at.position)) return "pairs are delivered elsewhere than at the ends";
        if (end) continue;
        const bool all = at.lefts[0] == 0 && at.lefts[1] >= at.position && at.rights[0] <= at.position + 1 && at.rights[1] >= only.nodes;
        if (!at.swaps || !all) return "swaps in an order";
    }
    return "";
}

// Why letters have to be carried; empty if they need not. Sessions meet in the draws of a node's operations alone, and those begin at
// heralds, whose order no letter changes; so each may have its news worked out.
template <class State>
std::string Engine<State>::why_letters() const {
    if (sessions.empty()) return "there is no session";
    if (policy) return "a policy looks at what nodes believe";
    std::vector<bool> taken(sessions.size() > 1 ? slots.size() : 0);
    for (const Session& session : sessions) {
        const Installation& only = installations[std::size_t(session.installation)];
        if (std::string why = why_letters(only); !why.empty()) return why;
        if (sessions.size() == 1) break;
        for (std::int32_t place = only.first; place < only.first + only.nodes; ++place) {
            const Circuit& at = circuits[std::size_t(place)];
            if (nodes[std::size_t(at.node)].memory.disturbed) return "attempts of a session disturb what another one stores";
            for (std::int32_t qubit = at.first; qubit < at.last; ++qubit) {
                const auto slot = std::size_t(qubits[std::size_t(qubit)].slot);
                if (taken[slot]) return "sessions share a memory";
                taken[slot] = true;
            }
        }
    }
    return "";
}

// Whether nothing on the way takes a half from a pair: no swap fails, no memory loses what it holds, nothing gets too old.
template <class State>
bool Engine<State>::never_breaks() const {
    return std::all_of(sessions.begin(), sessions.end(), [this](const Session& session) {
        const Installation& only = installations[std::size_t(session.installation)];
        return std::all_of(circuits.begin() + only.first, circuits.begin() + only.first + only.nodes, [this](const Circuit& at) {
            const Node& node = nodes[std::size_t(at.node)];
            return at.delivers || (at.cutoff < 0 && node.memory.lossless && node.operations.swap_success >= 1.0);
        });
    });
}

// A pair of one link: nobody has swapped yet.
template <class State>
void Engine<State>::begin_chain(std::int32_t pair, int label) {
    if (chains.size() <= std::size_t(pair)) chains.resize(2 * std::size_t(pair) + 16);
    Chain& chain = chains[std::size_t(pair)];
    chain.latest = {NEVER, NEVER};
    chain.label = {std::int8_t(label), std::int8_t(label)};
    chain.faded = {};
    chain.told = {Correlators{1.0, 1.0, 1.0}, Correlators{1.0, 1.0, 1.0}};
}

// A swap has made one pair of two, the first of them towards the left: what the words of all its repeaters say now.
template <class State>
void Engine<State>::join_chains(const Circuit& circuit, std::int32_t one, std::int32_t two, const Qubit& left, const Qubit& right,
                                int outcome) {
    Chain& whole = chains[std::size_t(one)];
    const Chain& rest = chains[std::size_t(two)];
    const Time way = installations[std::size_t(circuit.installation)].along[std::size_t(circuit.position)];
    whole.latest[LEFT] = std::max({whole.latest[LEFT], rest.latest[LEFT], now + way});
    whole.latest[RIGHT] = std::max({whole.latest[RIGHT], rest.latest[RIGHT], now - way});
    whole.label[RIGHT] = rest.label[RIGHT];
    if (!beliefs) return;
    Correlators here = circuit.noise.factors[std::size_t(outcome)];
    for (std::size_t each = 0; each < 3; ++each) whole.faded[each] += rest.faded[each];
    for (const Qubit* half : {&left, &right}) {
        const Decay& decay = decays[std::size_t(half->own_decay)];
        if (decay.stretched > 0.0) {
            here = product(here, own_ageing(*half));
            continue;
        }
        const double span = std::max(0.0, seconds(now - half->born));
        for (std::size_t each = 0; each < 3; ++each) whole.faded[each] += decay.rates[each] * span;
    }
    whole.told[LEFT] = product(product(whole.told[LEFT], right.fresh), product(rest.told[LEFT], here));
    whole.told[RIGHT] = product(product(whole.told[RIGHT], left.fresh), product(rest.told[RIGHT], here));
}

// This node's Bell measurement is done, and these are the halves at the other ends. `swapped`, for news that is worked out.
template <class State>
void Engine<State>::joined_up(Circuit& circuit, Qubit& left, Qubit& right, std::int32_t pair, const std::array<Half, 2>& outer,
                              bool success) {
    if (!success || left.broken || right.broken) {
        if (!left.broken) break_off(circuit, outer[LEFT]);
        if (!right.broken) break_off(circuit, outer[RIGHT]);
        remember(circuit, left, NONE, NOBODY);
        remember(circuit, right, NONE, NOBODY);
    } else {
        const std::int32_t lower = place_of(outer[LEFT]), upper = place_of(outer[RIGHT]);
        if (!unbroken) {
            remember(circuit, left, upper, outer[RIGHT].name);
            remember(circuit, right, lower, outer[LEFT].name);
        }
        if (lower == 0 && upper == installations[std::size_t(circuit.installation)].nodes - 1) {
            complete_chain(circuit, pair, LEFT, outer);
            complete_chain(circuit, pair, RIGHT, outer);
        }
    }
    free(circuit, left);
    free(circuit, right);
    react(circuit);
}

// Position along the path of a half that somebody holds; NONE where nobody does.
template <class State>
std::int32_t Engine<State>::place_of(const Half& half) const {
    return half.slot == NONE ? NONE : circuits[std::size_t(slots[std::size_t(half.slot)].circuit)].position;
}

// To whoever holds the other half: the chain is broken. Who holds none knows of a break already.
template <class State>
void Engine<State>::break_off(const Circuit& from, const Half& other) {
    if (other.slot == NONE) return;
    const std::int32_t number = write(Mail::LOST);
    letters[number].mine = other.name;
    send(from, place_of(other), number);
}

// The chain reaches from end to end: the word that completes it at one of them, with all that was said before.
template <class State>
void Engine<State>::complete_chain(const Circuit& circuit, std::int32_t pair, Side side, const std::array<Half, 2>& outer) {
    const Chain& chain = chains[std::size_t(pair)];
    const Installation& installation = installations[std::size_t(circuit.installation)];
    const Half &mine = outer[side], &far = outer[1 - side];
    const std::int32_t to = side == LEFT ? 0 : installation.nodes - 1, from = installation.nodes - 1 - to;
    const std::int32_t number = write(Mail::JOINED);
    Letter& letter = letters[number];
    letter.circuit = installation.first + to;
    letter.mine = letter.was = mine.name;
    letter.far = far.name;
    letter.partner = from;
    letter.frame = std::uint8_t(pairs[pair].frame ^ chain.label[side]);
    if (beliefs)
        for (std::size_t each = 0; each < 3; ++each) letter.quality[each] = chain.told[side][each] * std::exp(-chain.faded[each]);
    letter.born = letter.birth = far.born;
    const Lane& last = lanes[std::size_t(lane_of(far.name))];  // its end on this side tells how the far half fades
    const bool first = circuits[std::size_t(qubits[std::size_t(last.qubit[0])].circuit)].position == from;
    letter.far_decay = qubits[std::size_t(last.qubit[first ? 1 : 0])].neighbour_decay;
    const Time way = installation.along[std::size_t(to)];
    queue.push(side == LEFT ? chain.latest[LEFT] - way : chain.latest[RIGHT] + way, ranked(MESSAGE), LETTER, std::uint64_t(number));
}

}  // namespace quantum_fabric::engine
