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

// A binary heap; events that no longer mean anything stay in it and are skipped by whoever takes them out.
class Queue {
  public:
    void clear() {
        heap_.clear();
        sequence_ = 0;
    }
    bool empty() const { return heap_.empty(); }
    std::size_t size() const { return heap_.size(); }
    const Event& top() const { return heap_.front(); }

    void push(Time at, std::uint32_t order, std::uint32_t kind, std::uint64_t what, std::uint32_t token = 0) {
        if (++sequence_ == LAST) renumber();
        const Event event{at, std::uint64_t(order) << 32 | sequence_, what, kind, token & TOKENS};
        std::size_t place = heap_.size();
        heap_.push_back(event);
        while (place > 0) {
            const std::size_t above = (place - 1) / 2;
            if (!event.before(heap_[above])) break;
            heap_[place] = heap_[above];
            place = above;
        }
        heap_[place] = event;
    }

    Event pop() {
        const Event first = heap_.front();
        const Event last = heap_.back();
        heap_.pop_back();
        const std::size_t size = heap_.size();
        if (size > 0) {
            std::size_t place = 0;
            for (;;) {  // down along the earlier children, then up again: the last one belongs near the bottom
                std::size_t child = 2 * place + 1;
                if (child >= size) break;
                if (child + 1 < size && heap_[child + 1].before(heap_[child])) ++child;
                heap_[place] = heap_[child];
                place = child;
            }
            while (place > 0) {
                const std::size_t above = (place - 1) / 2;
                if (!last.before(heap_[above])) break;
                heap_[place] = heap_[above];
                place = above;
            }
            heap_[place] = last;
        }
        return first;
    }

    static constexpr std::uint32_t TOKENS = (1u << 28) - 1;

  private:
    static constexpr std::uint32_t LAST = ~0u;

    // After four thousand million events the sequence starts again, with what is pending in the same order.
    void renumber() {
        std::sort(heap_.begin(), heap_.end(), [](const Event& a, const Event& b) { return a.before(b); });
        sequence_ = 0;
        for (Event& event : heap_) event.key = (event.key & ~std::uint64_t(LAST)) | ++sequence_;
        ++sequence_;
    }

    std::vector<Event> heap_;
    std::uint32_t sequence_ = 0;
};

}  // namespace quantum_fabric::engine
