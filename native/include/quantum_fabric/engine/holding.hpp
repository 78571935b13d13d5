// Pairs that are held until an application uses them: quantum_fabric.twin.applications and what agents do about it.
#pragma once

#include "engine.hpp"

namespace quantum_fabric::engine {

// Why an application cannot use the half in a slot; empty if it can. Without a name it means whichever half is there.
template <class State>
std::string Engine<State>::why_not_held(std::int32_t slot, Name name) const {
    const Slot& at = slots[std::size_t(slot)];
    if (at.busy) return "busy";
    if (at.half == NONE) return "empty";
    if (name != NOBODY && pairs[at.half / 2].ends[at.half % 2].name != name) return "taken by another half";
    if (at.qubit == NONE || qubits[std::size_t(at.qubit)].life != Life::HELD) return "in use: it holds no delivered pair";
    return "";
}

// The application takes the half, and its slot is free again.
template <class State>
void Engine<State>::hand_over(std::int32_t slot, int bell) {
    consume(slot, bell);
    used(slot);
}

template <class State>
void Engine<State>::used(std::int32_t slot) {
    Circuit* circuit = holder(slot);
    if (!circuit) return;
    Qubit& qubit = qubits[std::size_t(slots[std::size_t(slot)].qubit)];
    if (qubit.life != Life::HELD) return;
    free(*circuit, qubit);
    react(*circuit);
}

// The application reads the half in a basis (X, Y, Z are 1, 2, 3), which takes a while.
template <class State>
void Engine<State>::read_out(std::int32_t slot, int basis) {
    Slot& at = slots[std::size_t(slot)];
    at.busy = next_operation();
    queue.push(now + nodes[std::size_t(at.node)].measure_time, ranked(OPERATION), READ,
               std::uint64_t(slot) << 32 | std::uint32_t(basis), at.busy);
}

template <class State>
void Engine<State>::end_read_out(std::int32_t slot, int basis) {
    const std::int32_t index = slots[std::size_t(slot)].half;
    Pair<State>& pair = pairs[index / 2];
    const int end = index % 2;
    Node& node = nodes[std::size_t(slots[std::size_t(slot)].node)];
    age(index);
    take(index);
    twirl_error = std::max(twirl_error, pair.state.twirl_error(relaxed(pair.ends[0]), relaxed(pair.ends[1])));
    int bit = -1;
    if (node.memory.lossless || draws_of(node).flip(retrieved(pair.ends[end]))) {
        const bool again = pair.basis == basis;  // as the other half was, whose bit says what to expect
        const auto kept = [&](const Node& at) { return basis == 3 ? 1.0 : 1.0 - at.operations.depolarising_1; };
        const double turned = kept(node), both = again ? turned * kept(nodes[std::size_t(pair.reader)]) : turned;
        const int expected = again ? pair.bit ^ int(bloch::SIGNS[pair.frame][basis - 1] < 0.0) : -1;
        const int truth = pair.state.measured(end, basis, turned, both, expected, draws_of(node));
        if (!pair.basis) {
            pair.basis = std::int8_t(basis), pair.bit = std::int8_t(truth);
            pair.reader = slots[std::size_t(slot)].node;
        }
        bit = truth ^ int(draws_of(node).flip(truth ? node.operations.readout_error_1 : node.operations.readout_error_0));
    } else {
        pair.state.lose(end);
    }
    const Name name = pair.ends[end].name;
    settle(index / 2);
    if (listener) listener->see({Watched::READ_OUT, slots[std::size_t(slot)].node, slot, basis, name, name, bit, now});
    used(slot);
}

// The controller tells an end to let go of a pair, by the name of its half.
template <class State>
void Engine<State>::dismiss(std::int32_t installation, std::int32_t position, Name name, Time at) {
    const std::int32_t number = write(Mail::LOST);
    letters[number].circuit = installations[std::size_t(installation)].first + position;
    letters[number].mine = name;
    queue.push(at, ranked(MESSAGE), LETTER, std::uint64_t(number));
}

}  // namespace quantum_fabric::engine
