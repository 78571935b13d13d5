// A scenario's tables, made into an engine. The columns are those of quantum_fabric.montecarlo.scenario.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "checking.hpp"
#include "engine.hpp"
#include "tables.hpp"

namespace quantum_fabric::engine {

inline constexpr std::size_t OPERATION_COLUMNS = 21;

inline Operations operations_from(const double* row) {
    Operations noise;
    noise.depolarising_1 = row[0], noise.depolarising_2 = row[1];
    noise.readout_error_0 = row[2], noise.readout_error_1 = row[3];
    noise.swap_success = row[4];
    for (std::size_t label = 0; label < 4; ++label) {
        noise.chance[label] = row[5 + label];
        for (std::size_t axis = 0; axis < 3; ++axis) noise.factors[label][axis] = row[9 + 3 * label + axis];
    }
    return noise;
}

// The row has been looked at: check_point.
template <class State>
std::int32_t add_point(Engine<State>& engine, const std::int64_t* numbers, const Integers& labels, const Reals& outcomes) {
    Point point;
    point.link = std::int32_t(numbers[0]);
    point.period = numbers[1];
    point.cycle = numbers[2];
    point.born = {numbers[3], numbers[4]};
    point.heard = {numbers[5], numbers[6]};
    point.outcomes = std::int32_t(numbers[7]);
    const auto first = std::size_t(numbers[8]);
    point.first_outcome = std::int32_t(engine.labels.size());
    for (std::size_t each = first; each < first + std::size_t(point.outcomes); ++each) {
        engine.labels.push_back(std::uint8_t(labels[each][0]));
        engine.cumulative.push_back(outcomes[each][0]);
        for (int entry = 0; entry < State::SIZE; ++entry) engine.fresh.push_back(outcomes[each][1 + entry]);
    }
    point.success = point.outcomes ? engine.cumulative.back() : 0.0;
    point.log_failure = point.success > 0.0 && point.success < 1.0 ? log_of_failure(point.success) : 0.0;
    point.most = LAST / point.period;
    engine.points.push_back(point);
    return std::int32_t(engine.points.size() - 1);
}

// The link is like this from now on, wherever somebody asked for this operating point. Its numbers take the place of old ones that
// no attempt on its way refers to.
template <class State>
void change_point(Engine<State>& engine, std::int32_t key, const std::int64_t* numbers, const Integers& labels, const Reals& outcomes,
                  std::vector<std::int32_t>& retired) {
    check_point(numbers, engine.links.size(), labels, outcomes);
    require(engine.points[std::size_t(engine.keys[std::size_t(key)])].link == numbers[0], "an operating point of another link");
    retired.push_back(engine.keys[std::size_t(key)]);
    const std::int32_t made = add_point(engine, numbers, labels, outcomes);
    Point fresh = engine.points[std::size_t(made)];
    engine.keys[std::size_t(key)] = made;
    for (std::int32_t& old : retired) {
        Point& spare = engine.points[std::size_t(old)];
        bool used = spare.outcomes != fresh.outcomes;
        for (const std::int32_t each : engine.links[std::size_t(fresh.link)].lanes) {
            const Lane& lane = engine.lanes[std::size_t(each)];
            used = used || (lane.pending && lane.trying == old);
        }
        for (const std::int32_t held : engine.first_keys) used = used || held == old;
        if (used) continue;
        for (std::int32_t each = 0; each < fresh.outcomes; ++each) {
            const auto from = std::size_t(fresh.first_outcome + each), to = std::size_t(spare.first_outcome + each);
            engine.labels[to] = engine.labels[from];
            engine.cumulative[to] = engine.cumulative[from];
            for (std::size_t entry = 0; entry < State::SIZE; ++entry)
                engine.fresh[to * State::SIZE + entry] = engine.fresh[from * State::SIZE + entry];
        }
        engine.labels.resize(std::size_t(fresh.first_outcome));
        engine.cumulative.resize(std::size_t(fresh.first_outcome));
        engine.fresh.resize(std::size_t(fresh.first_outcome) * State::SIZE);
        fresh.first_outcome = spare.first_outcome;
        spare = fresh;
        engine.points.pop_back();
        engine.keys[std::size_t(key)] = old;
        old = retired.back();
        retired.pop_back();
        return;
    }
}

template <class State>
void load_plant(Engine<State>& engine, const Tables& tables) {
    const auto& nodes = tables.whole("nodes", 6);
    const auto& noise = tables.real("node_noise", 7 + OPERATION_COLUMNS);
    const auto& links = tables.whole("links", 3);
    const auto& points = tables.whole("points", 9);
    const auto& labels = tables.whole("labels", 1);
    const auto& outcomes = tables.real("outcomes", 1 + State::SIZE);
    const auto& node_names = names_of(tables, "node_names", nodes.rows);
    const auto& link_names = names_of(tables, "link_names", links.rows);
    check_plant(nodes, noise, links, points, labels, outcomes);
    for (std::size_t row = 0; row < nodes.rows; ++row) {
        Node node;
        node.name = node_names[row];
        node.first_slot = std::int32_t(engine.slots.size());
        node.slots = std::int32_t(nodes[row][0]);
        node.swap_time = nodes[row][1];
        node.measure_time = nodes[row][2];
        const double* n = noise[row];
        node.memory = {n[0], n[1], n[2], n[3], n[4], n[5], n[6], nodes[row][3] != 0, nodes[row][4] != 0, nodes[row][5] != 0};
        node.operations = operations_from(n + 7);
        for (std::int32_t slot = 0; slot < node.slots; ++slot) {
            engine.slots.emplace_back();
            engine.slots.back().node = std::int32_t(row);
        }
        engine.nodes.push_back(std::move(node));
    }
    for (std::size_t row = 0; row < links.rows; ++row) {
        Link link;
        link.name = link_names[row];
        link.ends = {std::int32_t(links[row][0]), std::int32_t(links[row][1])};
        link.light_time = links[row][2];
        engine.links.push_back(std::move(link));
    }
    for (std::size_t row = 0; row < points.rows; ++row) engine.first_keys.push_back(add_point(engine, points[row], labels, outcomes));
    engine.keys = engine.first_keys;
}

inline Decay decay_from(const double* row) { return {{row[0], row[1], row[2]}, row[3], row[4]}; }

// Its index. Most are like one of the last few: so few of them stay near the processor.
inline std::int32_t decay_among(std::vector<Decay>& known, const Decay& decay) {
    const auto same = [&](const Decay& other) {
        return other.rates == decay.rates && other.stretched == decay.stretched && other.exponent == decay.exponent;
    };
    const std::size_t last = known.size() < 16 ? 0 : known.size() - 16;
    const auto found = std::find_if(known.begin() + std::ptrdiff_t(last), known.end(), same);
    if (found != known.end()) return std::int32_t(found - known.begin());
    known.push_back(decay);
    return std::int32_t(known.size() - 1);
}

// Returns the number of the installation. Its keys count from `first_key`.
template <class State>
std::int32_t add_installation(Engine<State>& engine, const Tables& tables) {
    const RuleTables t(tables, OPERATION_COLUMNS);
    check_installation(engine, t);
    const auto& [circuits, qubits, purify, rotations, delays, home, along, beliefs, decay, partners] = t;
    const auto number = std::int32_t(engine.installations.size());
    Installation installation;
    installation.first = std::int32_t(engine.circuits.size());
    installation.nodes = std::int32_t(circuits.rows);
    for (std::size_t row = 0; row < delays.rows; ++row) installation.delays.insert(installation.delays.end(), delays[row], delays[row] + delays.columns);
    for (std::size_t row = 0; row < along.rows; ++row) installation.along.push_back(along[row][0]);
    for (std::size_t row = 0; row < home.rows; ++row) {
        installation.out.push_back(home[row][0]);
        installation.home.push_back(home[row][1]);
    }
    std::size_t qubit = 0, rule = 0;
    for (std::size_t row = 0; row < circuits.rows; ++row) {
        const std::int64_t* c = circuits[row];
        Circuit circuit;
        circuit.installation = number;
        circuit.position = std::int32_t(row);
        circuit.node = std::int32_t(c[0]);
        circuit.swaps = c[1] != 0;
        circuit.lefts = {std::int32_t(c[2]), std::int32_t(c[3])};
        circuit.rights = {std::int32_t(c[4]), std::int32_t(c[5])};
        circuit.partner = std::int32_t(c[6]);
        circuit.delivers = c[6] >= 0;
        circuit.holds = c[7] != 0;
        circuit.cutoff = c[8];
        circuit.retention = c[9];
        circuit.choice = Choice(c[12]);
        circuit.noise = operations_from(beliefs[row]);
        circuit.first = std::int32_t(engine.qubits.size());
        for (std::int64_t each = 0; each < c[10]; ++each, ++qubit) {
            const std::int64_t* q = qubits[qubit];
            const double* b = decay[qubit];
            Qubit record;
            record.circuit = std::int32_t(engine.circuits.size());
            const Node& node = engine.nodes[std::size_t(circuit.node)];
            record.slot = node.first_slot + std::int32_t(q[0]);
            record.lane = engine.lane_at(std::int32_t(q[1]), std::int32_t(q[2]));
            record.point = std::int32_t(q[3]);
            record.side = q[4] ? RIGHT : LEFT;
            record.neighbour = std::int32_t(q[5]);
            record.fresh = {b[0], b[1], b[2]};
            record.own_decay = decay_among(engine.decays, decay_from(b + 3));
            record.neighbour_decay = decay_among(engine.decays, decay_from(b + 8));
            engine.qubits.push_back(std::move(record));
        }
        circuit.last = std::int32_t(engine.qubits.size());
        circuit.narrow = true;
        for (std::int32_t each = circuit.first; each < circuit.last; ++each) {
            std::int32_t& only = circuit.only[engine.qubits[std::size_t(each)].side];
            circuit.narrow = circuit.narrow && only == NONE;
            only = each;
        }
        for (std::int64_t each = 0; each < c[11]; ++each, ++rule) {
            const std::int64_t* p = purify[rule];
            PurifyRule record;
            record.partner = std::int32_t(p[1]);
            record.rounds = std::int32_t(p[2]);
            record.kind = p[3] ? BBPSSW : DEJMPS;
            record.initiator = p[4] != 0;
            record.pumped = p[5] != 0;
            for (std::int64_t turn = p[7]; turn < p[7] + p[6]; ++turn)
                record.rotations.push_back(Rotation(rotations[std::size_t(turn)][0]));
            record.noise = operations_from(partners[rule]);
            circuit.purify.push_back(std::move(record));
        }
        engine.circuits.push_back(std::move(circuit));
    }
    engine.installations.push_back(std::move(installation));
    return number;
}

template <class State>
void add_session(Engine<State>& engine, std::int32_t installation, Time at, std::int64_t pairs, double floor, Time deadline) {
    check_session(engine, installation, at, pairs, floor, deadline);
    Session session;
    session.at = at;
    session.pairs = pairs;
    session.floor = floor;
    session.deadline = deadline;
    session.installation = installation;
    engine.sessions.push_back(std::move(session));
}

}  // namespace quantum_fabric::engine
