// Structured samplers.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.hpp"
#include "quantum_fabric/sampler_max_plus.hpp"
#include "tables_argument.hpp"

namespace nb = nanobind;
using namespace nb::literals;
namespace mp = quantum_fabric::max_plus;

namespace {

using Rows = std::vector<std::vector<double>>;

void expect(bool fits, const char* what) {
    if (!fits) throw std::invalid_argument(what);
}

// Rows of links: success, period, phase, born and heard at both ends. Of stations: rates, first armed, duration of a swap.
mp::Recurrence recurrence(const Rows& links, const Rows& stations, const std::vector<std::vector<std::pair<std::int32_t, double>>>& news,
                          std::vector<std::int32_t> order, const std::vector<double>& home, const std::vector<double>& factors,
                          double at, std::int64_t pairs) {
    const std::size_t count = stations.size();
    expect(!links.empty() && count == links.size() + 1 && news.size() == count, "a chain has one station more than links");
    expect(order.size() + 2 == count && home.size() == 2 && factors.size() == 3 && pairs >= 1, "not a chain");
    mp::Recurrence r;
    for (const auto& row : links) {
        expect(row.size() == 7 && row[0] > 0.0 && row[0] <= 1.0 && row[1] >= 1.0, "not a link");
        const double per_log = row[0] < 1.0 ? 1.0 / quantum_fabric::engine::log_of_failure(row[0]) : 0.0;
        r.links.push_back({row[1], row[2], {row[3], row[4]}, {row[5], row[6]}, per_log});
    }
    for (std::size_t k = 0; k < count; ++k) {
        const auto& row = stations[k];
        expect(row.size() == 4, "not a station");
        mp::Station station{row[0], row[1], row[2], row[3], {}};
        for (const auto& [from, delay] : news[k]) {
            expect(from > 0 && std::size_t(from) + 1 < count, "news from a station that does not swap");
            station.news.push_back({from, delay});
        }
        r.stations.push_back(station);
    }
    for (const std::int32_t each : order) expect(each > 0 && std::size_t(each) + 1 < count, "an end does not swap");
    r.order = std::move(order);
    for (int end = 0; end < 2; ++end) r.home[end] = home[std::size_t(end)];
    for (int axis = 0; axis < 3; ++axis) r.factors[axis] = factors[std::size_t(axis)];
    r.at = at;
    r.pairs = pairs;
    return r;
}

}  // namespace

void bind_samplers(nb::module_& m) {
    m.def("max_plus", [](const Rows& links, const Rows& stations, const std::vector<std::vector<std::pair<std::int32_t, double>>>& news,
                         std::vector<std::int32_t> order, const std::vector<double>& home, const std::vector<double>& factors, double at,
                         std::int64_t pairs, const std::string& seed, std::int64_t first, std::int64_t count, int threads) {
        const mp::Recurrence r = recurrence(links, stations, news, std::move(order), home, factors, at, pairs);
        if (count < 1 || threads < 1) throw nb::value_error("no replicas");
        mp::Found found;
        {
            nb::gil_scoped_release free;
            found = mp::sample(r, seed, first, count, threads);
        }
        std::vector<std::int64_t> times;
        std::vector<double> sums;
        for (const mp::Row& row : found.rows) {
            times.insert(times.end(), {row.first, row.ended});
            sums.insert(sums.end(), {row.fidelity, row.fidelity_squared, row.interval, row.interval_squared, row.twirl_error});
        }
        nb::dict all;
        all["times"] = quantum_fabric::column(std::move(times));
        all["sums"] = quantum_fabric::column(std::move(sums));
        all["latencies"] = quantum_fabric::column(std::move(found.latencies));
        all["intervals"] = quantum_fabric::column(std::move(found.intervals));
        return all;
    }, "links"_a, "stations"_a, "news"_a, "order"_a, "home"_a, "factors"_a, "at"_a, "pairs"_a, "seed"_a, "first"_a, "count"_a, "threads"_a);
}
