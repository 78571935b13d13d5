// Deliveries of a chain that swaps as soon as it can, where swaps may fail and halves may be cut off: montecarlo.samplers.asap.
//
// With one memory for each end of a link and every partner allowed, what a repeater does depends on its own two halves alone. What it
// knows of the rest of a chain it only needs to send word there when the chain breaks. So word of successful swaps need not travel: the
// two outermost halves of a chain point at each other, and word of a loss is sent to the other one of them, over repeaters that have
// swapped already. It goes on where the half that it is meant for has been swapped before it came. Both ends know of a whole chain
// at times that follow from those of its swaps.
//
// What is left are heralds, swaps, cutoffs and word of losses, in the kernel's order of what happens at the same moment. Their times
// stand in a short table, and the next is its least number. One replica at a time; its draws come from one stream of its own, and their
// logarithms are taken sixteen at a time.
#pragma once

#include <array>
#include <limits>
#include <memory>

#include "engine/splitting.hpp"
#include "sampler_chain.hpp"
#include "sampler_lanes.hpp"

namespace quantum_fabric::asap {

using chain::Asked, chain::Found, chain::Link;
using Time = std::int64_t;

inline constexpr std::size_t MOST_LINKS = 128;
inline constexpr Time NEVER = std::numeric_limits<Time>::max();
inline constexpr Time FAR = Time(1) << 50;     // ps: no wait is longer
inline constexpr Time LATE = Time(1) << 49;    // then the clock is set back
inline constexpr Time LIMIT = Time(1) << 60;   // of a run
inline constexpr std::int32_t LOST = -1;

// Classes of events at the same moment, as engine::Priority has them.
enum Class : Time { WORD = 0, HERALD = 1, SWAP = 2, CUT = 3 };
inline constexpr int INDEX_BITS = 10, CLASS_BITS = 2, KEY_BITS = INDEX_BITS + CLASS_BITS;

struct Outcome {
    double cumulative, factors[3], believed[3];
    std::int64_t label;
};

struct Station {
    double rate_xy, rate_z, believed_xy, believed_z;  // per ps, of each half that is stored there
    Time armed, swap_time;
    double success;
    Time away, cutoff;  // from the first station; how long a half may wait, negative for no limit
    std::vector<Outcome> outcomes;
};

struct Tables {
    std::vector<Link> links;
    std::vector<std::vector<Outcome>> heralds;
    std::vector<Station> stations;
    Time home[2];
    bool alike;                      // every herald and swap leaves the same state, whatever it announces
    double factors[3], believed[3];  // then: of all of them
    Asked asked;
};

// A link with whole numbers.
struct Grid {
    Time period, phase, born[2], heard[2];
    double per_log, most, per_period;
};

// Uniform draws and their logarithms, some at a time: those of a stream from a draw on.
struct Block {
    static constexpr std::uint64_t SIZE = 16;
    alignas(64) double uniform[SIZE];
    alignas(64) double logarithm[SIZE];
    std::uint64_t key = 0, spread = 0, first = ~0ULL;
};

QUANTUM_FABRIC_LANES inline void fill(Block& block, std::uint64_t key, std::uint64_t spread, std::uint64_t first) {
    QUANTUM_FABRIC_APART for (std::uint64_t j = 0; j < Block::SIZE; ++j) {  // engine::Stream::bits
        std::uint64_t z = key + (first + j) * 0x9E3779B97F4A7C15ULL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        z ^= (z >> 31) ^ spread;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        z ^= z >> 31;
        const double u = chain::from_bits((z >> 12) | 0x3ff0000000000000ULL) - (1.0 - 1.1102230246251565e-16);
        block.uniform[j] = u;
        block.logarithm[j] = chain::log_of(u);
    }
    block.key = key, block.spread = spread, block.first = first;
}

inline std::size_t placed(engine::Stream& stream, Block& block) {
    const std::uint64_t number = stream.draws++, first = number & ~(Block::SIZE - 1);
    if (block.first != first || block.key != stream.key || block.spread != stream.spread) fill(block, stream.key, stream.spread, first);
    return std::size_t(number - first);
}

QUANTUM_FABRIC_LANES inline Time least_of_many(const Time* keys, std::size_t count) {
    Time found = NEVER;
    for (std::size_t j = 0; j < count; ++j) found = keys[j] < found ? keys[j] : found;
    return found;
}

// Of so many, a multiple of four. One by one where they are few: a register that is loaded over fresh single stores waits for them.
inline Time least(const Time* keys, std::size_t count) {
    if (count > 64) return least_of_many(keys, count);
    Time a = keys[0], b = keys[1], c = keys[2], d = keys[3];
    for (std::size_t j = 4; j < count; j += 4) {
        a = keys[j] < a ? keys[j] : a;
        b = keys[j + 1] < b ? keys[j + 1] : b;
        c = keys[j + 2] < c ? keys[j + 2] : c;
        d = keys[j + 3] < d ? keys[j + 3] : d;
    }
    a = b < a ? b : a;
    c = d < c ? d : c;
    return c < a ? c : a;
}

enum class Life : std::uint8_t { ARMED, COMING, LIVE, SWAPPING };

struct Half {
    Time armed, born;
    std::int32_t far;  // the other outermost half of its chain; LOST where that is gone
    Life life;
    bool broken;  // word of a loss has come while it was swapped, or before its herald
};

// Of a chain, kept at its leftmost half: when its ends will have heard of all swaps (less their own distance), and what waited how long.
struct Record {
    Time left, right;
    double xy, z, sum, squares, believed_xy, believed_z;
};

// All that changes in a run. Flat, so that a copy is quick.
struct State {
    Time now = 0, shift = 0;  // times are since `shift`
    std::vector<Time> keys, start;
    std::vector<Half> halves;
    std::vector<Record> records;
    std::array<std::int32_t, MOST_LINKS> ready;  // repeaters that swap at this moment
    std::int32_t first_ready = 0, last_ready = 0;
    engine::Stream draws;
    chain::Tally tally;
    std::uint64_t events = 0;
    Time done = 0, told = 0;  // of the last pair that counted
    double fidelity = 0;
};

// What does not change: the chain in whole numbers.
class Walk {
  public:
    explicit Walk(const Tables& tables) : t_(&tables), links_(tables.links.size()), nodes_(tables.stations.size()) {
        bool slow = false, cut = false;
        for (const Link& link : tables.links) {
            const double most = double(FAR) / link.period;
            grids_.push_back({Time(link.period), Time(link.phase), {Time(link.born[0]), Time(link.born[1])},
                              {Time(link.heard[0]), Time(link.heard[1])}, link.per_log, most, 1.0 / link.period});
        }
        for (std::size_t k = 1; k + 1 < nodes_; ++k) {
            slow |= tables.stations[k].swap_time > 0;
            cut |= tables.stations[k].cutoff >= 0;
        }
        words_ = links_;
        swaps_ = words_ + 2 * links_;
        cuts_ = swaps_ + (slow ? nodes_ : 0);
        count_ = (cuts_ + (cut ? 2 * links_ : 0) + 3) / 4 * 4;
        cutting_ = cut;
    }

    void begin(State& s, const std::string& name) {
        s.now = s.shift = 0;
        s.keys.assign(count_, NEVER);
        s.start.resize(links_);
        s.halves.resize(2 * links_);
        s.records.resize(links_);
        s.first_ready = s.last_ready = 0;
        s.events = 0;
        s.draws.begin(name);
        s.tally.begin(name + "/labels", t_->asked.keep);
        s.tally.longest = LIMIT;
        s.done = s.told = 0;
        s.fidelity = -1.0;
        for (std::size_t h = 0; h < 2 * links_; ++h)
            s.halves[h] = {t_->stations[(h + 1) / 2].armed, 0, LOST, Life::ARMED, false};
        for (std::size_t i = 0; i < links_; ++i) {  // long ago, on the grid
            s.start[i] = grids_[i].phase - (LATE / grids_[i].period + 1) * grids_[i].period;
            attempt(s, i, -LATE);
        }
    }

    // Everything up to a time (of the clock that is never set back), unless the session is over or has so many pairs.
    void run(State& s, Time until, std::int64_t pairs, std::vector<chain::Pair>* list, std::uint64_t* latencies, std::uint64_t* intervals) {
        while (!s.tally.over && s.tally.row.delivered < pairs) {
            const Time key = least(s.keys.data(), count_);
            if (s.first_ready != s.last_ready && key > (s.now << KEY_BITS | SWAP << INDEX_BITS)) {
                ++s.events;
                const std::int32_t k = s.ready[std::size_t(s.first_ready++)];
                if (s.first_ready == s.last_ready) s.first_ready = s.last_ready = 0;
                swap(s, std::size_t(k), list, latencies, intervals);
                continue;
            }
            const Time at = key >> KEY_BITS;
            if (key == NEVER || at + s.shift > until) return;
            if (at > LATE) {
                set_back(s, at);
                continue;
            }
            s.now = at;
            ++s.events;
            const auto index = std::size_t(key & ((Time(1) << INDEX_BITS) - 1));
            if (index < words_) {
                herald(s, index);
            } else if (index < swaps_) {
                hear(s, index - words_);
            } else if (index < cuts_) {
                s.keys[index] = NEVER;
                swap(s, index - swaps_, list, latencies, intervals);
            } else {
                cut_off(s, index - cuts_);
            }
        }
    }

    // Attempts that have not started are drawn anew, from another stream: as engine::Engine::redraw.
    void redraw(State& s, const std::string& name, Time at) {
        s.draws.begin(name);
        if (at - s.shift > LATE) set_back(s, at - s.shift);
        const Time now = at - s.shift;
        for (std::size_t i = 0; i < links_; ++i) {
            const Half &a = s.halves[2 * i], &b = s.halves[2 * i + 1];
            if (a.life != Life::COMING || b.life != Life::COMING || s.start[i] <= now) continue;
            const Time period = grids_[i].period;
            s.start[i] -= periods(s.start[i] - now, grids_[i]) * period;
            attempt(s, i, now);
        }
    }

  private:
    const Tables* t_;
    std::size_t links_, nodes_, words_, swaps_, cuts_, count_;
    bool cutting_;
    std::vector<Grid> grids_;
    Block block_;

    static Time key(Time at, Class what, std::size_t index) { return at << KEY_BITS | what << INDEX_BITS | Time(index); }
    static std::size_t station(std::size_t half) { return (half + 1) / 2; }
    Time between(std::size_t a, std::size_t b) const {
        const Time gap = t_->stations[a].away - t_->stations[b].away;
        return gap < 0 ? -gap : gap;
    }

    // Both memories of a link are armed: its next success.
    void attempt(State& s, std::size_t i, Time opened) {
        const Grid& grid = grids_[i];
        Half &a = s.halves[2 * i], &b = s.halves[2 * i + 1];
        Time earliest = std::max(std::max(a.armed - grid.born[0], b.armed - grid.born[1]), std::max(s.start[i] + grid.period, opened));
        const Time number = periods(earliest - s.start[i], grid);
        double failures = 0.0;
        if (grid.per_log != 0.0) {
            failures = block_.logarithm[placed(s.draws, block_)] * grid.per_log;
            failures = failures < grid.most ? failures : grid.most;
        }
        const Time start = s.start[i] += (number + Time(failures)) * grid.period;
        s.keys[i] = key(start + std::min(grid.heard[0], grid.heard[1]), HERALD, i);
        a = {a.armed, start + grid.born[0], std::int32_t(2 * i + 1), Life::COMING, false};
        b = {b.armed, start + grid.born[1], std::int32_t(2 * i), Life::COMING, false};
        s.records[i] = {-FAR, -FAR, 0, 0, 0, 0, 0, 0};
    }

    // As many as reach over a gap: a quotient, rounded up; without the division.
    static Time periods(Time gap, const Grid& grid) {
        Time number = Time(double(gap) * grid.per_period);
        while (number * grid.period < gap) ++number;
        while ((number - 1) * grid.period >= gap) --number;
        return number;
    }

    void free(State& s, std::size_t h, Time at) {
        Half& half = s.halves[h];
        half.life = Life::ARMED;
        half.armed = at;
        s.keys[words_ + h] = NEVER;
        if (cutting_) s.keys[cuts_ + h] = NEVER;
        if (s.halves[h ^ 1].life == Life::ARMED) attempt(s, h / 2, -FAR);
    }

    // Word to the other end of a chain that this half is the last of no longer.
    void say_lost(State& s, std::size_t h) {
        const std::int32_t far = s.halves[h].far;
        if (far == LOST) return;
        s.halves[std::size_t(far)].far = LOST;
        s.keys[words_ + std::size_t(far)] = key(s.now + between(station(h), station(std::size_t(far))), WORD, words_ + std::size_t(far));
    }

    void herald(State& s, std::size_t i) {
        const Grid& grid = grids_[i];
        Time rest = NEVER;
        for (std::size_t end = 0; end < 2; ++end) {
            const std::size_t h = 2 * i + end;
            if (s.halves[h].life != Life::COMING) continue;
            const Time at = s.start[i] + grid.heard[end];
            if (at != s.now) rest = key(at, HERALD, i);
        }
        s.keys[i] = rest;
        for (std::size_t end = 0; end < 2; ++end) {
            const std::size_t h = 2 * i + end;
            if (s.halves[h].life == Life::COMING && s.start[i] + grid.heard[end] == s.now) heard(s, h);
        }
    }

    void heard(State& s, std::size_t h) {
        Half& half = s.halves[h];
        if (half.broken) return free(s, h, s.now);
        half.life = Life::LIVE;
        const std::size_t k = station(h);
        if (k == 0 || k + 1 == nodes_) return;
        const Station& here = t_->stations[k];
        Half &left = s.halves[2 * k - 1], &right = s.halves[2 * k];
        if (left.life == Life::LIVE && right.life == Life::LIVE) {
            left.life = right.life = Life::SWAPPING;
            if (cutting_) s.keys[cuts_ + 2 * k - 1] = s.keys[cuts_ + 2 * k] = NEVER;
            if (here.swap_time > 0)
                s.keys[swaps_ + k] = key(s.now + here.swap_time, SWAP, swaps_ + k);
            else
                s.ready[std::size_t(s.last_ready++)] = std::int32_t(k);
        } else if (here.cutoff >= 0) {
            s.keys[cuts_ + h] = key(std::max(s.now, half.born + here.cutoff), CUT, cuts_ + h);
        }
    }

    // Word of a loss has come.
    void hear(State& s, std::size_t h) {
        s.keys[words_ + h] = NEVER;
        if (s.halves[h].life == Life::LIVE)
            free(s, h, s.now);
        else
            s.halves[h].broken = true;
    }

    void cut_off(State& s, std::size_t h) {
        say_lost(s, h);
        free(s, h, s.now);
    }

    void swap(State& s, std::size_t k, std::vector<chain::Pair>* list, std::uint64_t* latencies, std::uint64_t* intervals) {
        const Station& here = t_->stations[k];
        const std::size_t l = 2 * k - 1, r = 2 * k;
        Half &left = s.halves[l], &right = s.halves[r];
        const bool good = here.success >= 1.0 || block_.uniform[placed(s.draws, block_)] < here.success;
        if (!good || left.broken || right.broken) {
            if (!left.broken) say_lost(s, l);
            if (!right.broken) say_lost(s, r);
        } else if (left.far != LOST && right.far != LOST) {
            const auto a = std::size_t(left.far), d = std::size_t(right.far);
            s.halves[a].far = std::int32_t(d);
            s.halves[d].far = std::int32_t(a);
            Record& whole = s.records[a / 2];
            const Record& other = s.records[k];
            whole.left = std::max(whole.left, std::max(other.left, s.now + here.away));
            whole.right = std::max(whole.right, std::max(other.right, s.now - here.away));
            whole.xy += other.xy, whole.z += other.z, whole.sum += other.sum, whole.squares += other.squares;
            whole.believed_xy += other.believed_xy, whole.believed_z += other.believed_z;
            store(whole, here, s.now - left.born, s.now - left.born);
            store(whole, here, s.now - right.born, s.now - right.born);
            if (a == 0 && d + 1 == 2 * links_) deliver(s, list, latencies, intervals);
        } else if (left.far == LOST && right.far != LOST) {  // word that would have come here goes on
            pass_on(s, l, std::size_t(right.far), k);
        } else if (left.far != LOST && right.far == LOST) {
            pass_on(s, r, std::size_t(left.far), k);
        }
        free(s, l, s.now);
        free(s, r, s.now);
    }

    void pass_on(State& s, std::size_t from, std::size_t to, std::size_t k) const {
        s.halves[to].far = LOST;
        s.keys[words_ + to] = key((s.keys[words_ + from] >> KEY_BITS) + between(k, station(to)), WORD, words_ + to);
    }

    // A half that was stored until it was measured; its node believes in it for `believed`.
    static void store(Record& record, const Station& at, Time waited, Time believed) {
        const double wait = double(waited), relaxed = at.rate_z * wait, damped = relaxed < 1.0 ? relaxed : 1.0;
        record.xy += at.rate_xy * wait;
        record.z += relaxed;
        record.sum += damped;
        record.squares += damped * damped;
        record.believed_xy += at.believed_xy * double(believed);
        record.believed_z += at.believed_z * double(believed);
    }

    // The chain is whole: when its ends know it, what it is, and both go on from there.
    void deliver(State& s, std::vector<chain::Pair>* list, std::uint64_t* latencies, std::uint64_t* intervals) {
        const std::size_t last = 2 * links_ - 1;
        const Station &head = t_->stations.front(), &tail = t_->stations.back();
        Record& record = s.records[0];
        const Time known[2] = {std::max(record.left, s.start.front() + grids_.front().heard[0]),
                               std::max(record.right + tail.away, s.start.back() + grids_.back().heard[1])};
        const Time born[2] = {s.halves[0].born, s.halves[last].born};
        const Time done = std::max(known[0], known[1]), told = std::max(known[0] + t_->home[0], known[1] + t_->home[1]);
        store(record, head, known[0] - born[0], done - born[0]);
        store(record, tail, known[1] - born[1], done - born[1]);
        double factors[3] = {1, 1, 1}, believed[3] = {1, 1, 1};
        std::int64_t label = -1;
        if (t_->alike) {
            std::copy_n(t_->factors, 3, factors);
            std::copy_n(t_->believed, 3, believed);
        } else {
            label = 0;
            for (const auto& each : t_->heralds) choose(s, each, factors, believed, label);
            for (std::size_t k = 1; k + 1 < nodes_; ++k) choose(s, t_->stations[k].outcomes, factors, believed, label);
        }
        const double xy = chain::fade_of(record.xy), z = chain::fade_of(record.z);
        double says = 0.25;
        if (t_->asked.beliefs) {
            const double fade = chain::fade_of(record.believed_xy);
            says = (1.0 + believed[0] * fade + believed[1] * fade + believed[2] * chain::fade_of(record.believed_z)) / 4.0;
        }
        const chain::Delivered pair{std::min(born[0], born[1]) + s.shift, done + s.shift, told + s.shift, factors[0] * xy, factors[1] * xy,
                                    factors[2] * z, says, (record.sum * record.sum - record.squares) * 0.125, label};
        const std::int64_t before = s.tally.row.delivered;
        s.tally.add(t_->asked, pair, list, latencies, intervals);
        if (s.tally.row.delivered > before) {
            s.done = pair.done, s.told = pair.told;
            s.fidelity = (1.0 + pair.x + pair.y + pair.z) / 4.0;
        }
        s.keys[0] = s.keys[links_ - 1] = NEVER;  // an end may have been told of swaps before its own herald
        free(s, 0, known[0]);
        free(s, last, known[1]);
    }

    void choose(State& s, const std::vector<Outcome>& of, double* factors, double* believed, std::int64_t& label) {
        std::size_t which = 0;
        if (of.size() > 1) {
            const double u = block_.uniform[placed(s.draws, block_)] * of.back().cumulative;
            while (which + 1 < of.size() && !(u < of[which].cumulative)) ++which;
        }
        label ^= of[which].label;
        for (std::size_t axis = 0; axis < 3; ++axis) factors[axis] *= of[which].factors[axis], believed[axis] *= of[which].believed[axis];
    }

    // So that times stay small numbers.
    void set_back(State& s, Time by) const {
        s.shift += by;
        s.now -= by;
        for (Time& each : s.keys)
            if (each != NEVER) each -= by << KEY_BITS;
        for (Time& each : s.start) each -= by;
        for (Half& each : s.halves) each.armed -= by, each.born -= by;
        for (Record& each : s.records) {
            each.left = std::max(each.left - by, -FAR);
            each.right = std::max(each.right - by, -FAR);
        }
    }
};

// A copy of a run, to be split: engine/splitting.hpp. Copies of one thread share a desk.
class Copy {
  public:
    Copy(const Tables& tables, Time until) : tables_(&tables), desk_(std::make_shared<Desk>(tables)), until_(std::min(until, LIMIT)) {}
    Time asked_at() const { return Time(tables_->asked.at); }
    std::uint64_t events() const { return state_.events; }
    void begin(const std::string& name, std::int64_t copy) { desk_->walk.begin(state_, named(name, copy)); }
    void redraw(const std::string& name, std::int64_t copy, Time at) { desk_->walk.redraw(state_, named(name, copy), at); }
    // What has been swapped by then is known, also where word of it is still on its way to the ends.
    void to_time(Time at) { go(std::min(at, until_), NEVER); }

    engine::Reached to_pair(std::int64_t pair) {
        go(until_, pair ? pair : NEVER);
        const chain::Row& row = state_.tally.row;
        if (pair && row.delivered >= pair) return {true, state_.done, state_.fidelity};
        if (!pair && row.status != 0) return {true, state_.told, -1.0};
        return {false, state_.now + state_.shift, -1.0};
    }
    void forget() {}

  private:
    struct Desk {
        explicit Desk(const Tables& tables) : walk(tables), unread(chain::BINS) {}
        Walk walk;
        std::vector<std::uint64_t> unread;  // histograms
    };

    static std::string named(const std::string& name, std::int64_t copy) { return name + "/" + std::to_string(copy) + "/asap"; }
    void go(Time until, std::int64_t pairs) { desk_->walk.run(state_, until, pairs, nullptr, desk_->unread.data(), desk_->unread.data()); }

    const Tables* tables_;
    std::shared_ptr<Desk> desk_;
    State state_;
    Time until_;
};

inline engine::Split split(const Tables& tables, const engine::Splitting& order) {
    return engine::split_by([&] { return Copy(tables, order.until); }, order);
}

inline Found sample(const Tables& tables, const chain::Names& names, std::int64_t count, int threads) {
    struct Desk {
        Walk walk;
        State state;
    };
    const Time until = tables.asked.until < double(LIMIT) ? Time(tables.asked.until) : LIMIT;
    return chain::sample(tables.asked, count, threads, 8, Desk{Walk(tables), State()},
                         [&](Desk& desk, std::int64_t start, int used, Found& all, std::uint64_t* latencies, std::uint64_t* intervals) {
                             for (std::int64_t each = start; each < start + used; ++each) {
                                 desk.walk.begin(desk.state, names.of(each) + "/asap");
                                 desk.walk.run(desk.state, until, std::numeric_limits<std::int64_t>::max(),
                                               tables.asked.keep ? &all.pairs[std::size_t(each)] : nullptr, latencies, intervals);
                                 all.rows[std::size_t(each)] = desk.state.tally.row;
                             }
                         });
}

}  // namespace quantum_fabric::asap
