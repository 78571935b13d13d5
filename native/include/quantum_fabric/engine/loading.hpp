// A scenario's tables, made into an engine. The columns are those of quantum_fabric.montecarlo.scenario.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine.hpp"

namespace quantum_fabric::engine {

struct Integers {
    const std::int64_t* data = nullptr;
    std::size_t rows = 0, columns = 0;
    const std::int64_t* operator[](std::size_t row) const { return data + row * columns; }
};

struct Reals {
    const double* data = nullptr;
    std::size_t rows = 0, columns = 0;
    const double* operator[](std::size_t row) const { return data + row * columns; }
};

// The tables of a plant, or of an installation, by name.
struct Tables {
    std::map<std::string, Integers> integers;
    std::map<std::string, Reals> reals;
    std::map<std::string, std::vector<std::string>> names;

    const Integers& whole(const std::string& name, std::size_t columns) const {
        return checked(integers, name, columns);
    }
    const Reals& real(const std::string& name, std::size_t columns) const { return checked(reals, name, columns); }

  private:
    template <class Table>
    static const Table& checked(const std::map<std::string, Table>& from, const std::string& name, std::size_t columns) {
        const auto found = from.find(name);
        if (found == from.end()) throw std::invalid_argument("the scenario has no table " + name);
        if (found->second.rows && found->second.columns != columns)
            throw std::invalid_argument("table " + name + " has " + std::to_string(found->second.columns) + " columns, expected " +
                                        std::to_string(columns));
        return found->second;
    }
};

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

inline std::size_t place(std::int64_t index, std::size_t size, const char* what) {
    if (index < 0 || std::size_t(index) >= size) throw std::invalid_argument(std::string("the scenario names a ") + what + " that it has not");
    return std::size_t(index);
}

template <class State>
std::int32_t add_point(Engine<State>& engine, const std::int64_t* numbers, const Integers& labels, const Reals& outcomes) {
    Point point;
    point.link = std::int32_t(place(numbers[0], engine.links.size(), "link"));
    point.period = numbers[1];
    point.cycle = numbers[2];
    point.born = {numbers[3], numbers[4]};
    point.heard = {numbers[5], numbers[6]};
    point.outcomes = std::int32_t(numbers[7]);
    if (point.period <= 0) throw std::invalid_argument("an attempt of a link takes no time");
    const auto first = std::size_t(numbers[8]);
    point.first_outcome = std::int32_t(engine.labels.size());
    for (std::size_t each = first; each < first + std::size_t(point.outcomes); ++each) {
        place(std::int64_t(each), labels.rows, "herald");
        engine.labels.push_back(std::uint8_t(labels[each][0] & 3));
        engine.cumulative.push_back(outcomes[each][0]);
        for (int entry = 0; entry < State::SIZE; ++entry) engine.fresh.push_back(outcomes[each][1 + entry]);
    }
    point.success = point.outcomes ? engine.cumulative.back() : 0.0;
    point.log_failure = point.success > 0.0 && point.success < 1.0 ? log_of_failure(point.success) : 0.0;
    engine.points.push_back(point);
    return std::int32_t(engine.points.size() - 1);
}

// The link is like this from now on, wherever somebody asked for this operating point. Its numbers take the place of old ones that
// no attempt on its way refers to.
template <class State>
void change_point(Engine<State>& engine, std::int32_t key, const std::int64_t* numbers, const Integers& labels, const Reals& outcomes,
                  std::vector<std::int32_t>& retired) {
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
    for (std::size_t row = 0; row < nodes.rows; ++row) {
        Node node;
        node.name = tables.names.at("node_names")[row];
        node.first_slot = std::int32_t(engine.slots.size());
        node.slots = std::int32_t(nodes[row][0]);
        node.swap_time = nodes[row][1];
        const double* n = noise[row];
        node.memory = {n[0], n[1], n[2], n[3], n[4], n[5], n[6], nodes[row][3] != 0, nodes[row][4] != 0, nodes[row][5] != 0};
        node.operations = operations_from(n + 7);
        for (std::int32_t slot = 0; slot < node.slots; ++slot) {
            engine.slots.emplace_back();
            engine.slots.back().node = std::int32_t(row);
        }
        engine.nodes.push_back(std::move(node));
    }
    if (links.rows >= (std::size_t(1) << (RANK_BITS - 12))) throw std::invalid_argument("more links than events can be ranked by");
    for (std::size_t row = 0; row < links.rows; ++row) {
        Link link;
        link.name = tables.names.at("link_names")[row];
        link.ends = {std::int32_t(place(links[row][0], nodes.rows, "node")), std::int32_t(place(links[row][1], nodes.rows, "node"))};
        link.light_time = links[row][2];
        engine.links.push_back(std::move(link));
    }
    for (std::size_t row = 0; row < points.rows; ++row) engine.first_keys.push_back(add_point(engine, points[row], labels, outcomes));
    engine.keys = engine.first_keys;
}

inline Decay decay_from(const double* row) { return {{row[0], row[1], row[2]}, row[3], row[4]}; }

// Returns the number of the installation. Its keys count from `first_key`.
template <class State>
std::int32_t add_installation(Engine<State>& engine, const Tables& tables) {
    const auto& circuits = tables.whole("circuits", 13);
    const auto& beliefs = tables.real("circuit_noise", OPERATION_COLUMNS);
    const auto& qubits = tables.whole("qubits", 7);
    const auto& decay = tables.real("qubit_beliefs", 13);
    const auto& purify = tables.whole("purify", 8);
    const auto& partners = tables.real("purify_noise", OPERATION_COLUMNS);
    const auto& rotations = tables.whole("rotations", 1);
    const auto& delays = tables.whole("delays", circuits.rows);
    const auto& home = tables.whole("home", 2);
    const auto& along = tables.whole("along", 1);
    const auto number = std::int32_t(engine.installations.size());
    Installation installation;
    installation.first = std::int32_t(engine.circuits.size());
    installation.nodes = std::int32_t(circuits.rows);
    for (std::size_t row = 0; row < delays.rows; ++row) installation.delays.insert(installation.delays.end(), delays[row], delays[row] + delays.columns);
    for (std::size_t row = 0; row < along.rows; ++row) installation.along.push_back(along[row][0]);
    if (installation.along.size() != circuits.rows && delays.rows != circuits.rows) throw std::invalid_argument("an installation without its delays");
    for (std::size_t row = 0; row < home.rows; ++row) {
        installation.out.push_back(home[row][0]);
        installation.home.push_back(home[row][1]);
    }
    if (home.rows != circuits.rows) throw std::invalid_argument("an installation without its delays to the controller");
    std::size_t qubit = 0, rule = 0;
    for (std::size_t row = 0; row < circuits.rows; ++row) {
        const std::int64_t* c = circuits[row];
        Circuit circuit;
        circuit.installation = number;
        circuit.position = std::int32_t(row);
        circuit.node = std::int32_t(place(c[0], engine.nodes.size(), "node"));
        circuit.swaps = c[1] != 0;
        circuit.lefts = {std::int32_t(c[2]), std::int32_t(c[3])};
        circuit.rights = {std::int32_t(c[4]), std::int32_t(c[5])};
        circuit.partner = std::int32_t(c[6]);
        circuit.delivers = c[6] >= 0;
        circuit.holds = c[7] != 0;
        circuit.cutoff = c[8];
        circuit.retention = c[9];
        circuit.choice = Choice(c[12] >= 0 && c[12] <= 2 ? c[12] : 0);
        circuit.noise = operations_from(beliefs[row]);
        circuit.first = std::int32_t(engine.qubits.size());
        for (std::int64_t each = 0; each < c[10]; ++each, ++qubit) {
            place(std::int64_t(qubit), qubits.rows, "qubit");
            const std::int64_t* q = qubits[qubit];
            const double* b = decay[qubit];
            Qubit record;
            record.circuit = std::int32_t(engine.circuits.size());
            const Node& node = engine.nodes[std::size_t(circuit.node)];
            record.slot = node.first_slot + std::int32_t(place(q[0], std::size_t(node.slots), "slot"));
            record.lane = engine.lane_at(std::int32_t(place(q[1], engine.links.size(), "link")), std::int32_t(q[2]));
            record.point = std::int32_t(place(q[3], engine.keys.size(), "operating point"));
            record.side = q[4] ? RIGHT : LEFT;
            record.neighbour = std::int32_t(place(q[5], circuits.rows, "neighbour"));
            record.fresh = {b[0], b[1], b[2]};
            record.own_decay = std::int32_t(engine.decays.size());
            engine.decays.push_back(decay_from(b + 3));
            record.neighbour_decay = std::int32_t(engine.decays.size());
            engine.decays.push_back(decay_from(b + 8));
            engine.qubits.push_back(std::move(record));
        }
        circuit.last = std::int32_t(engine.qubits.size());
        for (std::int64_t each = 0; each < c[11]; ++each, ++rule) {
            place(std::int64_t(rule), purify.rows, "rule");
            const std::int64_t* p = purify[rule];
            PurifyRule record;
            record.partner = std::int32_t(p[1]);
            record.rounds = std::int32_t(p[2]);
            record.kind = p[3] ? BBPSSW : DEJMPS;
            record.initiator = p[4] != 0;
            record.pumped = p[5] != 0;
            for (std::int64_t turn = p[7]; turn < p[7] + p[6]; ++turn)
                record.rotations.push_back(Rotation(rotations[place(turn, rotations.rows, "rotation")][0]));
            for (std::int32_t round = 0; round < record.rounds; ++round)
                if (!State::closed(record.before(round))) throw std::invalid_argument("a purification turns pairs into states that this representation cannot hold");
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
    Session session;
    session.at = at;
    session.pairs = pairs;
    session.floor = floor;
    session.deadline = deadline;
    session.installation = installation;
    engine.sessions.push_back(std::move(session));
}

}  // namespace quantum_fabric::engine
