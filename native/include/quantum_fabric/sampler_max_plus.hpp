// Deliveries of a chain in which nothing fails, without events: quantum_fabric.montecarlo.samplers.max_plus.
//
// With one memory for each end of a link, the j-th pair of every link goes into the j-th delivery, and each time is the latest of
// earlier ones plus a constant, or plus a geometric number of periods. Replicas stand side by side and take the same steps, so loops
// over them are loops over lanes of a vector register. Times are whole picoseconds in doubles, exact below 2^52.
//
// A replica draws from a generator of its own, xoshiro256+ (Blackman, Vigna), which its number and the seed start; what stands
// beside it changes no bit. Logarithm and exponential are written out in + - * /: the same bits with any registers.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/streams.hpp"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__)
#define QUANTUM_FABRIC_LANES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define QUANTUM_FABRIC_LANES
#endif
#if defined(__GNUC__) && !defined(__clang__)
#define QUANTUM_FABRIC_APART _Pragma("GCC ivdep")
#else
#define QUANTUM_FABRIC_APART
#endif

namespace quantum_fabric::max_plus {

inline constexpr int LANES = 32;
inline constexpr std::size_t BINS = 512;  // of engine/sampling.hpp

struct Link {
    double period, phase, born[2], heard[2];
    double per_log;  // 1 / ln(1-p); 0 where every attempt succeeds
};

struct News {
    std::int32_t from;
    double delay;
};

struct Station {
    double rate_xy, rate_z;  // per ps, of each half that is stored there
    double armed;            // when its memories are armed first
    double swap_time;
    std::vector<News> news;  // of repeaters, what has to be known before a swap; of ends, before a delivery
};

struct Recurrence {
    std::vector<Link> links;
    std::vector<Station> stations;
    std::vector<std::int32_t> order;  // of the repeaters, each after those whose news it needs
    double home[2];                   // from the ends to whoever counts
    double factors[3];                // of the correlators, by all fresh pairs and swaps
    double at;
    std::int64_t pairs;
};

struct Row {
    std::int64_t first, ended;
    double fidelity, fidelity_squared, interval, interval_squared, twirl_error;
};

struct Found {
    std::vector<Row> rows;
    std::vector<std::uint64_t> latencies = std::vector<std::uint64_t>(BINS), intervals = std::vector<std::uint64_t>(BINS);
};

inline double from_bits(std::uint64_t bits) {
    double x;
    std::memcpy(&x, &bits, 8);
    return x;
}
inline std::uint64_t to_bits(double x) {
    std::uint64_t bits;
    std::memcpy(&bits, &x, 8);
    return bits;
}

inline constexpr double ROUNDER = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to a whole number
inline double later(double a, double b) { return a > b ? a : b; }
inline double whole_below(double x) {
    const double near = (x + ROUNDER) - ROUNDER;
    return near > x ? near - 1.0 : near;
}
inline double whole_above(double x) {
    const double near = (x + ROUNDER) - ROUNDER;
    return near < x ? near + 1.0 : near;
}

// As engine::portable_log, for positive normal numbers.
inline double log_of(double x) {
    const std::uint64_t bits = to_bits(x);
    double e = from_bits((bits >> 52) | 0x4330000000000000ULL) - (4503599627370496.0 + 1023.0);
    double m = from_bits((bits & 0xfffffffffffffULL) | 0x3ff0000000000000ULL);
    const bool high = m > 1.4142135623730951;
    m = high ? m * 0.5 : m;
    e = high ? e + 1.0 : e;
    const double s = (m - 1.0) / (m + 1.0);
    const double s2 = s * s;
    double series = 1.0 / 19.0 * s2 + 1.0 / 17.0;
    series = ((series * s2 + 1.0 / 15.0) * s2 + 1.0 / 13.0) * s2 + 1.0 / 11.0;
    series = (((series * s2 + 1.0 / 9.0) * s2 + 1.0 / 7.0) * s2 + 1.0 / 5.0) * s2 + 1.0 / 3.0;
    return e * 0.6931471803691238 + (2.0 * s + (2.0 * s * s2 * series + e * 1.9082149292705877e-10));
}

// exp(-x) for x >= 0.
inline double fade_of(double x) {
    x = x < 700.0 ? x : 700.0;
    const double shifted = x * -1.4426950408889634 + ROUNDER;
    const double k = shifted - ROUNDER;
    const double r = (-x - k * 0.6931471803691238) - k * 1.9082149292705877e-10;
    double series = 1.0 / 479001600.0;
    series = ((series * r + 1.0 / 39916800.0) * r + 1.0 / 3628800.0) * r + 1.0 / 362880.0;
    series = ((series * r + 1.0 / 40320.0) * r + 1.0 / 5040.0) * r + 1.0 / 720.0;
    series = ((series * r + 1.0 / 120.0) * r + 1.0 / 24.0) * r + 1.0 / 6.0;
    series = ((series * r + 0.5) * r + 1.0) * r + 1.0;
    return series * from_bits((to_bits(shifted) + 1023) << 52);
}

inline std::size_t bin_of(double time) {  // engine::time_bin
    if (time < 16.0) return time < 0.0 ? 0 : std::size_t(time);
    return std::min<std::size_t>(BINS - 1, std::size_t(to_bits(time) >> 49) - (std::size_t(1027) << 3) + 16);
}

using Lanes = double[LANES];

// What a group of replicas works with.
struct Desk {
    struct Eight {
        alignas(64) Lanes of;
    };
    std::vector<Eight> armed, start, swapped;
    alignas(64) std::uint64_t draws[4][LANES];
    alignas(64) Lanes left, right, done, told, before, first, xy, z, sum, squares, fidelity;
    alignas(64) Lanes total, total_squared, gaps, gaps_squared, doubt;

    explicit Desk(const Recurrence& r) : armed(r.stations.size()), start(r.links.size()), swapped(r.stations.size()) {}
};

// One more herald on a link, for every replica.
inline void herald(const Link link, const double* left, const double* right, double* start, std::uint64_t (*draws)[LANES]) {
    QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) {
        const std::uint64_t bits = draws[0][w] + draws[3][w], shifted = draws[1][w] << 17;
        draws[2][w] ^= draws[0][w];
        draws[3][w] ^= draws[1][w];
        draws[1][w] ^= draws[2][w];
        draws[0][w] ^= draws[3][w];
        draws[2][w] ^= shifted;
        draws[3][w] = (draws[3][w] << 45) | (draws[3][w] >> 19);
        const double u = from_bits((bits >> 12) | 0x3ff0000000000000ULL) - (1.0 - 1.1102230246251565e-16);
        const double failures = whole_below(log_of(u) * link.per_log);
        const double armed = later(left[w] - link.born[0], right[w] - link.born[1]);
        const double earliest = later(armed, start[w] + link.period);
        start[w] = link.phase + (whole_above((earliest - link.phase) / link.period) + failures) * link.period;
    }
}

// Adds a half that was stored from its birth until it was measured.
inline void store(const Station& at, const double* until, const double* start, double born, Desk& desk) {
    QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) {
        const double wait = until[w] - (start[w] + born);
        desk.xy[w] += at.rate_xy * wait;
        const double relaxed = at.rate_z * wait;
        desk.z[w] += relaxed;
        const double damped = relaxed < 1.0 ? relaxed : 1.0;
        desk.sum[w] += damped;
        desk.squares[w] += damped * damped;
    }
}

inline void hear(const std::vector<News>& news, const std::vector<Desk::Eight>& swapped, double* time) {
    for (const News& each : news) {
        const double* from = swapped[std::size_t(each.from)].of;
        QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) time[w] = later(time[w], from[w] + each.delay);
    }
}

QUANTUM_FABRIC_LANES inline void deliver(const Recurrence& r, Desk& desk, std::int64_t pairs, std::uint64_t* latencies,
                                         std::uint64_t* intervals, int used) {
    const std::size_t links = r.links.size();
    const Station &head = r.stations.front(), &tail = r.stations.back();
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
        for (std::size_t i = 0; i < links; ++i)
            herald(r.links[i], desk.armed[i].of, desk.armed[i + 1].of, desk.start[i].of, desk.draws);
        QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) desk.xy[w] = desk.z[w] = desk.sum[w] = desk.squares[w] = 0.0;
        for (const std::int32_t place : r.order) {
            const auto k = std::size_t(place);
            const Link &one = r.links[k - 1], &two = r.links[k];
            double* time = desk.swapped[k].of;
            const double *a = desk.start[k - 1].of, *b = desk.start[k].of;
            QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) time[w] = later(a[w] + one.heard[1], b[w] + two.heard[0]);
            hear(r.stations[k].news, desk.swapped, time);
            QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) desk.armed[k].of[w] = time[w] = time[w] + r.stations[k].swap_time;
            store(r.stations[k], time, a, one.born[1], desk);
            store(r.stations[k], time, b, two.born[0], desk);
        }
        QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) {
            desk.left[w] = desk.start[0].of[w] + r.links[0].heard[0];
            desk.right[w] = desk.start[links - 1].of[w] + r.links[links - 1].heard[1];
        }
        hear(head.news, desk.swapped, desk.left);
        hear(tail.news, desk.swapped, desk.right);
        store(head, desk.left, desk.start[0].of, r.links[0].born[0], desk);
        store(tail, desk.right, desk.start[links - 1].of, r.links[links - 1].born[1], desk);
        QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) {
            desk.armed[0].of[w] = desk.left[w];
            desk.armed[links].of[w] = desk.right[w];
            desk.done[w] = later(desk.left[w], desk.right[w]);
            desk.told[w] = later(desk.left[w] + r.home[0], desk.right[w] + r.home[1]);
            const double xy = fade_of(desk.xy[w]), z = fade_of(desk.z[w]);
            const double f = (1.0 + r.factors[0] * xy + r.factors[1] * xy + r.factors[2] * z) / 4.0;
            desk.total[w] += f;
            desk.total_squared[w] += f * f;
            desk.doubt[w] = later(desk.doubt[w], (desk.sum[w] * desk.sum[w] - desk.squares[w]) * 0.125);
        }
        if (pair == 0) {
            QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) desk.first[w] = desk.done[w];
            for (int w = 0; w < used; ++w) ++latencies[bin_of(desk.done[w] - r.at)];
        } else {
            QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) {
                desk.before[w] = desk.done[w] - desk.before[w];
                const double gap = desk.before[w] * 1e-12;
                desk.gaps[w] += gap;
                desk.gaps_squared[w] += gap * gap;
            }
            for (int w = 0; w < used; ++w) ++intervals[bin_of(desk.before[w])];
        }
        QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) desk.before[w] = desk.done[w];
    }
}

// So many replicas from one on, at most LANES of them.
inline void group(const Recurrence& r, Desk& desk, const std::string& seed, std::int64_t first, int used, Row* rows, Found& into) {
    for (std::size_t k = 0; k < r.stations.size(); ++k) std::fill_n(desk.armed[k].of, LANES, r.stations[k].armed);
    for (auto& each : desk.start) std::fill_n(each.of, LANES, -1e18);
    for (double* each : {desk.total, desk.total_squared, desk.gaps, desk.gaps_squared, desk.doubt}) std::fill_n(each, LANES, 0.0);
    for (int w = 0; w < LANES; ++w) {
        const std::string name = seed + "/" + std::to_string(first + w) + "/max-plus/";
        const auto a = engine::blake2b::digest(name + "0"), b = engine::blake2b::digest(name + "1");
        desk.draws[0][w] = a[0], desk.draws[1][w] = a[1], desk.draws[2][w] = b[0], desk.draws[3][w] = b[1];
    }
    deliver(r, desk, r.pairs, into.latencies.data(), into.intervals.data(), used);
    for (int w = 0; w < used; ++w)
        rows[w] = {std::int64_t(desk.first[w]), std::int64_t(desk.told[w]), desk.total[w], desk.total_squared[w],
                   desk.gaps[w], desk.gaps_squared[w], desk.doubt[w]};
}

inline Found sample(const Recurrence& r, const std::string& seed, std::int64_t first, std::int64_t count, int threads) {
    Found all;
    all.rows.resize(std::size_t(count));
    std::atomic<std::int64_t> next{0};
    std::mutex door;
    const auto work = [&] {
        Desk desk(r);
        Found mine;
        for (std::int64_t start; (start = next.fetch_add(LANES)) < count;)
            group(r, desk, seed, first + start, int(std::min<std::int64_t>(LANES, count - start)), &all.rows[std::size_t(start)], mine);
        const std::lock_guard<std::mutex> hold(door);
        for (std::size_t bin = 0; bin < BINS; ++bin) {
            all.latencies[bin] += mine.latencies[bin];
            all.intervals[bin] += mine.intervals[bin];
        }
    };
    std::vector<std::thread> team;
    for (int each = 1; each < threads; ++each) team.emplace_back(work);
    work();
    for (std::thread& each : team) each.join();
    return all;
}

}  // namespace quantum_fabric::max_plus
