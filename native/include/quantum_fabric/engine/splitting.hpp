// Long tails by multilevel splitting on elapsed time: quantum_fabric.montecarlo.tails.
//
// Copies of a run go on until what is timed has come. The half that was quickest is given up at the time of the slowest of
// them, the level; the others are put back to that moment and forked in their place, with fresh futures. Each copy that is given
// up is a sample of the law with the weight of its level, and so are those of the last one: sums over these weights have the
// expectation of plain sampling, ties of the lattice included (Bréhier, Gazeau, Goudenège, Lelièvre, Rousset 2016).
//
// A repetition draws from streams named by (seed, repetition, level; copy), so it is the same on any number of threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine.hpp"

namespace quantum_fabric::engine {

inline constexpr Time NEVER_COMES = std::numeric_limits<Time>::max();

struct Splitting {
    std::string seed;
    std::int32_t session = 0;
    std::int64_t pair = 1;        // which delivery is timed; 0 for the session's end
    bool since_previous = false;  // from the delivery before it, not from the request
    double share = 1e-6;          // of the law that is to be reached
    std::int64_t copies = 400, repetitions = 20;
    int threads = 1;
    Time until = 0;
};

// A sample: how long it took, its weight, and the fidelity of the pair (negative where there is none).
struct Leaf {
    std::int64_t repetition, level;
    Time time;
    double weight, fidelity;
};

struct Split {
    std::vector<Leaf> leaves;
    std::vector<double> lost;  // by repetition: weight of the level at which no copy was slower than the level; 0 for none
    std::uint64_t events = 0, runs = 0;
};

// What a copy of a run has come to.
struct Reached {
    bool found = false;
    Time time = 0;
    double fidelity = -1.0;  // of the pair, where there is one
};

// A copy of a run of the kernel. Whatever else is split has the same functions.
template <class State>
class EventCopy : Listener {
  public:
    EventCopy(const Engine<State>& scenario, const Splitting& order)
        : engine_(scenario), session_(order.session), until_(order.until) {
        engine_.listener = nullptr;
        engine_.watched = 0;
        engine_.asks = false;
    }
    Time asked_at() const { return session().at; }
    std::uint64_t events() const { return engine_.counts.events; }
    void begin(const std::string& name, std::int64_t copy) { engine_.begin(name, copy); }
    void redraw(const std::string& name, std::int64_t copy, Time) { engine_.redraw(name, copy); }
    // A delivery may have been told of later than it was made.
    void to_time(Time at) { engine_.run(std::max(at, engine_.now)); }

    // Runs until the session has so many pairs, or to its end for 0.
    Reached to_pair(std::int64_t pair) {
        pair_ = pair ? pair : std::numeric_limits<std::int64_t>::max();
        engine_.listener = this;
        engine_.watched = 1u << unsigned(Watched::DELIVERED);
        constexpr std::uint64_t STRIDE = 4096;  // a session may also end without a delivery
        while (session().status == Status::OPEN && session().delivered < pair_ && engine_.next() >= 0 && engine_.next() <= until_)
            engine_.run(until_, STRIDE, true);
        engine_.listener = nullptr;
        engine_.watched = 0;
        for (auto each = engine_.deliveries.rbegin(); pair && each != engine_.deliveries.rend(); ++each)
            if (each->session == session_ && each->number == pair) return {true, each->delivered, each->weights[0]};
        if (!pair && session().status != Status::OPEN) return {true, session().ended, -1.0};
        return {false, engine_.now, -1.0};
    }
    void forget() { engine_.deliveries.clear(); }

  private:
    Engine<State> engine_;
    std::int32_t session_;
    std::int64_t pair_ = 0;
    Time until_;

    const Session& session() const { return engine_.sessions[std::size_t(session_)]; }
    void see(const Sight& sight) override {
        if (sight.other == session_ && session().delivered >= pair_) engine_.stop = true;
    }
    void mail(const Letter&) override {}
    void call(std::uint64_t) override {}
    std::int64_t choose(std::int64_t, const Candidate*, std::int64_t, const Candidate*, std::int64_t) override { return -1; }
};

template <class Copy>
class Repetition {
  public:
    Repetition(const Copy& bare, const Splitting& order) : order_(order), scratch_(bare), bare_(bare) {
        saved_.assign(std::size_t(order.copies), bare_);
        times_.resize(saved_.size());
        origins_.resize(saved_.size());
        fidelities_.resize(saved_.size());
    }

    void run(std::int64_t number, Split& into) {
        number_ = number;
        const std::size_t copies = saved_.size();
        for (std::size_t each = 0; each < copies; ++each) {
            saved_[each] = bare_;
            saved_[each].begin(name(0), std::int64_t(each));
            origins_[each] = bare_.asked_at();
            if (order_.since_previous && order_.pair > 1) {
                origins_[each] = saved_[each].to_pair(order_.pair - 1).time;
                saved_[each].forget();
            }
            finish(each, into);
        }
        double weight = 1.0;
        std::int64_t level = 0;
        std::vector<std::size_t> kept, given_up;
        std::vector<Time> sorted;
        for (;;) {
            sorted = times_;
            const auto middle = sorted.begin() + std::ptrdiff_t((copies - 1) / 2);
            std::nth_element(sorted.begin(), middle, sorted.end());
            const Time limit = *middle;
            if (weight <= order_.share / 4.0 || limit == NEVER_COMES) break;
            kept.clear();
            given_up.clear();
            for (std::size_t each = 0; each < copies; ++each) (times_[each] > limit ? kept : given_up).push_back(each);
            for (const std::size_t each : given_up) leaf(each, level, weight / double(copies), into);
            if (kept.empty()) {
                into.lost[std::size_t(number)] = weight;
                return;
            }
            weight *= double(kept.size()) / double(copies);
            ++level;
            const std::uint64_t before = events_of(kept);
            for (const std::size_t each : kept) saved_[each].to_time(origins_[each] + limit);
            into.events += events_of(kept) - before;
            shuffle(kept, level);
            for (std::size_t place = 0; place < given_up.size(); ++place) {
                const std::size_t child = given_up[place], parent = kept[place % kept.size()];
                saved_[child] = saved_[parent];
                origins_[child] = origins_[parent];
                saved_[child].redraw(name(level), std::int64_t(child), origins_[child] + limit);
                finish(child, into);
            }
        }
        for (std::size_t each = 0; each < copies; ++each) leaf(each, level, weight / double(copies), into);
    }

  private:
    const Splitting order_;
    Copy scratch_, bare_;
    std::vector<Copy> saved_;  // each as it was at the level that it was last put back to
    std::vector<Time> times_, origins_;
    std::vector<double> fidelities_;
    std::int64_t number_ = 0;

    std::string name(std::int64_t level) const {
        return order_.seed + "~tail/" + std::to_string(number_) + "/" + std::to_string(level);
    }

    void leaf(std::size_t each, std::int64_t level, double weight, Split& into) const {
        into.leaves.push_back({number_, level, times_[each], weight, fidelities_[each]});
    }

    std::uint64_t events_of(const std::vector<std::size_t>& which) const {
        std::uint64_t total = 0;
        for (const std::size_t each : which) total += saved_[each].events();
        return total;
    }

    // In which order the slow ones are forked: those at its front have one child more.
    void shuffle(std::vector<std::size_t>& which, std::int64_t level) const {
        Stream draws;
        draws.begin(name(level) + "/order");
        for (std::size_t left = which.size(); left > 1; --left)
            std::swap(which[left - 1], which[std::min(left - 1, std::size_t(draws.uniform() * double(left)))]);
    }

    // From where a copy was saved to the end of what is timed.
    void finish(std::size_t each, Split& into) {
        scratch_ = saved_[each];
        ++into.runs;
        const Reached reached = scratch_.to_pair(order_.pair);
        into.events += scratch_.events() - saved_[each].events();
        times_[each] = reached.found ? reached.time - origins_[each] : NEVER_COMES;
        fidelities_[each] = reached.found ? reached.fidelity : -1.0;
    }
};

// `bare` makes a copy that has not begun; each thread asks for one.
template <class Bare>
Split split_by(const Bare& bare, const Splitting& order) {
    std::vector<Split> parts(std::size_t(order.repetitions));
    std::atomic<std::int64_t> next{0};
    std::mutex door;
    std::exception_ptr trouble;
    const auto work = [&] {
        try {
            Repetition repetition(bare(), order);
            for (std::int64_t number; (number = next.fetch_add(1)) < order.repetitions;) {
                Split& part = parts[std::size_t(number)];
                part.lost.assign(std::size_t(order.repetitions), 0.0);
                repetition.run(number, part);
            }
        } catch (...) {
            const std::lock_guard<std::mutex> hold(door);
            trouble = std::current_exception();
            next = order.repetitions;
        }
    };
    std::vector<std::thread> team;
    for (int each = 1; each < order.threads; ++each) team.emplace_back(work);
    work();
    for (std::thread& each : team) each.join();
    if (trouble) std::rethrow_exception(trouble);
    Split all;
    all.lost.assign(std::size_t(order.repetitions), 0.0);
    for (std::size_t number = 0; number < parts.size(); ++number) {
        all.leaves.insert(all.leaves.end(), parts[number].leaves.begin(), parts[number].leaves.end());
        all.lost[number] = parts[number].lost[number];
        all.events += parts[number].events;
        all.runs += parts[number].runs;
    }
    return all;
}

template <class State>
Split split(const Engine<State>& scenario, const Splitting& order) {
    return split_by([&] { return EventCopy<State>(scenario, order); }, order);
}

}  // namespace quantum_fabric::engine
