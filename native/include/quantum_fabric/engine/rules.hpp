// What a node does with what it has: purify, swap, deliver: quantum_fabric.control.circuit, choosing and handover.
#pragma once

#include <algorithm>

#include "engine.hpp"

namespace quantum_fabric::engine {

inline bool within(std::int32_t position, const std::array<std::int32_t, 2>& range) {
    return position >= range[0] && position < range[1];
}

template <class State>
bool Engine<State>::rounds_done(const Circuit& circuit, const Qubit& qubit) const {
    if (circuit.purify.empty()) return true;
    const PurifyRule* rule = rule_for(circuit, qubit.partner);
    return !rule || qubit.rounds >= rule->rounds;
}

// Apply the rules until none applies: purify, swap, deliver.
template <class State>
void Engine<State>::react(Circuit& circuit) {
    if (circuit.seat != Seat::GENERATING) return;
    if (!circuit.purify.empty()) distil(circuit);
    if (circuit.delivers) return deliver(circuit);
    if (!circuit.swaps) return;
    for (;;) {
        std::int32_t left = NONE, right = NONE;
        if (policy || asks) {
            if (!by_policy(circuit, left, right)) return;
        } else {
            left = chosen(circuit, LEFT, circuit.lefts);
            if (left == NONE) return;
            right = chosen(circuit, RIGHT, circuit.rights);
            if (right == NONE) return;
        }
        Qubit &one = qubits[std::size_t(left)], &two = qubits[std::size_t(right)];
        one.life = two.life = Life::SWAPPING;
        begin_operation(one.slot, two.slot, SWAP);
    }
}

template <class State>
bool Engine<State>::ready(const Circuit& circuit, const Qubit& qubit, Side side, const std::array<std::int32_t, 2>& partners) const {
    return qubit.life == Life::LIVE && qubit.side == side && within(qubit.partner, partners) && rounds_done(circuit, qubit);
}

// Fidelity that a pair is believed to have now.
template <class State>
double Engine<State>::believed(const Qubit& qubit) const {
    const Correlators c = product(qubit.quality, product(own_ageing(qubit), far_ageing(qubit)));
    return (1.0 + c[0] + c[1] + c[2]) / 4.0;
}

// The half that the rules take among those that may be swapped towards a side; of equals, the one in the lower slot.
template <class State>
std::int32_t Engine<State>::chosen(const Circuit& circuit, Side side, const std::array<std::int32_t, 2>& partners) const {
    if (circuit.narrow) {
        const std::int32_t only = circuit.only[side];
        return only != NONE && ready(circuit, qubits[std::size_t(only)], side, partners) ? only : NONE;
    }
    std::int32_t found = NONE;
    double best = 0.0;
    for (std::int32_t each = circuit.first; each < circuit.last; ++each) {
        const Qubit& qubit = qubits[std::size_t(each)];
        if (!ready(circuit, qubit, side, partners)) continue;
        if (circuit.choice == Choice::BEST) {
            const double value = believed(qubit);
            if (found != NONE && (value < best || (value == best && qubit.slot > qubits[std::size_t(found)].slot))) continue;
            best = value;
        } else if (found != NONE) {
            const Qubit& other = qubits[std::size_t(found)];
            const bool later = circuit.choice == Choice::OLDEST ? qubit.born > other.born : qubit.born < other.born;
            if (later || (qubit.born == other.born && qubit.slot > other.slot)) continue;
        }
        found = each;
    }
    return found;
}

// What a policy chooses. False where a side has nothing, or the policy waits.
template <class State>
bool Engine<State>::by_policy(const Circuit& circuit, std::int32_t& left, std::int32_t& right) {
    const Node& node = nodes[std::size_t(circuit.node)];
    for (const Side side : {LEFT, RIGHT}) {
        candidates[side].clear();
        behind[side].clear();
        for (std::int32_t each = circuit.first; each < circuit.last; ++each)
            if (ready(circuit, qubits[std::size_t(each)], side, side == LEFT ? circuit.lefts : circuit.rights)) behind[side].push_back(each);
        if (behind[side].empty()) return false;
        std::sort(behind[side].begin(), behind[side].end(),
                  [this](std::int32_t a, std::int32_t b) { return qubits[std::size_t(a)].slot < qubits[std::size_t(b)].slot; });
        for (const std::int32_t each : behind[side]) {
            const Qubit& qubit = qubits[std::size_t(each)];
            candidates[side].push_back({qubit.slot - node.first_slot, now - qubit.born, believed(qubit), qubit.rounds});
        }
    }
    const auto lefts = std::int64_t(candidates[0].size()), rights = std::int64_t(candidates[1].size());
    const std::int64_t answer = policy ? policy(circuit.node, candidates[0].data(), lefts, candidates[1].data(), rights)
                                       : listener->choose(circuit.node, candidates[0].data(), lefts, candidates[1].data(), rights);
    if (answer < 0) return false;
    const std::int64_t one = answer >> 32, two = answer & 0xffffffff;
    if (one >= lefts || two >= rights) throw std::out_of_range("a policy chose a half that there is not");
    left = behind[0][std::size_t(one)];
    right = behind[1][std::size_t(two)];
    return true;
}

template <class State>
void Engine<State>::deliver(Circuit& circuit) {
    for (std::int32_t each = circuit.first; each < circuit.last; ++each) {
        Qubit& qubit = qubits[std::size_t(each)];
        if (qubit.life != Life::LIVE || qubit.partner != circuit.partner || !rounds_done(circuit, qubit)) continue;
        const std::int32_t number = write(Mail::CONFIRMED);
        Letter& letter = letters[number];
        const bool source = qubit.side == RIGHT;  // a source's pairs lie to its right
        letter.mine = source ? qubit.mine : qubit.far;
        letter.far = source ? qubit.far : qubit.mine;
        letter.frame = std::uint8_t(qubit.frame);
        letter.quality = beliefs ? product(qubit.quality, product(own_ageing(qubit), far_ageing(qubit))) : Correlators{};
        letter.born = std::min(qubit.born, qubit.far_born);
        letter.at = now;
        letter.slot = qubit.slot;
        letter.own_decay = qubit.own_decay;
        letter.far_decay = qubit.far_decay;
        letter.birth = qubit.birth;
        letter.far_birth = qubit.far_birth;
        say_home(circuit, number);
        show(Watched::CONFIRMED, circuit.node, qubit.slot, NONE, qubit.mine, qubit.far, qubit.frame);
        if (circuit.holds) {
            qubit.life = Life::HELD;
        } else {
            consume(qubit.slot, qubit.frame);
            free(circuit, qubit);
        }
    }
}

}  // namespace quantum_fabric::engine
