// The run itself: events in their order, letters to their readers.
#pragma once

#include "engine.hpp"

namespace quantum_fabric::engine {

template <class State>
void Engine<State>::begin(const std::string& seed, std::int64_t replica) {
    prefix = seed + "/" + std::to_string(replica) + "/";
    queue.clear();
    pairs.clear();
    letters.clear();
    now = 0;
    serial = 0;
    operations = 0;
    counts = Counts{};
    twirl_error = 0;
    deliveries.clear();
    tallies.clear();
    restless.clear();
    rows.clear();
    told = 0;
    keys = first_keys;
    stop = false;
    for (Node& node : nodes) {
        node.alive = true;
        node.draws.open = false;
    }
    for (Slot& slot : slots) {
        slot.half = slot.lane = slot.circuit = slot.qubit = NONE;
        slot.busy = 0;
    }
    for (Link& link : links) link.up = true, link.calibrating = false;
    for (Lane& lane : lanes) {
        lane.arms = lane.qubit = lane.circuit = {NONE, NONE};
        lane.armed_at = {0, 0};
        lane.heralds = 0;
        lane.start = lane.opened = NEVER;
        lane.key = lane.point = lane.trying = NONE;
        lane.pending = lane.draws.open = lane.outcomes.open = false;
        lane.attempts.clear();
    }
    for (Circuit& circuit : circuits) {
        circuit.seat = Seat::ABSENT;
        circuit.over = false;
        circuit.unborn.clear();
        circuit.expecting.clear();
        circuit.asks.clear();
    }
    for (Qubit& qubit : qubits) {
        qubit.life = Life::IDLE;
        qubit.mine = qubit.far = NOBODY;
        qubit.partner = qubit.early = qubit.spent = qubit.ask = NONE;
        qubit.rounds = 0;
        qubit.broken = false;
        qubit.beyond.clear();
    }
    unbroken = worked_out && never_breaks();
    open_sessions = std::int64_t(sessions.size());
    for (std::size_t index = 0; index < sessions.size(); ++index) {
        Session& session = sessions[index];
        session.phase = Session::Phase::COMING;
        session.status = Status::OPEN;
        session.delivered = session.withheld = 0;
        session.ended = -1;
        session.halves.clear();
        queue.push(session.at, ranked(MESSAGE), REQUEST, index);
    }
}

template <class State>
void Engine<State>::redraw(const std::string& seed, std::int64_t replica) {
    prefix = seed + "/" + std::to_string(replica) + "/";
    for (Node& node : nodes) node.draws.open = false;
    for (std::size_t index = 0; index < lanes.size(); ++index) {
        Lane& lane = lanes[index];
        lane.draws.open = lane.outcomes.open = false;
        if (!lane.pending || lane.start <= now) continue;
        halt(lane);
        lane.opened = std::max(lane.opened, now);
        restart(std::int32_t(index));
    }
}

template <class State>
void Engine<State>::run(Time until, std::uint64_t most_events, bool while_open) {
    stop = false;
    last_event = counts.events + most_events < counts.events ? ~0ULL : counts.events + most_events;
    while (!queue.empty() && queue.top().at <= until) {
        if (stop || counts.events >= last_event || (while_open && open_sessions == 0)) return;
        const Event event = queue.pop();
        foresee();
        now = event.at;
        act(event);
    }
    if (!stop && (!while_open || open_sessions)) now = until;
}

// Fetch what the next events will look at: in a large network none of it is near.
template <class State>
void Engine<State>::foresee() const {
    const auto letter_at = [this](const Event& event) { return event.kind == LETTER ? &letters[std::int32_t(event.what)] : nullptr; };
    for (const std::size_t place : {1, 2}) {
        const Event* soon = queue.ahead(place);
        if (!soon) break;
        if (soon->kind == LETTER) fetch(letter_at(*soon));
        if (soon->kind == ATTEMPT) fetch(&lanes[std::size_t(soon->what)]);
        if (soon->kind == CUTOFF) fetch(&lanes[std::size_t(lane_of(Name(soon->what)))]);
    }
    const Event* next = queue.ahead(0);
    if (!next) return;
    switch (next->kind) {
        case ATTEMPT: {
            const Lane& lane = lanes[std::size_t(next->what)];
            if (!lane.pending || (lane.generation & Queue::TOKENS) != next->token) return;
            fetch(&points[std::size_t(lane.trying)]);
            fetch(&links[std::size_t(lane.link)]);
            for (const std::size_t end : {0, 1}) {
                if (lane.arms[end] == NONE || lane.qubit[end] == NONE) continue;
                fetch(&slots[std::size_t(lane.arms[end])]);
                fetch(&qubits[std::size_t(lane.qubit[end])]);
                fetch(&circuits[std::size_t(lane.circuit[end])]);
            }
            return;
        }
        case LETTER: {
            const Letter& letter = *letter_at(*next);
            if (letter.circuit != NONE) fetch(&circuits[std::size_t(letter.circuit)]);
            if (letter.kind <= Mail::LOST) fetch(&lanes[std::size_t(lane_of(letter.mine))]);
            return;
        }
        case CUTOFF: return fetch(&lanes[std::size_t(lane_of(Name(next->what)))]);
        default: return;
    }
}

template <class State>
void Engine<State>::act(const Event& event) {
    const auto index = std::int32_t(event.what);
    const auto high = std::int32_t(event.what >> 32), low = std::int32_t(event.what & 0xffffffffu);
    switch (event.kind) {
        case ATTEMPT: {
            const Lane& lane = lanes[std::size_t(index)];
            if (!lane.pending || (lane.generation & Queue::TOKENS) != event.token) return;
            ++counts.events;
            return succeed(index);
        }
        case SWAP:
            ++counts.events;
            if (both_there(high, low, event.token)) end_swap(high, low);
            return;
        case PURIFY:
            ++counts.events;
            if (both_there(high, low, event.token)) end_purify(high, low);
            return;
        case READ:
            ++counts.events;
            if (slots[std::size_t(high)].busy == event.token) end_read_out(high, low);
            return;
        case LETTER:
            ++counts.events, ++counts.letters;
            if (!read(index)) letters.give_back(index);
            return;
        case CUTOFF: {
            const Name name = Name(event.what);
            const Lane& lane = lanes[std::size_t(lane_of(name))];
            if (lane.circuit[0] != std::int32_t(event.token) && lane.circuit[1] != std::int32_t(event.token)) return;  // it has let go
            ++counts.events;
            if (lane.heralds - 1 != number_of(name)) return;  // the lane has gone on, so both halves are consumed: most cutoffs end so
            return cut_off(circuits[event.token], name);
        }
        case LEASE:
            ++counts.events;
            return lease_over(circuits[std::size_t(index)]);
        case DEADLINE:
            ++counts.events;
            if (sessions[std::size_t(index)].status == Status::OPEN) end(sessions[std::size_t(index)], Status::EXPIRED);
            return;
        case REQUEST:
            ++counts.events;
            return request(sessions[std::size_t(index)], index);
        case CALL:
            ++counts.events;
            if (listener) listener->call(event.what);
            return;
        case OUTCOME:
            ++counts.events;
            --open_sessions;
            return;
        case TOLD:
            ++counts.events;
            return tell();
        default:
            throw std::logic_error("an event of no kind");
    }
}

// A letter arrives. Returns whether somebody keeps it.
template <class State>
bool Engine<State>::read(std::int32_t number) {
    Letter& letter = letters[number];
    if (letter.kind == Mail::TELL) {
        hear(letter.slot, letter.mine, letter.frame, letter.born, letter.at);
        return false;
    }
    if (letter.kind >= Mail::PREPARED) return read_home(number);
    Circuit& circuit = circuits[std::size_t(letter.circuit)];
    if (letter.kind >= Mail::PREPARE) {
        nodes[std::size_t(circuit.node)].alive ? obey(circuit, letter) : void(++counts.stale);
        return false;
    }
    if (circuit.seat == Seat::ABSENT) {  // as a node's circuits are when it has failed
        ++counts.stale;
        return false;
    }
    switch (letter.kind) {
        case Mail::JOINED: return joined(circuit, number);
        case Mail::LOST: return lost(circuit, number);
        case Mail::ASK: {
            const bool kept = asked(circuit, number);
            react(circuit);
            return kept;
        }
        default: answered(circuit, letter); return false;
    }
}

// What the controller tells a node.
template <class State>
void Engine<State>::obey(Circuit& circuit, const Letter& letter) {
    const bool absent = circuit.seat == Seat::ABSENT;
    if (letter.kind == Mail::PREPARE) {
        if (absent && circuit.over) {
            ++counts.stale;
            return;
        }
        const bool late = letter.at >= 0 && letter.at <= now;
        if (absent && (late || !prepare(circuit, letter.at))) {
            const std::int32_t number = write(Mail::DECLINED);
            letters[number].frame = late;  // why: the lease is over before it began, or its slots are lent
            return say_home(circuit, number);
        }
        report(circuit, Mail::PREPARED);
        if (absent && letter.at >= 0) queue.push(letter.at, ranked(TIMER), LEASE, std::uint64_t(&circuit - circuits.data()));
        return;
    }
    // whoever renews an installation takes it to be here, and is told that it is not
    if (letter.kind == Mail::RELEASE || (absent && letter.kind == Mail::RENEW)) {
        circuit.over = true;
        if (!absent) leave(circuit);
        return report(circuit, Mail::RELEASED);
    }
    if (absent) {
        ++counts.stale;
        return;
    }
    if (letter.kind == Mail::COMMIT) return start(circuit);
    if (letter.kind == Mail::DRAIN) return drain(circuit);
    circuit.lease = std::max(circuit.lease, letter.at);
    queue.push(circuit.lease, ranked(TIMER), LEASE, std::uint64_t(&circuit - circuits.data()));
}

template <class State>
void Engine<State>::lease_over(Circuit& circuit) {
    if (circuit.seat == Seat::ABSENT || now < circuit.lease || !nodes[std::size_t(circuit.node)].alive) return;
    circuit.over = true;
    leave(circuit);
    report(circuit, Mail::RELEASED);
}

// The controller writes to a node; the letter arrives at a time that it has worked out.
template <class State>
void Engine<State>::post(Mail kind, std::int32_t installation, std::int32_t position, Time at, Time until) {
    const std::int32_t number = write(kind);
    letters[number].circuit = installations[std::size_t(installation)].first + position;
    letters[number].at = until;
    queue.push(at, ranked(MESSAGE), LETTER, std::uint64_t(number));
}

}  // namespace quantum_fabric::engine
