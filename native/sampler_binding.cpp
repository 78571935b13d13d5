// Structured samplers.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.hpp"
#include "quantum_fabric/sampler_asap.hpp"
#include "quantum_fabric/sampler_max_plus.hpp"
#include "quantum_fabric/sampler_nested.hpp"
#include "split_result.hpp"
#include "tables_argument.hpp"

namespace nb = nanobind;
using namespace nb::literals;
namespace as = quantum_fabric::asap;
namespace ch = quantum_fabric::chain;
namespace mp = quantum_fabric::max_plus;
namespace ne = quantum_fabric::nested;

namespace {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

void expect(bool fits, const char* what) {
    if (!fits) throw std::invalid_argument(what);
}

double number(const nb::dict& dict, const char* name) { return nb::cast<double>(dict[name]); }
Rows rows(const nb::dict& dict, const char* name) { return nb::cast<Rows>(dict[name]); }

// Rows of links: success, period, phase, born and heard at both ends.
std::vector<ch::Link> links_of(const Rows& table) {
    std::vector<ch::Link> links;
    expect(!table.empty(), "a chain has links");
    for (const Row& row : table) {
        expect(row.size() == 7 && row[0] > 0.0 && row[0] <= 1.0 && row[1] >= 1.0, "not a link");
        const double per_log = row[0] < 1.0 ? 1.0 / quantum_fabric::engine::log_of_failure(row[0]) : 0.0;
        links.push_back({row[1], row[2], {row[3], row[4]}, {row[5], row[6]}, per_log});
    }
    return links;
}

ch::Asked asked_of(const nb::dict& dict) {
    ch::Asked asked;
    asked.at = number(dict, "at"), asked.until = number(dict, "until"), asked.floor = number(dict, "floor");
    asked.pairs = nb::cast<std::int64_t>(dict["pairs"]);
    asked.beliefs = nb::cast<bool>(dict["beliefs"]), asked.keep = nb::cast<bool>(dict["keep"]);
    const Row labels = nb::cast<Row>(dict["labels"]);
    expect(asked.pairs >= 1 && labels.size() == 4, "not a session");
    for (std::size_t each = 0; each < 4; ++each) asked.labels[each] = labels[each];
    return asked;
}

void three(const Row& from, double* to) {
    expect(from.size() == 3, "three correlators");
    for (std::size_t axis = 0; axis < 3; ++axis) to[axis] = from[axis];
}

std::int32_t inner(std::int32_t station, std::size_t count) {
    expect(station > 0 && std::size_t(station) + 1 < count, "an end does not swap");
    return station;
}

// Rows of stations: true rates, believed rates, first armed, duration of a swap.
mp::Recurrence recurrence(const nb::dict& dict) {
    mp::Recurrence r;
    r.links = links_of(rows(dict, "links"));
    const Rows stations = rows(dict, "stations");
    const auto news = nb::cast<std::vector<std::vector<std::pair<std::int32_t, double>>>>(dict["news"]);
    const std::size_t count = stations.size();
    expect(count == r.links.size() + 1 && news.size() == count, "a chain has one station more than links");
    for (std::size_t k = 0; k < count; ++k) {
        const Row& row = stations[k];
        expect(row.size() == 6, "not a station");
        mp::Station station{row[0], row[1], row[2], row[3], row[4], row[5], {}};
        for (const auto& [from, delay] : news[k]) station.news.push_back({inner(from, count), delay});
        r.stations.push_back(station);
    }
    r.order = nb::cast<std::vector<std::int32_t>>(dict["order"]);
    expect(r.order.size() + 2 == count, "every repeater swaps");
    for (const std::int32_t each : r.order) inner(each, count);
    const Row home = nb::cast<Row>(dict["home"]);
    expect(home.size() == 2, "two ends");
    r.home[0] = home[0], r.home[1] = home[1];
    three(nb::cast<Row>(dict["factors"]), r.factors);
    three(nb::cast<Row>(dict["believed"]), r.believed);
    r.asked = asked_of(dict);
    return r;
}

// Rows of outcomes: cumulative chance, factors, believed factors, what is announced.
ne::Outcomes outcomes_of(const Rows& table) {
    ne::Outcomes outcomes;
    expect(!table.empty(), "something comes of it");
    for (const Row& row : table) {
        expect(row.size() == 8 && row[7] >= 0.0 && row[7] <= 3.0, "not an outcome");
        outcomes.each.push_back({row[0], {row[1], row[2], row[3]}, {row[4], row[5], row[6]}, std::int64_t(row[7])});
    }
    return outcomes;
}

// Rows of stations as above, then success of a swap, and time of light from the first; rows of parts: low, high, joint, left, right.
ne::Tree tree_of(const nb::dict& dict) {
    ne::Tree t;
    t.links = links_of(rows(dict, "links"));
    const Rows stations = rows(dict, "stations");
    const auto heralds = nb::cast<std::vector<Rows>>(dict["heralds"]), swaps = nb::cast<std::vector<Rows>>(dict["swaps"]);
    const std::size_t count = stations.size();
    expect(count == t.links.size() + 1 && heralds.size() == t.links.size() && swaps.size() == count, "a chain has one station more than links");
    for (const Rows& each : heralds) t.heralds.push_back(outcomes_of(each));
    for (std::size_t k = 0; k < count; ++k) {
        const Row& row = stations[k];
        expect(row.size() == 8 && row[6] > 0.0, "not a station");
        t.stations.push_back({row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], outcomes_of(swaps[k])});
    }
    const auto parts = nb::cast<std::vector<std::vector<std::int32_t>>>(dict["parts"]);
    for (const auto& row : parts) {
        expect(row.size() == 5, "not a part");
        const ne::Part part{row[0], row[1], row[2], row[3], row[4]};
        expect(part.low >= 0 && part.low < part.high && std::size_t(part.high) < count, "a part of the chain");
        if (part.joint < 0) {
            expect(part.high == part.low + 1, "a link");
        } else {
            const auto made = std::int32_t(t.parts.size());
            expect(part.left >= 0 && part.left < made && part.right >= 0 && part.right < made, "parts before those made of them");
            const ne::Part &left = t.parts[std::size_t(part.left)], &right = t.parts[std::size_t(part.right)];
            expect(left.low == part.low && left.high == part.joint && right.low == part.joint && right.high == part.high, "two parts joined");
        }
        t.parts.push_back(part);
    }
    expect(!t.parts.empty() && t.parts.back().low == 0 && std::size_t(t.parts.back().high) + 1 == count, "the last part is the chain");
    const Row home = nb::cast<Row>(dict["home"]);
    expect(home.size() == 2, "two ends");
    t.home[0] = home[0], t.home[1] = home[1];
    t.asked = asked_of(dict);
    return t;
}

as::Time picoseconds(double value) {
    expect(value > -4e18 && value < 4e18, "not a time");
    return as::Time(value);
}

std::vector<as::Outcome> announced(const Rows& table) {
    std::vector<as::Outcome> found;
    for (const auto& each : outcomes_of(table).each)
        found.push_back({each.cumulative, {each.factors[0], each.factors[1], each.factors[2]},
                         {each.believed[0], each.believed[1], each.believed[2]}, each.label});
    return found;
}

// Rows of stations as for a tree, then how long a half may wait; `alike` where all outcomes leave the state of `factors` and `believed`.
as::Tables chain_of(const nb::dict& dict) {
    as::Tables t;
    t.links = links_of(rows(dict, "links"));
    const Rows stations = rows(dict, "stations");
    const auto heralds = nb::cast<std::vector<Rows>>(dict["heralds"]), swaps = nb::cast<std::vector<Rows>>(dict["swaps"]);
    const std::size_t count = stations.size();
    expect(t.links.size() >= 2 && t.links.size() <= as::MOST_LINKS, "a chain of 2 to 128 links");
    expect(count == t.links.size() + 1 && heralds.size() == t.links.size() && swaps.size() == count, "a chain has one station more than links");
    for (const Rows& each : heralds) t.heralds.push_back(announced(each));
    for (std::size_t k = 0; k < count; ++k) {
        const Row& row = stations[k];
        expect(row.size() == 9 && row[6] > 0.0, "not a station");
        t.stations.push_back({row[0], row[1], row[2], row[3], picoseconds(row[4]), picoseconds(row[5]), row[6], picoseconds(row[7]),
                              picoseconds(row[8]), announced(swaps[k])});
    }
    const Row home = nb::cast<Row>(dict["home"]);
    expect(home.size() == 2, "two ends");
    t.home[0] = picoseconds(home[0]), t.home[1] = picoseconds(home[1]);
    t.alike = nb::cast<bool>(dict["alike"]);
    three(nb::cast<Row>(dict["factors"]), t.factors);
    three(nb::cast<Row>(dict["believed"]), t.believed);
    t.asked = asked_of(dict);
    return t;
}

nb::dict told(ch::Found&& found, std::int64_t first) {
    std::vector<std::int64_t> sessions, whole;
    std::vector<double> sums, real;
    for (std::size_t each = 0; each < found.rows.size(); ++each) {
        const ch::Row& row = found.rows[each];
        const std::int64_t replica = first + std::int64_t(each);
        if (row.status == ch::ENDLESS) throw std::invalid_argument("a run takes longer than its sampler counts");
        sessions.insert(sessions.end(), {replica, 0, row.status, row.delivered, row.withheld, row.ended, row.first});
        sums.insert(sums.end(), {row.fidelity, row.fidelity_squared, row.believed, row.interval, row.interval_squared, row.twirl_error});
        if (found.pairs.empty()) continue;
        for (const ch::Pair& pair : found.pairs[each]) {
            whole.insert(whole.end(), {replica, 0, pair.number, pair.label, 1, pair.created, pair.delivered, pair.told});
            real.insert(real.end(), {pair.believed, pair.weights[0], pair.weights[1], pair.weights[2], pair.weights[3]});
        }
    }
    nb::dict all;
    all["sessions"] = quantum_fabric::column(std::move(sessions));
    all["sums"] = quantum_fabric::column(std::move(sums));
    all["deliveries"] = quantum_fabric::column(std::move(whole));
    all["states"] = quantum_fabric::column(std::move(real));
    all["latencies"] = quantum_fabric::column(std::move(found.latencies));
    all["intervals"] = quantum_fabric::column(std::move(found.intervals));
    return all;
}

template <class Made, class Sample>
nb::dict sampled(const Made& made, const Sample& sample, const ch::Names& names, std::int64_t count, int threads) {
    if (count < 1 || threads < 1) throw nb::value_error("no replicas");
    if (!names.seeds.empty() && names.seeds.size() != std::size_t(count)) throw nb::value_error("a seed for each replica, or one");
    ch::Found found;
    {
        nb::gil_scoped_release free;
        found = sample(made, names, count, threads);
    }
    return told(std::move(found), names.first);
}

}  // namespace

void bind_samplers(nb::module_& m) {
    m.def("max_plus", [](const nb::dict& chain, const std::string& seed, const std::vector<std::string>& seeds, std::int64_t first, std::int64_t count,
                         int threads) {
        return sampled(recurrence(chain), mp::sample, {seed, seeds, first}, count, threads);
    }, "chain"_a, "seed"_a, "seeds"_a, "first"_a, "count"_a, "threads"_a);
    m.def("asap", [](const nb::dict& chain, const std::string& seed, const std::vector<std::string>& seeds, std::int64_t first, std::int64_t count,
                         int threads) {
        return sampled(chain_of(chain), as::sample, {seed, seeds, first}, count, threads);
    }, "chain"_a, "seed"_a, "seeds"_a, "first"_a, "count"_a, "threads"_a);
    m.def("asap_tail", [](const nb::dict& chain, const std::string& seed, std::int64_t pair, bool since_previous, double share, std::int64_t copies,
                          std::int64_t repetitions, int threads, std::int64_t until) {
        if (copies < 2 || repetitions < 1 || threads < 1 || pair < 0) throw nb::value_error("a splitting without copies");
        const as::Tables tables = chain_of(chain);
        quantum_fabric::engine::Split found;
        {
            nb::gil_scoped_release free;
            found = as::split(tables, {seed, 0, pair, since_previous, share, copies, repetitions, threads, until});
        }
        return quantum_fabric::dict_of(std::move(found));
    }, "chain"_a, "seed"_a, "pair"_a, "since_previous"_a, "share"_a, "copies"_a, "repetitions"_a, "threads"_a, "until"_a);
    m.def("nested", [](const nb::dict& chain, const std::string& seed, const std::vector<std::string>& seeds, std::int64_t first, std::int64_t count,
                         int threads) {
        return sampled(tree_of(chain), ne::sample, {seed, seeds, first}, count, threads);
    }, "chain"_a, "seed"_a, "seeds"_a, "first"_a, "count"_a, "threads"_a);
}
