// The event queue: integer time, total order (time, order, sequence), as quantum_fabric.kernel.clock.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace quantum_fabric::engine {

using Time = std::int64_t;

// quantum_fabric.kernel.order.Priority; the rank is below it.
enum Priority : std::uint32_t { FAULT = 0, MESSAGE = 1, HERALD = 2, OPERATION = 3, TIMER = 4 };

inline constexpr int RANK_BITS = 29;

inline constexpr std::uint32_t ranked(Priority priority, std::uint32_t rank = 0) {
    return (std::uint32_t(priority) << RANK_BITS) | rank;
}

struct Event {
    Time at;
    std::uint64_t key;   // order, then sequence
    std::uint64_t what;  // names, slots or letters, by kind
    std::uint32_t kind : 4, token : 28;

    bool before(const Event& other) const { return at < other.at || (at == other.at && key < other.key); }
};

// What is due soon is in a binary heap. Where much is pending, the rest waits in a ring of buckets, each so wide that a few events fall
// into it, and what is due later still in a heap of its own size; a bucket is put in order when its turn comes. Events that no
// longer mean anything stay and are skipped by whoever takes them out.
class Queue {
  public:
    void clear() {
        near_.clear();
        for (auto& bucket : ring_) bucket.clear();
        later_.clear();
        sequence_ = taken_ = 0;
        waiting_ = turn_ = 0;
        edge_ = NEVER_COMES;
        width_ = 0;
        since_ = 0;
        held_ = false;
    }
    bool empty() const { return !held_ && near_.empty(); }  // the soonest event is in the hand or on top of the heap
    std::size_t size() const { return near_.size() + waiting_ + held_; }
    const Event& top() const { return held_ ? hand_ : near_.front(); }
    // One of the next events: the very next for 0, some of those that may come then for 1 and 2.
    const Event* ahead(std::size_t place) const {
        if (held_) return place == 0 ? &hand_ : place <= near_.size() ? &near_[place - 1] : nullptr;
        return place < near_.size() ? &near_[place] : nullptr;
    }

    void push(Time at, std::uint32_t order, std::uint32_t kind, std::uint64_t what, std::uint32_t token = 0) {
        if (++sequence_ == LAST) renumber();
        Event event{at, std::uint64_t(order) << 32 | sequence_, what, kind, token & TOKENS};
        if (held_ ? event.before(hand_) : !near_.empty() && event.before(near_.front())) {
            std::swap(event, hand_);
            if (!std::exchange(held_, true)) return;
        }
        put(event);
        if (near_.empty())
            turn();
        else if (edge_ == NEVER_COMES && near_.size() > CROWD && width_ > 0)
            spread();
    }

    Event pop() {
        const Event first = top();
        if (++taken_ == MEASURED) {  // how close events are: a bucket is to hold eight
            width_ = std::max<Time>(1, (first.at - since_) / MEASURED * 8);
            since_ = first.at;
            taken_ = 0;
        }
        if (std::exchange(held_, false)) return first;
        const Event last = near_.back();
        near_.pop_back();
        const std::size_t size = near_.size();
        if (size == 0) {
            if (waiting_) turn();
            return first;
        }
        std::size_t place = 0;
        for (;;) {  // down along the earlier children, then up again: the last one belongs near the bottom
            std::size_t child = 2 * place + 1;
            if (child >= size) break;
            if (child + 1 < size && near_[child + 1].before(near_[child])) ++child;
            near_[place] = near_[child];
            place = child;
        }
        rise(place, last);
        return first;
    }

    static constexpr std::uint32_t TOKENS = (1u << 28) - 1;

  private:
    static constexpr std::uint32_t LAST = ~0u;
    static constexpr Time NEVER_COMES = Time(1) << 62;
    static constexpr std::size_t BUCKETS = 2048, CROWD = 192, FEW = 64;
    static constexpr std::uint32_t MEASURED = 256;

    void rise(std::size_t place, const Event& event) {
        while (place > 0) {
            const std::size_t above = (place - 1) / 2;
            if (!event.before(near_[above])) break;
            near_[place] = near_[above];
            place = above;
        }
        near_[place] = event;
    }

    void put(const Event& event) {
        if (event.at < edge_) {
            near_.push_back(event);
            return rise(near_.size() - 1, event);
        }
        ++waiting_;
        const auto bucket = std::uint64_t(event.at - start_) / std::uint64_t(step_);
        (bucket < BUCKETS ? ring_[bucket] : later_).push_back(event);
    }

    // From one heap to a ring.
    void spread() {
        std::vector<Event> all;
        all.swap(near_);
        fill(all);
    }

    void fill(const std::vector<Event>& all) {
        if (ring_.empty()) ring_.resize(BUCKETS);
        start_ = std::min_element(all.begin(), all.end(), [](const Event& a, const Event& b) { return a.at < b.at; })->at;
        step_ = width_;
        turn_ = 1;
        edge_ = start_ + step_;
        for (const Event& event : all) put(event);
    }

    // The heap is empty: the next bucket that is not.
    void turn() {
        while (near_.empty() && waiting_) {
            if (turn_ == BUCKETS) {  // the ring has gone round
                std::vector<Event> all;
                all.swap(later_);
                waiting_ = 0;
                if (all.size() < FEW) {
                    edge_ = NEVER_COMES;
                    for (const Event& event : all) put(event);
                    return;
                }
                fill(all);
                continue;
            }
            std::vector<Event>& bucket = ring_[turn_++];
            edge_ = start_ + Time(turn_) * step_;
            waiting_ -= bucket.size();
            for (const Event& event : bucket) put(event);
            bucket.clear();
        }
        if (near_.empty()) edge_ = NEVER_COMES;
    }

    // After four thousand million events the sequence starts again, with what is pending in the same order.
    void renumber() {
        std::vector<Event> all;
        all.swap(near_);
        if (std::exchange(held_, false)) all.push_back(hand_);
        for (auto& bucket : ring_) {
            all.insert(all.end(), bucket.begin(), bucket.end());
            bucket.clear();
        }
        all.insert(all.end(), later_.begin(), later_.end());
        later_.clear();
        waiting_ = 0;
        edge_ = NEVER_COMES;
        std::sort(all.begin(), all.end(), [](const Event& a, const Event& b) { return a.before(b); });
        sequence_ = 0;
        for (Event& event : all) {
            event.key = (event.key & ~std::uint64_t(LAST)) | ++sequence_;
            put(event);
        }
        ++sequence_;
    }

    Event hand_{};        // what starts and ends at one moment never goes through the heap
    bool held_ = false;  // whether there is one in the hand: it is before all others
    std::vector<Event> near_, later_;
    std::vector<std::vector<Event>> ring_;
    std::uint32_t sequence_ = 0, taken_ = 0;
    std::size_t waiting_ = 0, turn_ = 0;  // events that are not in the heap; the bucket whose turn is next
    Time edge_ = NEVER_COMES;             // what is due before it is in the heap
    Time start_ = 0, step_ = 1;           // of the ring
    Time width_ = 0, since_ = 0;
};

}  // namespace quantum_fabric::engine
