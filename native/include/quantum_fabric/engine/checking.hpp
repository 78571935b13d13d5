// What a scenario's tables must hold before an engine reads them: every index, count and time that a run relies on.
//
// All is looked at before anything is changed, so a table that is refused leaves no half result.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine.hpp"
#include "tables.hpp"

namespace quantum_fabric::engine {

inline constexpr std::int64_t LONGEST = 2'000'000'000'000'000'000;  // ps, some weeks: sums of a few such times stay within 64 bits
inline constexpr std::int64_t MOST_SLOTS = 1 << 24, MOST_LANES = 1 << 12, MOST_ROUNDS = 1 << 16;

inline std::size_t place(std::int64_t index, std::size_t size, const char* what) {
    if (index < 0 || std::size_t(index) >= size) throw std::invalid_argument(std::string("the scenario names a ") + what + " that it has not");
    return std::size_t(index);
}

inline void require(bool holds, const char* otherwise) {
    if (!holds) throw std::invalid_argument(otherwise);
}

template <class Number, class = std::enable_if_t<std::is_integral_v<Number>>>
void between(Number number, std::int64_t low, std::int64_t high, const char* what) {
    const auto whole = std::int64_t(number);
    if (whole < low || whole > high)
        throw std::invalid_argument(std::string(what) + " is " + std::to_string(whole) + ", expected " + std::to_string(low) + " to " + std::to_string(high));
}

inline void between(double number, double low, double high, const char* what) {  // a NaN is between nothing
    if (!(number >= low && number <= high))
        throw std::invalid_argument(std::string(what) + " is " + std::to_string(number) + ", expected " + std::to_string(low) + " to " + std::to_string(high));
}

inline constexpr double ROUNDING = 1e-6, FASTEST = 1e30;

inline void check_operations(const double* row, std::size_t columns) {
    for (std::size_t each = 0; each < 9; ++each) between(row[each], -ROUNDING, 1.0 + ROUNDING, "a probability of a node's operations");
    for (std::size_t each = 9; each < columns; ++each) between(row[each], -1.0 - ROUNDING, 1.0 + ROUNDING, "a factor of a node's swaps");
}

inline void check_time(std::int64_t time, const char* what) { between(time, 0, LONGEST, what); }

// A row of points with its heralds.
inline void check_point(const std::int64_t* numbers, std::size_t links, const Integers& labels, const Reals& outcomes) {
    place(numbers[0], links, "link");
    require(numbers[1] > 0, "an attempt of a link takes no time");
    check_time(numbers[1], "the period of a link");
    between(numbers[2], 0, LONGEST / MOST_LANES, "the cycle of a link");
    for (std::size_t each = 3; each < 7; ++each) check_time(numbers[each], "the time of a herald");
    require(std::min(numbers[5], numbers[6]) >= std::max(numbers[3], numbers[4]), "a herald is heard before both halves are born");
    require(labels.rows == outcomes.rows, "heralds and their states differ in number");
    between(numbers[7], 0, std::int64_t(labels.rows), "the number of a link's heralds");
    between(numbers[8], 0, std::int64_t(labels.rows) - numbers[7], "the first herald of a link");
    double before = 0.0;
    for (std::int64_t each = numbers[8]; each < numbers[8] + numbers[7]; ++each) {
        const double* row = outcomes[std::size_t(each)];
        between(labels[std::size_t(each)][0], 0, 3, "a herald's label");
        between(row[0], before, 1.0 + ROUNDING, "the chance of a herald");
        before = row[0];
        for (std::size_t entry = 1; entry < outcomes.columns; ++entry) between(row[entry], -1.0 - ROUNDING, 1.0 + ROUNDING, "a herald's state");
    }
}

inline const std::vector<std::string>& names_of(const Tables& tables, const std::string& name, std::size_t rows) {
    const auto found = tables.names.find(name);
    if (found == tables.names.end() || found->second.size() != rows) throw std::invalid_argument("the scenario needs a name in " + name + " for each row");
    return found->second;
}

inline void check_plant(const Integers& nodes, const Reals& noise, const Integers& links, const Integers& points, const Integers& labels,
                        const Reals& outcomes) {
    std::int64_t slots = 0;
    require(noise.rows == nodes.rows, "nodes and their noise differ in number");
    for (std::size_t row = 0; row < nodes.rows; ++row) {
        between(nodes[row][0], 0, MOST_SLOTS, "the number of a node's slots");
        between(slots += nodes[row][0], 0, MOST_SLOTS, "the number of all slots");
        check_time(nodes[row][1], "the time of a swap");
        check_time(nodes[row][2], "the time of a readout");
        const double* n = noise[row];
        for (std::size_t each : {0, 1, 2, 4}) between(n[each], 0.0, FASTEST, "a rate of a memory's noise");
        between(n[3], 1e-3, 1e3, "the exponent of a memory's decay");
        between(n[5], 0.0, 1.0, "the retrieval of a memory");
        require(n[6] > 0.0, "the lifetime of a memory's retrieval is not above 0");
        check_operations(n + 7, noise.columns - 7);
    }
    require(links.rows < (std::size_t(1) << (RANK_BITS - 12)), "more links than events can be ranked by");
    for (std::size_t row = 0; row < links.rows; ++row) {
        const auto one = place(links[row][0], nodes.rows, "node"), two = place(links[row][1], nodes.rows, "node");
        require(one != two, "a link from a node to itself");
        check_time(links[row][2], "the light time of a link");
    }
    for (std::size_t row = 0; row < points.rows; ++row) check_point(points[row], links.rows, labels, outcomes);
}

// The tables of an installation: what add_installation reads.
struct RuleTables {
    const Integers &circuits, &qubits, &purify, &rotations, &delays, &home, &along;
    const Reals &beliefs, &decay, &partners;

    explicit RuleTables(const Tables& tables, std::size_t operations)
        : circuits(tables.whole("circuits", 13)), qubits(tables.whole("qubits", 7)), purify(tables.whole("purify", 8)),
          rotations(tables.whole("rotations", 1)), delays(tables.whole("delays", circuits.rows)), home(tables.whole("home", 2)),
          along(tables.whole("along", 1)), beliefs(tables.real("circuit_noise", operations)), decay(tables.real("qubit_beliefs", 13)),
          partners(tables.real("purify_noise", operations)) {}
};

inline void check_delays(const RuleTables& t) {
    const std::size_t nodes = t.circuits.rows;
    require((t.delays.rows == nodes && t.along.rows == 0) || (t.delays.rows == 0 && t.along.rows == nodes), "an installation without its delays");
    require(t.home.rows == nodes, "an installation without its delays to the controller");
    for (std::size_t row = 0; row < t.delays.rows; ++row)
        for (std::size_t each = 0; each < nodes; ++each) check_time(t.delays[row][each], "a delay");
    for (std::size_t row = 0; row < t.along.rows; ++row) check_time(t.along[row][0], "a time of light");
    for (std::size_t row = 0; row < t.home.rows; ++row) check_time(t.home[row][0], "a delay"), check_time(t.home[row][1], "a delay");
}

template <class State>
void check_qubits(const Engine<State>& engine, const RuleTables& t) {
    std::set<std::pair<std::int64_t, std::int64_t>> slots;
    std::set<std::array<std::int64_t, 3>> ends;
    for (std::size_t row = 0; row < t.qubits.rows; ++row) {
        const std::int64_t* q = t.qubits[row];
        const auto circuit = place(q[6], t.circuits.rows, "circuit");
        const auto node = place(t.circuits[circuit][0], engine.nodes.size(), "node");
        const auto neighbour = place(t.circuits[place(q[5], t.circuits.rows, "neighbour")][0], engine.nodes.size(), "node");
        place(q[0], std::size_t(engine.nodes[node].slots), "slot");
        const auto link = place(q[1], engine.links.size(), "link");
        between(q[2], 0, MOST_LANES - 1, "the number of a lane");
        const auto point = engine.keys[place(q[3], engine.keys.size(), "operating point")];
        require(engine.points[std::size_t(point)].link == std::int32_t(link), "a lane at an operating point of another link");
        between(q[4], 0, 1, "the side of a lane");
        const auto& both = engine.links[link].ends;
        require((both[0] == std::int32_t(node) && both[1] == std::int32_t(neighbour)) ||
                    (both[1] == std::int32_t(node) && both[0] == std::int32_t(neighbour)),
                "a lane of a link between other nodes");
        require(slots.insert({std::int64_t(node), q[0]}).second, "a slot that is used twice");
        require(ends.insert({q[1], q[2], std::int64_t(node)}).second, "an end of a lane that is used twice");
        const double* b = t.decay[row];
        for (std::size_t each = 0; each < 3; ++each) between(b[each], -1.0 - ROUNDING, 1.0 + ROUNDING, "a believed state");
        for (std::size_t each = 3; each < 13; ++each) between(b[each], 0.0, FASTEST, "a believed decay");
    }
}

inline void check_purify(const RuleTables& t) {
    std::set<std::pair<std::int64_t, std::int64_t>> known;
    for (std::size_t row = 0; row < t.purify.rows; ++row) {
        const std::int64_t* p = t.purify[row];
        known.insert({std::int64_t(place(p[0], t.circuits.rows, "circuit")), std::int64_t(place(p[1], t.circuits.rows, "partner"))});
        require(p[0] != p[1], "a purification of a node with itself");
        between(p[2], 0, MOST_ROUNDS, "the number of rounds");
        between(p[6], 0, std::int64_t(t.rotations.rows), "the number of rotations");
        between(p[7], 0, std::int64_t(t.rotations.rows) - p[6], "the first rotation");
        check_operations(t.partners[row], t.partners.columns);
    }
    for (const auto& [one, two] : known) require(known.count({two, one}), "a purification that the other end has no rule for");
    for (std::size_t row = 0; row < t.rotations.rows; ++row) between(t.rotations[row][0], 0, 35, "a rotation");
}

template <class State>
void check_installation(const Engine<State>& engine, const RuleTables& t) {
    require(t.circuits.rows > 0, "an installation without nodes");
    require(t.beliefs.rows == t.circuits.rows, "circuits and what they believe differ in number");
    require(t.decay.rows == t.qubits.rows, "lanes and what is believed of them differ in number");
    require(t.partners.rows == t.purify.rows, "purifications and what is believed of the partners differ in number");
    check_delays(t);
    const auto nodes = std::int64_t(t.circuits.rows);
    std::size_t qubit = 0, rule = 0;
    for (std::size_t row = 0; row < t.circuits.rows; ++row) {
        const std::int64_t* c = t.circuits[row];
        place(c[0], engine.nodes.size(), "node");
        for (std::size_t side : {2, 4}) {
            between(c[side], 0, nodes, "the first partner of a swap");
            between(c[side + 1], c[side], nodes, "the last partner of a swap");
        }
        between(c[6], -1, nodes - 1, "the partner of a delivery");
        between(c[8], -1, LONGEST, "a cutoff");
        check_time(c[9], "a retention");
        between(c[10], 0, std::int64_t(t.qubits.rows - qubit), "the number of a circuit's lanes");
        between(c[11], 0, std::int64_t(t.purify.rows - rule), "the number of a circuit's purifications");
        between(c[12], 0, 2, "a choice");
        check_operations(t.beliefs[row], t.beliefs.columns);
        for (const std::size_t end = qubit + std::size_t(c[10]); qubit < end; ++qubit)
            require(t.qubits[qubit][6] == std::int64_t(row), "a lane of another circuit");
        for (const std::size_t end = rule + std::size_t(c[11]); rule < end; ++rule)
            require(t.purify[rule][0] == std::int64_t(row), "a purification of another circuit");
    }
    require(qubit == t.qubits.rows && rule == t.purify.rows, "lanes or purifications of no circuit");
    check_qubits(engine, t);
    check_purify(t);
    for (std::size_t row = 0; row < t.purify.rows; ++row) {
        const std::int64_t* p = t.purify[row];
        for (std::int64_t round = 0; round < p[2]; ++round) {
            const Rotation turned = round < p[6] ? Rotation(t.rotations[std::size_t(p[7] + round)][0]) : OWN[p[3] ? BBPSSW : DEJMPS];
            require(State::closed(turned), "a purification turns pairs into states that this representation cannot hold");
        }
    }
}

template <class State>
void check_session(const Engine<State>& engine, std::int32_t installation, Time at, std::int64_t pairs, double floor, Time deadline) {
    place(installation, engine.installations.size(), "installation");
    for (const Session& other : engine.sessions) require(other.installation != installation, "an installation that serves another session");
    check_time(at, "the time of a request");
    between(pairs, 1, LONGEST, "the number of pairs");
    between(floor, 0.0, 1.0, "the least fidelity");
    between(deadline, -1, 2 * LONGEST, "a deadline");
}

}  // namespace quantum_fabric::engine
