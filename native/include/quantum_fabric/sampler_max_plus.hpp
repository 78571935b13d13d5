// Deliveries of a chain in which nothing fails, without events: quantum_fabric.montecarlo.samplers.max_plus.
//
// With one memory for each end of a link, the j-th pair of every link goes into the j-th delivery, and each time is the latest of
// earlier ones plus a constant, or plus a geometric number of periods. Replicas stand side by side and take the same steps, so loops
// over them are loops over lanes of a vector register. Times are whole picoseconds in doubles, exact below 2^52.
//
// A replica draws from a generator of its own, xoshiro256+ (Blackman, Vigna), which its number and the seed start; what stands
// beside it changes no bit.
#pragma once

#include "sampler_chain.hpp"
#include "sampler_lanes.hpp"

namespace quantum_fabric::max_plus {

using chain::Asked, chain::BINS, chain::Found, chain::Link, chain::Tally;
using chain::bin_of, chain::fade_of, chain::from_bits, chain::later, chain::whole;

inline constexpr int LANES = 32;

struct News {
    std::int32_t from;
    double delay;
};

struct Station {
    double rate_xy, rate_z;          // per ps, of each half that is stored there
    double believed_xy, believed_z;  // as its node takes them to be
    double armed;                    // when its memories are armed first
    double swap_time;
    std::vector<News> news;  // of repeaters, what has to be known before a swap; of ends, before a delivery
};

struct Recurrence {
    std::vector<Link> links;
    std::vector<Station> stations;
    std::vector<std::int32_t> order;  // of the repeaters, each after those whose news it needs
    double home[2];                   // from the ends to whoever counts
    double factors[3], believed[3];   // of the correlators, by all fresh pairs and swaps
    Asked asked;
};

using Lanes = double[LANES];

// What a group of replicas works with.
struct Desk {
    struct Eight {
        alignas(64) Lanes of;
    };
    std::vector<Eight> armed, start, swapped;
    alignas(64) std::uint64_t draws[4][LANES];
    alignas(64) Lanes left, right, done, told, before, first, xy, z, sum, squares, believed_xy, believed_z;
    alignas(64) Lanes total, total_squared, gaps, gaps_squared, doubt, x_y, zz, believed;
    Tally tally[LANES];

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
        start[w] = chain::next_start(link, left[w], right[w], start[w], chain::failures_of(u, link.per_log));
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

// The same as its node believes it.
inline void believe(const Station& at, const double* until, const double* start, double born, Desk& desk) {
    QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) {
        const double wait = until[w] - (start[w] + born);
        desk.believed_xy[w] += at.believed_xy * wait;
        desk.believed_z[w] += at.believed_z * wait;
    }
}

inline void hear(const std::vector<News>& news, const std::vector<Desk::Eight>& swapped, double* time) {
    for (const News& each : news) {
        const double* from = swapped[std::size_t(each.from)].of;
        QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) time[w] = later(time[w], from[w] + each.delay);
    }
}

// The next pair of every replica, as far as both ends have measured it.
template <bool BELIEFS>
QUANTUM_FABRIC_WITHIN void next(const Recurrence& r, Desk& desk) {
    const std::size_t links = r.links.size();
    const Station &head = r.stations.front(), &tail = r.stations.back();
    for (std::size_t i = 0; i < links; ++i) herald(r.links[i], desk.armed[i].of, desk.armed[i + 1].of, desk.start[i].of, desk.draws);
    QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) desk.xy[w] = desk.z[w] = desk.sum[w] = desk.squares[w] = 0.0;
    if constexpr (BELIEFS) QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) desk.believed_xy[w] = desk.believed_z[w] = 0.0;
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
        if constexpr (BELIEFS) {
            believe(r.stations[k], time, a, one.born[1], desk);
            believe(r.stations[k], time, b, two.born[0], desk);
        }
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
        desk.x_y[w] = fade_of(desk.xy[w]);
        desk.zz[w] = fade_of(desk.z[w]);
    }
    if constexpr (BELIEFS) {  // the end that confirms last takes the other's half to wait until then
        believe(head, desk.done, desk.start[0].of, r.links[0].born[0], desk);
        believe(tail, desk.done, desk.start[links - 1].of, r.links[links - 1].born[1], desk);
        QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) {
            const double xy = fade_of(desk.believed_xy[w]), z = fade_of(desk.believed_z[w]);
            desk.believed[w] = (1.0 + r.believed[0] * xy + r.believed[1] * xy + r.believed[2] * z) / 4.0;
        }
    }
}

// Nothing but sums: every pair is delivered, so all replicas go on together.
QUANTUM_FABRIC_LANES inline void add_up(const Recurrence& r, Desk& desk, std::uint64_t* latencies, std::uint64_t* intervals, int used) {
    for (std::int64_t pair = 0; pair < r.asked.pairs; ++pair) {
        next<false>(r, desk);
        QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) {
            const double f = (1.0 + r.factors[0] * desk.x_y[w] + r.factors[1] * desk.x_y[w] + r.factors[2] * desk.zz[w]) / 4.0;
            desk.total[w] += f;
            desk.total_squared[w] += f * f;
            desk.doubt[w] = later(desk.doubt[w], (desk.sum[w] * desk.sum[w] - desk.squares[w]) * 0.125);
        }
        if (pair == 0) {
            QUANTUM_FABRIC_APART for (int w = 0; w < LANES; ++w) desk.first[w] = desk.done[w];
            for (int w = 0; w < used; ++w) ++latencies[bin_of(desk.done[w] - r.asked.at)];
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

// Pairs that may be withheld, listed, or too late: each replica until its own session is over.
QUANTUM_FABRIC_LANES inline void count(const Recurrence& r, Desk& desk, std::vector<chain::Pair>* lists, std::uint64_t* latencies,
                                       std::uint64_t* intervals, int used) {
    for (bool open = true; open;) {
        next<true>(r, desk);
        open = false;
        for (int w = 0; w < used; ++w) {
            Tally& mine = desk.tally[w];
            if (mine.over) continue;
            const double last = desk.start[r.links.size() - 1].of[w];
            mine.add(r.asked,
                     {whole(std::min(desk.start[0].of[w] + r.links.front().born[0], last + r.links.back().born[1])), whole(desk.done[w]), whole(desk.told[w]),
                      r.factors[0] * desk.x_y[w], r.factors[1] * desk.x_y[w], r.factors[2] * desk.zz[w],
                      r.asked.beliefs ? desk.believed[w] : 0.25, (desk.sum[w] * desk.sum[w] - desk.squares[w]) * 0.125},
                     lists ? lists + w : nullptr, latencies, intervals);
            open |= !mine.over;
        }
    }
}

// So many replicas from one on, at most LANES of them.
inline void group(const Recurrence& r, Desk& desk, const chain::Names& names, std::int64_t first, int used, chain::Row* rows,
                  std::vector<chain::Pair>* lists, std::uint64_t* latencies, std::uint64_t* intervals) {
    for (std::size_t k = 0; k < r.stations.size(); ++k) std::fill_n(desk.armed[k].of, LANES, r.stations[k].armed);
    for (auto& each : desk.start) std::fill_n(each.of, LANES, -1e18);
    for (double* each : {desk.total, desk.total_squared, desk.gaps, desk.gaps_squared, desk.doubt}) std::fill_n(each, LANES, 0.0);
    for (int w = 0; w < LANES; ++w) {
        const std::string name = names.of(first + std::min(w, used - 1)) + "/max-plus/";
        const auto a = engine::blake2b::digest(name + "0"), b = engine::blake2b::digest(name + "1");
        desk.draws[0][w] = a[0], desk.draws[1][w] = a[1], desk.draws[2][w] = b[0], desk.draws[3][w] = b[1];
        desk.tally[w].begin(name + "labels", r.asked.keep);
    }
    if (!r.asked.plain()) {
        count(r, desk, lists, latencies, intervals, used);
        for (int w = 0; w < used; ++w) rows[w] = desk.tally[w].row;
        return;
    }
    add_up(r, desk, latencies, intervals, used);
    const std::int64_t pairs = r.asked.pairs;
    for (int w = 0; w < used; ++w)
        rows[w] = {1, pairs, 0, std::int64_t(desk.told[w]), std::int64_t(desk.first[w]), desk.total[w], desk.total_squared[w],
                   0.25 * double(pairs), desk.gaps[w], desk.gaps_squared[w], desk.doubt[w]};
}

inline Found sample(const Recurrence& r, const chain::Names& names, std::int64_t count, int threads) {
    return chain::sample(r.asked, count, threads, LANES, Desk(r),
                         [&](Desk& desk, std::int64_t start, int used, Found& all, std::uint64_t* latencies, std::uint64_t* intervals) {
                             group(r, desk, names, start, used, &all.rows[std::size_t(start)],
                                   r.asked.keep ? &all.pairs[std::size_t(start)] : nullptr, latencies, intervals);
                         });
}

}  // namespace quantum_fabric::max_plus
