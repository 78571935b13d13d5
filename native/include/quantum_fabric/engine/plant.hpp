// The plant: quantum_fabric.twin.plant.
#pragma once

#include "engine.hpp"

namespace quantum_fabric::engine {

template <class State>
Stream& Engine<State>::draws_of(Node& node) {
    if (!node.draws.open) node.draws.begin(prefix + node.name + "/operations");
    return node.draws;
}

template <class State>
std::uint32_t Engine<State>::next_operation() {
    operations = operations == Queue::TOKENS ? 1 : operations + 1;
    return operations;
}

template <class State>
std::int64_t Engine<State>::attempts_at(const Node& node, Time by) const {
    std::int64_t total = 0;
    for (const std::int32_t each : node.lanes) total += lanes[std::size_t(each / 2)].attempts.made(by, each % 2);
    return total;
}

template <class State>
void Engine<State>::show(Watched what, std::int32_t node, std::int32_t slot, std::int32_t other, Name mine, Name far, int label, Time born,
                         Time far_born, const double* weights) {
    if (watched >> unsigned(what) & 1u) listener->see({what, node, slot, other, mine, far, label, now, born, far_born, weights});
}

// ------------------------------------------------------------------------------------------------ halves

template <class State>
void Engine<State>::age(std::int32_t index) {
    Pair<State>& pair = pairs[index / 2];
    Half& half = pair.ends[index % 2];
    const Time elapsed = now - half.since;
    if (elapsed <= 0) return;
    const Node& node = nodes[std::size_t(half.node)];
    const Memory& memory = node.memory;
    double dephased = memory.rate_xy * double(elapsed);
    if (!memory.simple) {
        double loss = stretched_loss(memory.stretched_rate, memory.exponent, double(half.since - half.born), double(now - half.born));
        if (!node.lanes.empty()) {
            const std::int64_t made = attempts_at(node, now);
            loss += double(made - half.attempts) * memory.loss_per_attempt;
            half.attempts = made;
        }
        dephased += loss;
    }
    half.since = now;
    pair.state.wait(index % 2, dephased, memory.rate_z * double(elapsed));
}

template <class State>
double Engine<State>::retrieved(const Half& half) const {
    const Memory& memory = nodes[std::size_t(half.node)].memory;
    return memory.retrieval * std::exp(-(double(now - half.born) * 1e-12) / memory.retrieval_lifetime);
}

template <class State>
double Engine<State>::relaxed(const Half& half) const {
    return std::min(1.0, nodes[std::size_t(half.node)].memory.rate_z * double(half.since - half.born));
}

template <class State>
void Engine<State>::take(std::int32_t index) {
    Half& half = half_of(index);
    Slot& slot = slots[std::size_t(half.slot)];
    slot.half = half.slot = NONE;
    slot.busy = 0;
}

template <class State>
void Engine<State>::settle(std::int32_t index) {
    Pair<State>& pair = pairs[index];
    if (pair.serial != 0 && pair.ends[0].slot == NONE && pair.ends[1].slot == NONE) {
        pair.serial = 0;
        pairs.give_back(index);
    }
}

template <class State>
void Engine<State>::lose(std::int32_t index) {
    take(index);
    pairs[index / 2].state.lose(index % 2);
    settle(index / 2);
}

template <class State>
void Engine<State>::discard(std::int32_t slot) {
    Slot& at = slots[std::size_t(slot)];
    if (at.lane != NONE) {
        Lane& lane = lanes[std::size_t(at.lane)];
        disarm(lane, lane.arms[0] == slot ? 0 : 1);
    }
    if (at.half != NONE) lose(at.half);
}

// -------------------------------------------------------------------------------------------- operations

template <class State>
void Engine<State>::begin_operation(std::int32_t first, std::int32_t second, std::uint32_t kind) {
    const Slot &one = slots[std::size_t(first)], &two = slots[std::size_t(second)];
    if (one.half == NONE || two.half == NONE || one.busy || two.busy) throw std::logic_error("an operation on a slot that is empty or busy");
    if (one.half / 2 == two.half / 2) throw std::logic_error("an operation on the two halves of one pair");
    const std::uint32_t token = next_operation();
    slots[std::size_t(first)].busy = slots[std::size_t(second)].busy = token;
    queue.push(now + nodes[std::size_t(one.node)].swap_time, ranked(OPERATION), kind,
               std::uint64_t(first) << 32 | std::uint32_t(second), token);
}

// Whether an operation can end as it began; otherwise its node failed or let go, and nobody waits for the result.
template <class State>
bool Engine<State>::both_there(std::int32_t first, std::int32_t second, std::uint32_t token) {
    Slot &one = slots[std::size_t(first)], &two = slots[std::size_t(second)];
    if (one.busy == token && two.busy == token) return true;
    if (one.busy == token) one.busy = 0;
    if (two.busy == token) two.busy = 0;
    return false;
}

template <class State>
void Engine<State>::end_swap(std::int32_t left_slot, std::int32_t right_slot) {
    const std::int32_t left = slots[std::size_t(left_slot)].half, right = slots[std::size_t(right_slot)].half;
    Node& node = nodes[std::size_t(slots[std::size_t(left_slot)].node)];
    age(left);
    age(right);
    double chance = node.operations.swap_success;
    if (!node.memory.lossless) chance *= retrieved(half_of(left)) * retrieved(half_of(right));
    Circuit* circuit = holder(left_slot);
    const std::int32_t a = slots[std::size_t(left_slot)].qubit, b = slots[std::size_t(right_slot)].qubit;
    const Name left_name = half_of(left).name, right_name = half_of(right).name;
    const std::array<Half, 2> outer{half_of(left ^ 1), half_of(right ^ 1)};
    take(left);
    take(right);
    const std::int32_t one = left / 2, two = right / 2;
    int label = -1;
    if (draws_of(node).flip(chance)) {
        Pair<State>&first = pairs[one], &second = pairs[two];
        State whole;
        label = State::swapped(first.state, left % 2, second.state, right % 2, node.operations, relaxed(first.ends[left % 2]),
                               relaxed(second.ends[right % 2]), draws_of(node), whole);
        first.state = whole;
        first.frame = std::int8_t(first.frame ^ second.frame ^ label);
        first.waiting = Waiting{};
        first.told = NONE;
        first.basis = 0;
        first.serial = ++serial;
        second.serial = 0;
        pairs.give_back(two);
        for (std::size_t end = 0; end < 2; ++end) {
            first.ends[end] = outer[end];
            if (outer[end].slot != NONE) slots[std::size_t(outer[end].slot)].half = 2 * one + std::int32_t(end);
        }
        if (worked_out && circuit) join_chains(*circuit, one, two, qubits[std::size_t(a)], qubits[std::size_t(b)], label);
        ++counts.swaps;
    } else {
        pairs[one].state.lose(left % 2);
        pairs[two].state.lose(right % 2);
        settle(two);
        ++counts.failed_swaps;
    }
    settle(one);
    show(Watched::SWAPPED, slots[std::size_t(left_slot)].node, left_slot, right_slot, left_name, right_name, label);
    if (circuit && worked_out)
        joined_up(*circuit, qubits[std::size_t(a)], qubits[std::size_t(b)], one, outer, label >= 0);
    else if (circuit)
        swapped(*circuit, qubits[std::size_t(a)], qubits[std::size_t(b)], label);
    else
        ++counts.stale;
}

template <class State>
void Engine<State>::end_purify(std::int32_t keep_slot, std::int32_t spent_slot) {
    const std::int32_t keep = slots[std::size_t(keep_slot)].half, spent = slots[std::size_t(spent_slot)].half;
    const std::int32_t at = slots[std::size_t(keep_slot)].node;
    Node& node = nodes[std::size_t(at)];
    age(keep);
    age(spent);
    Circuit* circuit = holder(keep_slot);
    Qubit& qubit = qubits[std::size_t(slots[std::size_t(keep_slot)].qubit)];
    const Rotation rotation = qubit.rotation;
    const Distillation kind = qubit.kind;
    take(spent);
    slots[std::size_t(keep_slot)].busy = 0;
    Pair<State>&kept = pairs[keep / 2], &gone = pairs[spent / 2];
    const Waiting waiting = kept.waiting;
    kept.waiting = Waiting{};
    const double found = node.memory.lossless ? 1.0 : retrieved(gone.ends[spent % 2]);
    int bit;
    if (!node.memory.lossless && !draws_of(node).flip(found)) {
        gone.state.lose(spent % 2);
        kept.state.forget();
        bit = -1;
    } else if (waiting.sacrifice == 0) {
        bit = State::half_purified(kept.state, keep % 2, gone.state, spent % 2, node.operations, kind, rotation, draws_of(node));
        kept.waiting = {gone.serial, at, rotation, kind, std::uint8_t(bit)};
    } else if (waiting.sacrifice != gone.serial || waiting.rotation != rotation) {
        // one end paired or turned them otherwise: the outcome tells nothing
        kept.state.forget();
        bit = draws_of(node).flip(0.5);
    } else {
        const Expected expected = purify_frame(kept.frame, gone.frame, rotation);
        const Operations& first = nodes[std::size_t(waiting.node)].operations;
        bit = State::purified(kept.state, keep % 2, gone.state, spent % 2, first, node.operations, waiting.kind, rotation, expected,
                              waiting.bit, draws_of(node));
        kept.frame = std::int8_t(expected.frame);
        ++counts.purifications;
    }
    settle(spent / 2);
    show(Watched::PURIFIED, at, keep_slot, spent_slot, half_of(keep).name, gone.ends[spent % 2].name, bit);
    if (circuit)
        end_round(*circuit, qubit, bit);
    else
        ++counts.stale;
}

template <class State>
void Engine<State>::consume(std::int32_t slot, int bell) {
    const std::int32_t index = slots[std::size_t(slot)].half;
    if (index == NONE || slots[std::size_t(slot)].busy) throw std::logic_error("cannot consume a slot that is empty or busy");
    Pair<State>& pair = pairs[index / 2];
    if (pair.told != NONE && pair.told != bell) throw std::logic_error("the two ends of a pair were told different Bell states");
    age(index);
    take(index);
    if (pair.told == NONE) {
        pair.told = std::int8_t(bell);
    } else {
        twirl_error = std::max(twirl_error, pair.state.twirl_error(relaxed(pair.ends[0]), relaxed(pair.ends[1])));
        const auto weights = pair.state.weights(pair.frame ^ bell, bell);
        const Name mine = pair.ends[index % 2].name, other = pair.ends[1 - index % 2].name;
        show(Watched::TRUTH, pair.ends[0].node, slot, pair.ends[1].node, pair.ends[0].name, pair.ends[1].name, bell, 0, 0, weights.data());
        if (slots[std::size_t(slot)].circuit != NONE) {
            const Circuit& circuit = circuits[std::size_t(slots[std::size_t(slot)].circuit)];
            const bool source = circuit.position == 0;
            truth(circuit, source ? mine : other, source ? other : mine, weights);
        }
    }
    settle(index / 2);
}

// ------------------------------------------------------------------------------------------------ faults

template <class State>
void Engine<State>::set_link(std::int32_t index, bool up) {
    Link& link = links[std::size_t(index)];
    link.up = up;
    for (const std::int32_t each : link.lanes) {
        Lane& lane = lanes[std::size_t(each)];
        if (!up) {
            halt(lane);
            continue;
        }
        for (Time& armed : lane.armed_at) armed = std::max(armed, now);
        restart(each);
    }
}

template <class State>
void Engine<State>::pause_link(std::int32_t index) {
    links[std::size_t(index)].calibrating = true;
    for (const std::int32_t each : links[std::size_t(index)].lanes)
        if (lanes[std::size_t(each)].start > now) halt(lanes[std::size_t(each)]);
}

template <class State>
void Engine<State>::resume_link(std::int32_t index) {
    links[std::size_t(index)].calibrating = false;
    for (const std::int32_t each : links[std::size_t(index)].lanes) {
        lanes[std::size_t(each)].opened = now;
        restart(each);
    }
}

// Conditions have changed: attempts that start after now are drawn anew; one that has started keeps its outcome.
template <class State>
void Engine<State>::renew_link(std::int32_t index) {
    for (const std::int32_t each : links[std::size_t(index)].lanes) {
        Lane& lane = lanes[std::size_t(each)];
        if (lane.arms[0] == NONE && lane.arms[1] == NONE) continue;
        lane.point = keys[std::size_t(lane.key)];
        if (lane.start > now) halt(lane);
        if (!lane.pending) {
            lane.opened = now;
            restart(each);
        }
    }
}

template <class State>
void Engine<State>::fail_node(std::int32_t index) {
    Node& node = nodes[std::size_t(index)];
    for (std::int32_t slot = node.first_slot; slot < node.first_slot + node.slots; ++slot) {
        discard(slot);
        const std::int32_t held = slots[std::size_t(slot)].circuit;
        if (held != NONE) leave(circuits[std::size_t(held)]);
    }
    node.alive = false;
}

}  // namespace quantum_fabric::engine
