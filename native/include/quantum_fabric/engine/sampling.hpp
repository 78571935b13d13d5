// Many replicas of one scenario, on all cores, reduced where they are made.
//
// Replica r draws from its own streams and is put where it belongs in the results, so neither the number of threads nor the
// size of a batch changes a bit of them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "engine.hpp"

namespace quantum_fabric::engine {

// Logarithmic bins of times: eight for each doubling, exact below 16 ps.
inline constexpr std::size_t TIME_BINS = 512;

inline std::size_t time_bin(Time time) {
    if (time < 16) return time < 0 ? 0 : std::size_t(time);
    int top = 0;
    for (auto rest = std::uint64_t(time); rest >>= 1;) ++top;
    return 16 + 8 * std::size_t(top - 4) + std::size_t((std::uint64_t(time) >> (top - 3)) & 7);
}

// One session of one replica.
struct Sum {
    std::int64_t replica, session, status, delivered, withheld, ended, first;
    double fidelity, fidelity_squared, believed, interval, interval_squared;
};

struct Sampled {
    std::vector<Sum> sums;
    std::vector<std::pair<std::int64_t, Delivery>> deliveries;  // with the replica
    std::vector<std::uint64_t> latencies, intervals;            // histograms, a row of TIME_BINS for each session
    Counts counts;
    double twirl_error = 0;
};

inline void add(Counts& to, const Counts& from) {
    to.events += from.events, to.heralds += from.heralds, to.swaps += from.swaps, to.failed_swaps += from.failed_swaps;
    to.purifications += from.purifications, to.letters += from.letters, to.cutoffs += from.cutoffs, to.stale += from.stale;
    to.deliveries += from.deliveries, to.withheld += from.withheld;
}

// Of pairs that are told at one moment, those of an earlier session come first.
inline void in_order(std::vector<Delivery>& deliveries) {
    const auto before = [](const Delivery& a, const Delivery& b) { return a.told < b.told || (a.told == b.told && a.session < b.session); };
    if (!std::is_sorted(deliveries.begin(), deliveries.end(), before)) std::stable_sort(deliveries.begin(), deliveries.end(), before);
}

// Sums over the deliveries of a replica, in the order in which they were told.
template <class State>
void reduce(const Engine<State>& engine, std::int64_t replica, Sampled& into) {
    const std::size_t first = into.sums.size();
    for (std::size_t index = 0; index < engine.sessions.size(); ++index) {
        const Session& session = engine.sessions[index];
        into.sums.push_back({replica, std::int64_t(index), std::int64_t(session.status), session.delivered, session.withheld,
                             session.ended, -1, 0, 0, 0, 0, 0});
    }
    std::vector<Time> before(engine.sessions.size(), -1);
    for (const Delivery& each : engine.deliveries) {
        if (each.number == 0) continue;
        const auto session = std::size_t(each.session);
        Sum& sum = into.sums[first + session];
        sum.fidelity += each.weights[0];
        sum.fidelity_squared += each.weights[0] * each.weights[0];
        sum.believed += (1.0 + each.quality[0] + each.quality[1] + each.quality[2]) / 4.0;
        if (sum.first < 0) {
            sum.first = each.delivered;
            ++into.latencies[session * TIME_BINS + time_bin(each.delivered - engine.sessions[session].at)];
        } else {
            const Time gap = each.delivered - before[session];
            sum.interval += seconds(gap);
            sum.interval_squared += seconds(gap) * seconds(gap);
            ++into.intervals[session * TIME_BINS + time_bin(gap)];
        }
        before[session] = each.delivered;
    }
}

struct Order {
    std::string seed;
    std::int64_t first = 0, count = 0;
    int threads = 1;
    Time until = 0;
    std::uint64_t most_events = ~0ULL;
    bool keep_deliveries = false;
    bool letters = false;  // carry every letter between nodes, also where news can be worked out
};

template <class State>
Sampled sample(const Engine<State>& scenario, const Order& order) {
    struct Part {
        std::int64_t start;
        Sampled found;
    };
    const std::size_t sessions = scenario.sessions.size();
    std::vector<Part> parts;
    std::mutex door;
    std::atomic<std::int64_t> next{0};
    const std::int64_t batch = std::max<std::int64_t>(1, std::min<std::int64_t>(256, order.count / (8 * std::max(1, order.threads))));
    std::exception_ptr trouble;
    const auto work = [&] {
        try {
            Engine<State> engine = scenario;
            engine.listener = nullptr;
            engine.watched = 0;
            engine.asks = false;  // a policy in Python is for one run
            engine.worked_out = !order.letters && engine.why_letters().empty();
            for (;;) {
                const std::int64_t start = next.fetch_add(batch);
                if (start >= order.count) return;
                Part part{start, {}};
                part.found.latencies.assign(sessions * TIME_BINS, 0);
                part.found.intervals.assign(sessions * TIME_BINS, 0);
                for (std::int64_t each = start; each < std::min(order.count, start + batch); ++each) {
                    engine.begin(order.seed, order.first + each);
                    engine.run(order.until, order.most_events, true);
                    in_order(engine.deliveries);
                    reduce(engine, order.first + each, part.found);
                    add(part.found.counts, engine.counts);
                    part.found.twirl_error = std::max(part.found.twirl_error, engine.twirl_error);
                    if (order.keep_deliveries)
                        for (const Delivery& delivery : engine.deliveries) part.found.deliveries.push_back({order.first + each, delivery});
                }
                const std::lock_guard<std::mutex> hold(door);
                parts.push_back(std::move(part));
            }
        } catch (...) {
            const std::lock_guard<std::mutex> hold(door);
            trouble = std::current_exception();
            next = order.count;
        }
    };
    std::vector<std::thread> team;
    const std::int64_t useful = std::min<std::int64_t>(order.threads, (order.count + batch - 1) / batch);
    try {
        for (std::int64_t each = 1; each < useful; ++each) team.emplace_back(work);
    } catch (const std::system_error&) {  // as many as there can be
    }
    work();
    for (std::thread& each : team) each.join();
    if (trouble) std::rethrow_exception(trouble);
    std::sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.start < b.start; });
    Sampled all;
    all.latencies.assign(sessions * TIME_BINS, 0);
    all.intervals.assign(sessions * TIME_BINS, 0);
    for (Part& part : parts) {
        all.sums.insert(all.sums.end(), part.found.sums.begin(), part.found.sums.end());
        all.deliveries.insert(all.deliveries.end(), part.found.deliveries.begin(), part.found.deliveries.end());
        for (std::size_t bin = 0; bin < all.latencies.size(); ++bin) {
            all.latencies[bin] += part.found.latencies[bin];
            all.intervals[bin] += part.found.intervals[bin];
        }
        add(all.counts, part.found.counts);
        all.twirl_error = std::max(all.twirl_error, part.found.twirl_error);
    }
    return all;
}

}  // namespace quantum_fabric::engine
