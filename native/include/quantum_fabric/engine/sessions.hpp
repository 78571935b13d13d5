// What the controller does once a plan is installed, for runs without a controller in Python: quantum_fabric.control.controller.
#pragma once

#include "engine.hpp"

namespace quantum_fabric::engine {

template <class State>
void Engine<State>::to_nodes(const Installation& installation, Mail kind, Time until) {
    const auto which = std::int32_t(&installation - installations.data());
    for (std::int32_t position = 0; position < installation.nodes; ++position)
        post(kind, which, position, now + installation.out[std::size_t(position)], until);
}

template <class State>
void Engine<State>::request(Session& session, std::int32_t index) {
    session.phase = Session::Phase::PREPARING;
    if (session.deadline >= 0) queue.push(session.deadline, ranked(TIMER), DEADLINE, std::uint64_t(index));
    Installation& installation = installations[std::size_t(session.installation)];
    installation.session = index;
    session.waiting = installation.nodes;
    to_nodes(installation, Mail::PREPARE, -1);
}

template <class State>
bool Engine<State>::read_home(std::int32_t number) {
    const Letter& letter = letters[number];
    const Circuit& circuit = circuits[std::size_t(letter.circuit)];
    const std::int32_t index = installations[std::size_t(circuit.installation)].session;
    if (index == NONE) {
        if (letter.kind == Mail::CONFIRMED && tallied(circuit.installation, letter)) return false;
        if (listener) listener->mail(letter);
        return false;
    }
    Session& session = sessions[std::size_t(index)];
    if (letter.kind == Mail::CONFIRMED) {
        confirmed(session, index, letter);
    } else if (letter.kind != Mail::RELEASED) {
        if (session.phase != Session::Phase::PREPARING) {
            ++counts.stale;
        } else if (letter.kind == Mail::DECLINED) {
            end(session, Status::FAILED);
        } else if (--session.waiting == 0) {
            session.phase = Session::Phase::RUNNING;
            to_nodes(installations[std::size_t(session.installation)], Mail::COMMIT);
        }
    }
    return false;
}

// One end says that a pair is complete as far as it can know; with the other end's word it is delivered.
template <class State>
void Engine<State>::confirmed(Session& session, std::int32_t index, const Letter& letter) {
    if (session.phase != Session::Phase::RUNNING) {
        ++counts.stale;
        return;
    }
    for (std::size_t place = 0; place < session.halves.size(); ++place) {
        Halfway& half = session.halves[place];
        if (half.left != letter.mine || half.right != letter.far) continue;
        if (half.confirmed && half.circuit != letter.circuit) {
            const Halfway pair = half;
            session.halves[place] = session.halves.back();
            session.halves.pop_back();
            return complete(session, index, pair, letter);
        }
        half.confirmed = true;
        half.circuit = letter.circuit;
        half.first = letter;
        return;
    }
    session.halves.push_back({letter.mine, letter.far, true, false, letter.circuit, letter, {}});
}

template <class State>
void Engine<State>::complete(Session& session, std::int32_t index, const Halfway& pair, const Letter& second) {
    const Letter& later = pair.first.at > second.at ? pair.first : second;
    const double fidelity = (1.0 + later.quality[0] + later.quality[1] + later.quality[2]) / 4.0;
    const bool good = !beliefs || !(fidelity < session.floor);
    good ? ++session.delivered : ++session.withheld;
    good ? ++counts.deliveries : ++counts.withheld;
    deliveries.push_back({index, later.frame, pair.known, good ? session.delivered : 0, pair.left, pair.right, later.quality,
                          pair.weights, std::min(pair.first.born, second.born), later.at, now});
    if (good && (watched >> unsigned(Watched::DELIVERED) & 1u))
        listener->see({Watched::DELIVERED, NONE, NONE, index, pair.left, pair.right, later.frame, now});
    if (session.delivered >= session.pairs) end(session, Status::COMPLETED);
}

// Only the plant knows this; it is kept beside what was confirmed, for whoever reads the results.
template <class State>
void Engine<State>::truth(const Circuit& circuit, Name left, Name right, const std::array<double, 4>& weights) {
    const std::int32_t index = installations[std::size_t(circuit.installation)].session;
    if (index == NONE) return;
    Session& session = sessions[std::size_t(index)];
    if (session.phase != Session::Phase::RUNNING) return;
    for (Halfway& half : session.halves) {
        if (half.left != left || half.right != right) continue;
        half.known = true;
        half.weights = weights;
        return;
    }
    session.halves.push_back({left, right, false, true, NONE, Letter{}, weights});
}

template <class State>
void Engine<State>::end(Session& session, Status status) {
    session.status = status;
    session.phase = Session::Phase::ENDED;
    session.ended = now;
    session.halves.clear();
    to_nodes(installations[std::size_t(session.installation)], Mail::RELEASE);
    queue.push(now, ranked(MESSAGE), OUTCOME, 0);  // the client hears of it at once, but after what is due at this moment already
}

}  // namespace quantum_fabric::engine
