// The rules of installations at nodes, acted on: quantum_fabric.control.circuit and agent.
//
// A decider of the reference answers with a list of actions that are done in order once it has finished. Deciders never look at
// the plant, so each action is done here at the moment when the reference puts it on its list.
#pragma once

#include <algorithm>

#include "engine.hpp"

namespace quantum_fabric::engine {

template <class State>
Circuit* Engine<State>::holder(std::int32_t slot) {
    const std::int32_t index = slots[std::size_t(slot)].circuit;
    if (index == NONE) return nullptr;
    Circuit& circuit = circuits[std::size_t(index)];
    return circuit.seat >= Seat::ACTIVE ? &circuit : nullptr;
}

template <class State>
Qubit* Engine<State>::find(const Circuit& circuit, Name name) {
    const Lane& lane = lanes[std::size_t(lane_of(name))];
    for (const std::int32_t index : lane.qubit) {
        if (index < circuit.first || index >= circuit.last) continue;
        Qubit& qubit = qubits[std::size_t(index)];
        if (qubit.mine == name) return &qubit;
    }
    return nullptr;
}

template <class State>
const Beyond* Engine<State>::beyond(const Circuit& circuit, Name name) {
    const Lane& lane = lanes[std::size_t(lane_of(name))];
    for (const std::int32_t index : lane.qubit) {
        if (index < circuit.first || index >= circuit.last) continue;
        return qubits[std::size_t(index)].beyond.find(number_of(name), circuit.forgotten);
    }
    return nullptr;
}

// Keep, for as long as news can be on its way, where the chain of a consumed half goes on.
template <class State>
void Engine<State>::remember(Circuit& circuit, Qubit& qubit, std::int32_t to, Name far) {
    circuit.forgotten = now;
    qubit.beyond.add({number_of(qubit.mine), now + circuit.retention, to, far}, now);
}

template <class State>
void Engine<State>::arm(const Circuit& circuit, Qubit& qubit) {
    qubit.life = Life::ARMED;
    const Lane& lane = lanes[std::size_t(qubit.lane)];
    const int end = links[std::size_t(lane.link)].ends[0] == circuit.node ? 0 : 1;
    arm(qubit.slot, qubit.lane, end, qubit.point);
}

template <class State>
void Engine<State>::free(Circuit& circuit, Qubit& qubit, bool thrown) {
    if (!unbroken && qubit.mine != NOBODY && !qubit.beyond.find(number_of(qubit.mine), circuit.forgotten)) remember(circuit, qubit, NONE, NOBODY);
    for (std::int32_t each = qubit.early; each != NONE;) {
        const std::int32_t next = letters[each].next;
        letters.give_back(each);
        ++counts.stale;
        each = next;
    }
    qubit.life = Life::IDLE;
    qubit.mine = qubit.far = NOBODY;
    qubit.partner = qubit.early = NONE;
    qubit.rounds = 0;
    qubit.broken = false;
    if (thrown) discard(qubit.slot);
    if (circuit.seat == Seat::GENERATING) arm(circuit, qubit);
}

// Lend the slots to the installation: all of them, or none.
template <class State>
bool Engine<State>::prepare(Circuit& circuit, Time lease) {
    for (std::int32_t each = circuit.first; each < circuit.last; ++each)
        if (slots[std::size_t(qubits[std::size_t(each)].slot)].circuit != NONE) return false;
    const auto index = std::int32_t(&circuit - circuits.data());
    for (std::int32_t each = circuit.first; each < circuit.last; ++each) {
        Qubit& qubit = qubits[std::size_t(each)];
        Slot& slot = slots[std::size_t(qubit.slot)];
        slot.circuit = index;
        slot.qubit = each;
        Lane& lane = lanes[std::size_t(qubit.lane)];
        const std::size_t end = links[std::size_t(lane.link)].ends[0] == circuit.node ? 0 : 1;
        lane.qubit[end] = each;
        lane.circuit[end] = index;
        qubit.beyond.clear();
    }
    circuit.seat = Seat::PREPARED;
    circuit.lease = lease;
    circuit.forgotten = NEVER;
    circuit.expecting.clear();
    return true;
}

template <class State>
void Engine<State>::start(Circuit& circuit) {
    if (circuit.seat != Seat::PREPARED) return;
    circuit.seat = Seat::GENERATING;
    for (std::int32_t each = circuit.first; each < circuit.last; ++each) arm(circuit, qubits[std::size_t(each)]);
}

// The node lets go of the installation.
template <class State>
void Engine<State>::leave(Circuit& circuit) {
    circuit.seat = Seat::ABSENT;
    for (std::int32_t each = circuit.first; each < circuit.last; ++each) {
        Qubit& qubit = qubits[std::size_t(each)];
        if (qubit.life != Life::IDLE) discard(qubit.slot);
        Slot& slot = slots[std::size_t(qubit.slot)];
        slot.circuit = slot.qubit = NONE;
        while (qubit.early != NONE) {
            const std::int32_t next = letters[qubit.early].next;
            letters.give_back(qubit.early);
            ++counts.stale;
            qubit.early = next;
        }
        if (qubit.ask != NONE) letters.give_back(qubit.ask);
        qubit.ask = NONE;
        qubit.mine = NOBODY;
        Lane& lane = lanes[std::size_t(qubit.lane)];
        for (const std::size_t end : {0, 1})
            if (lane.qubit[end] == each) lane.qubit[end] = lane.circuit[end] = NONE;
    }
    for (const Unborn& each : circuit.unborn) letters.give_back(each.letter), ++counts.stale;
    for (const std::int32_t each : circuit.asks) letters.give_back(each);
    circuit.unborn.clear();
    circuit.asks.clear();
}

// Generate no more: let go of every slot but those that hold a delivered pair.
template <class State>
void Engine<State>::drain(Circuit& circuit) {
    circuit.seat = Seat::ACTIVE;
    for (std::int32_t each = circuit.first; each < circuit.last; ++each) {
        Qubit& qubit = qubits[std::size_t(each)];
        if (qubit.life == Life::ARMED || qubit.life == Life::LIVE || qubit.life == Life::ASKED) free(circuit, qubit, true);
    }
}

// ------------------------------------------------------------------------------------------------ events

template <class State>
void Engine<State>::heralded(std::int32_t slot, Name name, int label, Time born, Time partner_born) {
    show(Watched::HERALDED, slots[std::size_t(slot)].node, slot, NONE, name, name, label, born, partner_born);
    Circuit* held = holder(slot);
    if (!held || qubits[std::size_t(slots[std::size_t(slot)].qubit)].life != Life::ARMED) {
        ++counts.stale;
        return;
    }
    Circuit& circuit = *held;
    Qubit& qubit = qubits[std::size_t(slots[std::size_t(slot)].qubit)];
    qubit.life = Life::LIVE;
    qubit.mine = qubit.far = name;
    qubit.partner = qubit.neighbour;
    qubit.frame = std::int8_t(label);
    qubit.quality = qubit.fresh;
    qubit.born = qubit.birth = born;
    qubit.far_born = qubit.far_birth = partner_born;
    qubit.far_decay = qubit.neighbour_decay;
    if (circuit.cutoff >= 0 && !circuit.delivers) {
        const auto index = std::uint32_t(&circuit - circuits.data());
        queue.push(std::max(now, born + circuit.cutoff), ranked(TIMER), CUTOFF, std::uint64_t(name), index);
    }
    if (!circuit.unborn.empty()) {
        std::vector<std::int32_t> came;
        auto keep = circuit.unborn.begin();
        for (const Unborn& each : circuit.unborn) {
            if (each.name == name)
                came.push_back(each.letter);
            else
                *keep++ = each;
        }
        circuit.unborn.erase(keep, circuit.unborn.end());
        for (const std::int32_t letter : came) {
            const bool kept = letters[letter].kind == Mail::JOINED ? joined(circuit, letter) : lost(circuit, letter);
            if (!kept) letters.give_back(letter);
        }
    }
    react(circuit);
}

// This node's Bell measurement is done: tell both ends what their chain is now.
template <class State>
void Engine<State>::swapped(Circuit& circuit, Qubit& left, Qubit& right, int outcome) {
    if (outcome < 0 || left.broken || right.broken) {
        for (Qubit* qubit : {&left, &right}) {
            if (!qubit->broken) say_lost(circuit, *qubit);
            remember(circuit, *qubit, NONE, NOBODY);
        }
    } else {
        Correlators here{};
        if (beliefs) here = product(circuit.noise.factors[std::size_t(outcome)], product(own_ageing(left), own_ageing(right)));
        extend(circuit, left, right, here, outcome);
        extend(circuit, right, left, here, outcome);
        for (auto [qubit, past] : {std::pair{&left, &right}, std::pair{&right, &left}}) {
            remember(circuit, *qubit, past->partner, past->far);
            for (std::int32_t each = qubit->early; each != NONE;) {
                const std::int32_t next = letters[each].next;
                letters[each].mine = past->far;
                send(circuit, past->partner, each);
                each = next;
            }
            qubit->early = NONE;
        }
    }
    free(circuit, left);
    free(circuit, right);
    react(circuit);
}

template <class State>
void Engine<State>::extend(Circuit& circuit, const Qubit& to, const Qubit& past, const Correlators& here, int outcome) {
    const std::int32_t number = write(Mail::JOINED);
    Letter& letter = letters[number];
    letter.mine = to.far;
    letter.was = to.mine;
    letter.partner = past.partner;
    letter.far = past.far;
    letter.frame = std::uint8_t(past.frame ^ outcome);
    if (beliefs) letter.quality = product(past.quality, here);
    letter.born = past.far_born;
    letter.birth = past.far_birth;
    letter.far_decay = past.far_decay;
    send(circuit, to.partner, number);
}

template <class State>
Correlators faded(const Engine<State>&, const Decay& decay, Time from, Time to, Time birth) {
    const double span = std::max(0.0, seconds(to - from));
    const double fade = std::exp(-decay.rates[0] * span);
    Correlators factors{fade, decay.rates[1] == decay.rates[0] ? fade : std::exp(-decay.rates[1] * span),
                        decay.rates[2] == decay.rates[0] ? fade : std::exp(-decay.rates[2] * span)};
    if (decay.stretched > 0.0) {
        const Time until = std::max(to, from);
        const double keep = std::exp(-stretched_loss(decay.stretched, decay.exponent, seconds(from - birth), seconds(until - birth)));
        factors[0] *= keep;
        factors[1] *= keep;
    }
    return factors;
}

// Believed factor of this node's half, from its birth or last purification to now.
template <class State>
Correlators Engine<State>::own_ageing(const Qubit& qubit) const {
    return faded(*this, decays[std::size_t(qubit.own_decay)], qubit.born, now, qubit.birth);
}

// Of the far half, taken to wait until now.
template <class State>
Correlators Engine<State>::far_ageing(const Qubit& qubit) const {
    return faded(*this, decays[std::size_t(qubit.far_decay)], qubit.far_born, now, qubit.far_birth);
}

// -------------------------------------------------------------------------------------------------- news

// These return whether the letter is kept.
template <class State>
bool Engine<State>::joined(Circuit& circuit, std::int32_t number) {
    Letter& letter = letters[number];
    Qubit* found = find(circuit, letter.mine);
    if (!found) return forward(circuit, number);
    Qubit& qubit = *found;
    letter.next = NONE;
    if (letter.was != qubit.far || qubit.life == Life::ASKED) {  // in ASKED it is the answer to the ask that comes before it
        std::int32_t* place = &qubit.early;
        while (*place != NONE) place = &letters[*place].next;
        *place = number;
        return true;
    }
    follow(qubit, number);
    react(circuit);
    return false;
}

// The first letter in the list of those that came early which follows on what the qubit knows; NONE for none.
template <class State>
std::int32_t Engine<State>::next_early(Qubit& qubit) {
    for (std::int32_t* place = &qubit.early; *place != NONE; place = &letters[*place].next) {
        if (letters[*place].was != qubit.far) continue;
        const std::int32_t found = *place;
        *place = letters[found].next;
        return found;
    }
    return NONE;
}

// The chain is longer now, by this news and all that follows on it. The first letter stays its giver's.
template <class State>
void Engine<State>::follow(Qubit& qubit, std::int32_t number) {
    std::int32_t follows = number;
    while (follows != NONE) {
        const Letter& news = letters[follows];
        qubit.partner = news.partner;
        qubit.far = news.far;
        qubit.frame = std::int8_t(qubit.frame ^ news.frame);
        if (beliefs) qubit.quality = product(qubit.quality, news.quality);
        qubit.far_born = news.born;
        qubit.far_birth = news.birth;
        qubit.far_decay = news.far_decay;
        qubit.rounds = 0;
        if (follows != number) letters.give_back(follows);
        follows = next_early(qubit);
    }
}

template <class State>
bool Engine<State>::lost(Circuit& circuit, std::int32_t number) {
    Qubit* qubit = find(circuit, letters[number].mine);
    if (!qubit) return forward(circuit, number);
    if (qubit->life == Life::SWAPPING || qubit->life == Life::ASKING || qubit->life == Life::ANSWERING) {
        qubit->broken = true;
    } else {
        free(circuit, *qubit, true);
        react(circuit);
    }
    return false;
}

template <class State>
bool Engine<State>::forward(Circuit& circuit, std::int32_t number) {
    Letter& letter = letters[number];
    const Beyond* past = beyond(circuit, letter.mine);
    if (!past) {
        circuit.unborn.push_back({letter.mine, number});
        circuit.expecting.push_back({now + circuit.retention, letter.mine});
        std::size_t over = 0;  // halves that were never heralded here: their news was for nobody
        while (over < circuit.expecting.size() && circuit.expecting[over].first < now) {
            const Name name = circuit.expecting[over++].second;
            auto keep = circuit.unborn.begin();
            for (const Unborn& each : circuit.unborn) {
                if (each.name == name)
                    letters.give_back(each.letter), ++counts.stale;
                else
                    *keep++ = each;
            }
            circuit.unborn.erase(keep, circuit.unborn.end());
        }
        circuit.expecting.erase(circuit.expecting.begin(), circuit.expecting.begin() + std::ptrdiff_t(over));
        return true;
    }
    if (past->circuit == NONE) {
        ++counts.stale;
        return false;
    }
    letter.mine = past->far;
    send(circuit, past->circuit, number);
    return true;
}

// A half has waited as long as it may.
template <class State>
void Engine<State>::cut_off(Circuit& circuit, Name name) {
    Qubit* qubit = find(circuit, name);
    if (!qubit || qubit->life != Life::LIVE) return;
    ++counts.cutoffs;
    show(Watched::CUT, circuit.node, qubit->slot, NONE, name, qubit->far, -1);
    if (worked_out)
        break_off(circuit, half_of(slots[std::size_t(qubit->slot)].half ^ 1));
    else
        say_lost(circuit, *qubit);
    free(circuit, *qubit, true);
    react(circuit);
}

template <class State>
void Engine<State>::say_lost(const Circuit& from, const Qubit& qubit) {
    const std::int32_t number = write(Mail::LOST);
    letters[number].mine = qubit.far;
    send(from, qubit.partner, number);
}

template <class State>
void Engine<State>::send(const Circuit& from, std::int32_t to, std::int32_t number) {
    const Installation& installation = installations[std::size_t(from.installation)];
    letters[number].circuit = installation.first + to;
    queue.push(now + installation.delay(from.position, to), ranked(MESSAGE), LETTER, std::uint64_t(number));
}

template <class State>
void Engine<State>::say_home(const Circuit& from, std::int32_t number) {
    const Installation& installation = installations[std::size_t(from.installation)];
    letters[number].circuit = installation.first + from.position;
    queue.push(now + installation.home[std::size_t(from.position)], ranked(MESSAGE), LETTER, std::uint64_t(number));
}

}  // namespace quantum_fabric::engine
