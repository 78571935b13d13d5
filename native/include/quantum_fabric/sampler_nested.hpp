// Deliveries of a chain whose swaps form a tree and may fail, without events: quantum_fabric.montecarlo.samplers.nested.
//
// With one memory for each end of a link and one partner allowed on each side of every swap, the j-th pair of a part of the chain
// goes into the j-th attempt of the swap above it. So a part's next pair can be worked out when it is asked for: its links start
// when their two memories were let go, which is known by then, even where that is long before (a repeater in the middle is free again
// after its swap, while the pair that it made still waits). News of a failure lets go of the far ends.
//
// One replica at a time; its draws come from one stream of its own (engine/streams.hpp).
#pragma once

#include <cmath>

#include "sampler_chain.hpp"

namespace quantum_fabric::nested {

using chain::Asked, chain::Found, chain::Link, chain::Tally, chain::later;

// What may come of a herald or a swap: cumulative chances, and by what it multiplies correlators, truly and as believed.
struct Outcomes {
    struct One {
        double cumulative, factors[3], believed[3];
        std::int64_t label;
    };
    std::vector<One> each;
};

struct Station {
    double rate_xy, rate_z, believed_xy, believed_z;  // per ps, of each half that is stored there
    double armed, swap_time, success;
    double away;  // time of light from the first station
    Outcomes outcomes;
};

// A part of the chain, from station to station: a link, or two parts joined.
struct Part {
    std::int32_t low, high, joint;  // the station that joins; -1 for a link
    std::int32_t left, right;       // parts
};

struct Tree {
    std::vector<Link> links;
    std::vector<Outcomes> heralds;  // of each link
    std::vector<Station> stations;
    std::vector<Part> parts;  // the whole chain is the last
    double home[2];
    Asked asked;
};

// A pair of a part: when its ends know all of it, where its halves began, and what has become of its state.
struct Block {
    double known[2], born[2];
    double xy = 0, z = 0, sum = 0, squares = 0, believed_xy = 0, believed_z = 0;
    double factors[3], believed[3];
    std::int64_t label = 0;
};

class Replica {
public:
    explicit Replica(const Tree& tree) : tree_(&tree), armed_(2 * tree.links.size()), start_(tree.links.size()) {}

    void run(const std::string& name, chain::Row& row, std::vector<chain::Pair>* list, std::uint64_t* latencies, std::uint64_t* intervals) {
        const Tree& t = *tree_;
        draws_.begin(name);
        for (std::size_t i = 0; i < t.links.size(); ++i) {
            armed_[2 * i] = t.stations[i].armed;
            armed_[2 * i + 1] = t.stations[i + 1].armed;
            start_[i] = -1e18;
        }
        Tally tally;
        tally.begin(name, false);
        while (!tally.over) {
            Block pair;
            if (!made(t.parts.back(), pair)) {  // not before the end of the run
                if (t.asked.until >= chain::LONGEST) tally.give_up();
                break;
            }
            const Station &head = t.stations.front(), &tail = t.stations.back();
            const double done = later(pair.known[0], pair.known[1]);
            store(pair, head, pair.born[0], pair.known[0], done);
            store(pair, tail, pair.born[1], pair.known[1], done);
            armed_.front() = pair.known[0];
            armed_.back() = pair.known[1];
            const double xy = chain::fade_of(pair.xy), z = chain::fade_of(pair.z);
            double believed = 0.25;
            if (t.asked.beliefs) {
                const double fade = chain::fade_of(pair.believed_xy);
                believed = (1.0 + pair.believed[0] * fade + pair.believed[1] * fade + pair.believed[2] * chain::fade_of(pair.believed_z)) / 4.0;
            }
            tally.add(t.asked,
                      {chain::whole(std::min(pair.born[0], pair.born[1])), chain::whole(done),
                       chain::whole(later(pair.known[0] + t.home[0], pair.known[1] + t.home[1])),
                       pair.factors[0] * xy, pair.factors[1] * xy, pair.factors[2] * z, believed,
                       (pair.sum * pair.sum - pair.squares) * 0.125, pair.label},
                      list, latencies, intervals);
        }
        row = tally.row;
    }

private:
    // A half that is stored until it is measured; its node believes in it until `believed_until`.
    static void store(Block& pair, const Station& at, double born, double until, double believed_until) {
        const double wait = until - born, relaxed = at.rate_z * wait, damped = relaxed < 1.0 ? relaxed : 1.0;
        pair.xy += at.rate_xy * wait;
        pair.z += relaxed;
        pair.sum += damped;
        pair.squares += damped * damped;
        pair.believed_xy += at.believed_xy * (believed_until - born);
        pair.believed_z += at.believed_z * (believed_until - born);
    }

    const Outcomes::One& drawn(const Outcomes& outcomes) {
        if (outcomes.each.size() == 1) return outcomes.each[0];
        const double u = draws_.uniform() * outcomes.each.back().cumulative;
        std::size_t which = 0;
        while (which + 1 < outcomes.each.size() && !(u < outcomes.each[which].cumulative)) ++which;
        return outcomes.each[which];
    }

    void herald(std::size_t i, Block& pair) {
        const Link& link = tree_->links[i];
        const double failures = link.per_log == 0.0 ? 0.0 : chain::failures_of(draws_.uniform(), link.per_log);
        const double start = start_[i] = chain::next_start(link, armed_[2 * i], armed_[2 * i + 1], start_[i], failures);
        const Outcomes::One& is = drawn(tree_->heralds[i]);
        pair = Block{};
        for (std::size_t end = 0; end < 2; ++end) {
            pair.known[end] = start + link.heard[end];
            pair.born[end] = start + link.born[end];
        }
        for (std::size_t axis = 0; axis < 3; ++axis) pair.factors[axis] = is.factors[axis], pair.believed[axis] = is.believed[axis];
        pair.label = is.label;
    }

    // The next pair of a part; false where the run is over before.
    bool made(const Part& part, Block& pair) {
        if (part.joint < 0) {
            herald(std::size_t(part.low), pair);
            return later(pair.known[0], pair.known[1]) <= horizon();
        }
        const Tree& t = *tree_;
        const auto k = std::size_t(part.joint);
        const Station& here = t.stations[k];
        const double to_low = here.away - t.stations[std::size_t(part.low)].away, to_high = t.stations[std::size_t(part.high)].away - here.away;
        Block right;
        for (;;) {
            if (!made(t.parts[std::size_t(part.left)], pair) || !made(t.parts[std::size_t(part.right)], right)) return false;
            const double done = later(pair.known[1], right.known[0]) + here.swap_time;
            if (done > horizon()) return false;
            armed_[2 * k - 1] = armed_[2 * k] = done;
            pair.known[0] = later(pair.known[0], done + to_low);
            pair.known[1] = later(right.known[1], done + to_high);
            if (here.success >= 1.0 || draws_.uniform() < here.success) {
                store(pair, here, pair.born[1], done, done);
                store(pair, here, right.born[0], done, done);
                pair.born[1] = right.born[1];
                pair.xy += right.xy, pair.z += right.z, pair.sum += right.sum, pair.squares += right.squares;
                pair.believed_xy += right.believed_xy, pair.believed_z += right.believed_z;
                const Outcomes::One& is = drawn(here.outcomes);
                pair.label ^= right.label ^ is.label;
                for (std::size_t axis = 0; axis < 3; ++axis) {
                    pair.factors[axis] *= right.factors[axis] * is.factors[axis];
                    pair.believed[axis] *= right.believed[axis] * is.believed[axis];
                }
                return true;
            }
            armed_[2 * std::size_t(part.low)] = pair.known[0];  // the far ends let go when they hear of it
            armed_[2 * std::size_t(part.high) - 1] = pair.known[1];
        }
    }

    // Nothing after it can be told in time.
    double horizon() const { return tree_->asked.until < chain::LONGEST ? tree_->asked.until : 2.0 * chain::LONGEST; }

    const Tree* tree_;
    std::vector<double> armed_, start_;  // of both memories of each link; of its last attempt
    engine::Stream draws_;
};

inline Found sample(const Tree& tree, const chain::Names& names, std::int64_t count, int threads) {
    return chain::sample(tree.asked, count, threads, 8, Replica(tree),
                         [&](Replica& one, std::int64_t start, int used, Found& all, std::uint64_t* latencies, std::uint64_t* intervals) {
                             for (std::int64_t each = start; each < start + used; ++each)
                                 one.run(names.of(each) + "/nested", all.rows[std::size_t(each)],
                                         tree.asked.keep ? &all.pairs[std::size_t(each)] : nullptr, latencies, intervals);
                         });
}

}  // namespace quantum_fabric::nested
