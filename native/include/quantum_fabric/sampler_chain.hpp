// What the structured samplers of a chain share: arithmetic with the same bits everywhere, links, and the reduction of what was delivered.
//
// Times are whole picoseconds in doubles, exact below 2^52. Logarithm and exponential are written out in + - * /.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine/streams.hpp"

namespace quantum_fabric::chain {

inline constexpr std::size_t BINS = 512;  // of engine/sampling.hpp
inline constexpr double LONGEST = 2251799813685248.0;  // 2^51 ps: beyond it doubles soon count no single picoseconds

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

struct Link {
    double period, phase, born[2], heard[2];
    double per_log;  // 1 / ln(1-p); 0 where every attempt succeeds
};

// Number of failures before the next success, from a uniform draw.
inline double failures_of(double u, double per_log) { return whole_below(log_of(u) * per_log); }

// When the next successful attempt starts: on the grid, after both ends are armed and after the last one.
inline double next_start(const Link& link, double left, double right, double last, double failures) {
    const double armed = later(left - link.born[0], right - link.born[1]);
    const double earliest = later(armed, last + link.period);
    return link.phase + (whole_above((earliest - link.phase) / link.period) + failures) * link.period;
}

// What is asked of a run, and when a pair counts.
struct Asked {
    double at = 0, until = 0;
    std::int64_t pairs = 1;
    double floor = 0;      // least believed fidelity of a pair that is delivered
    bool beliefs = false;  // whether that is worked out; without, every pair is delivered
    bool keep = false;     // list the pairs
    double labels[4] = {1, 1, 1, 1};  // cumulative: what the ends are told that a pair is

    // Neither a floor nor an end of time nor a list: nothing but sums.
    bool plain() const { return !beliefs && !keep && until >= LONGEST; }
};

struct Pair {
    std::int64_t number, label, created, delivered, told;
    double believed, weights[4];
};

struct Row {
    std::int64_t status, delivered, withheld, ended, first;
    double fidelity, fidelity_squared, believed, interval, interval_squared, twirl_error;
};

inline constexpr std::int64_t ENDLESS = -1;  // status of a replica that was given up

struct Found {
    std::vector<Row> rows;
    std::vector<std::vector<Pair>> pairs;  // of each replica, where they are listed
    std::vector<std::uint64_t> latencies = std::vector<std::uint64_t>(BINS), intervals = std::vector<std::uint64_t>(BINS);
};

// Whose draws a replica makes: its number's of one seed, or, where there are several seeds, number 0's of its own.
struct Names {
    std::string seed;
    std::vector<std::string> seeds;
    std::int64_t first = 0;

    std::string of(std::int64_t replica) const {
        return seeds.empty() ? seed + "/" + std::to_string(first + replica) : seeds[std::size_t(replica)] + "/0";
    }
};

// A pair that both ends have measured: times, correlators relative to what was announced, and what is believed of them.
struct Delivered {
    std::int64_t created, done, told;
    double x, y, z, believed, doubt;
    std::int64_t label = -1;  // what was announced; drawn where it says nothing of the state
};

// Picoseconds of a time in doubles.
inline std::int64_t whole(double time) { return time < 4e18 ? std::int64_t(time) : std::int64_t(4e18); }

// The pairs of one replica, added up as engine::reduce does.
class Tally {
public:
    Row row{};
    bool over = false;
    std::int64_t longest = std::int64_t(LONGEST);  // later times are not exact

    // The stream of announced labels is opened only where pairs are listed: it changes no other draw.
    void begin(const std::string& name, bool keep) {
        row = {0, 0, 0, -1, -1, 0, 0, 0, 0, 0, 0};
        over = false;
        if (keep) labels_.begin(name);
    }

    void add(const Asked& asked, const Delivered& pair, std::vector<Pair>* list, std::uint64_t* latencies, std::uint64_t* intervals) {
        if (double(pair.told) > asked.until) {
            over = true;
            return;
        }
        if (pair.told > longest) return give_up();
        const bool good = !asked.beliefs || !(pair.believed < asked.floor);
        good ? ++row.delivered : ++row.withheld;
        row.twirl_error = later(row.twirl_error, pair.doubt);
        const double f = (1.0 + pair.x + pair.y + pair.z) / 4.0;
        if (list) {
            list->push_back({good ? row.delivered : 0, pair.label < 0 ? label(asked) : pair.label, good ? pair.created : -1, pair.done, pair.told, pair.believed,
                             {f, (1.0 - pair.x - pair.y + pair.z) / 4.0, (1.0 + pair.x - pair.y - pair.z) / 4.0,
                              (1.0 - pair.x + pair.y - pair.z) / 4.0}});
        }
        if (!good) return;
        row.fidelity += f;
        row.fidelity_squared += f * f;
        row.believed += pair.believed;
        if (row.first < 0) {
            row.first = pair.done;
            ++latencies[bin_of(double(pair.done) - asked.at)];
        } else {
            const double wait = double(pair.done - before_), gap = wait * 1e-12;
            row.interval += gap;
            row.interval_squared += gap * gap;
            ++intervals[bin_of(wait)];
        }
        before_ = pair.done;
        if (row.delivered < asked.pairs) return;
        row.status = 1;
        row.ended = pair.told;
        over = true;
    }

    // The run takes longer than times are exact for.
    void give_up() {
        row.status = ENDLESS;
        over = true;
    }

private:
    std::int64_t label(const Asked& asked) {
        const double u = labels_.uniform() * asked.labels[3];
        std::int64_t found = 0;
        while (found < 3 && !(u < asked.labels[found])) ++found;
        return found;
    }

    engine::Stream labels_;
    std::int64_t before_ = 0;
};

// Replicas in groups, on several threads; `one` samples a group of them into its place: (desk, first of the group, how many, found).
template <class Desk, class Group>
Found sample(const Asked& asked, std::int64_t count, int threads, std::int64_t size, const Desk& fresh, const Group& one) {
    Found all;
    all.rows.resize(std::size_t(count));
    if (asked.keep) all.pairs.resize(std::size_t(count));
    std::atomic<std::int64_t> next{0};
    std::mutex door;
    std::exception_ptr trouble;
    const auto work = [&] {
        try {
            Desk desk = fresh;
            std::vector<std::uint64_t> latencies(BINS), intervals(BINS);
            for (std::int64_t start; (start = next.fetch_add(size)) < count;)
                one(desk, start, int(std::min<std::int64_t>(size, count - start)), all, latencies.data(), intervals.data());
            const std::lock_guard<std::mutex> hold(door);
            for (std::size_t bin = 0; bin < BINS; ++bin) {
                all.latencies[bin] += latencies[bin];
                all.intervals[bin] += intervals[bin];
            }
        } catch (...) {
            const std::lock_guard<std::mutex> hold(door);
            trouble = std::current_exception();
            next = count;
        }
    };
    std::vector<std::thread> team;
    const std::int64_t useful = std::min<std::int64_t>(threads, (count + size - 1) / size);
    for (std::int64_t each = 1; each < useful; ++each) team.emplace_back(work);
    work();
    for (std::thread& each : team) each.join();
    if (trouble) std::rethrow_exception(trouble);
    return all;
}

}  // namespace quantum_fabric::chain
