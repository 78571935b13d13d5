// Counting attempts that nobody makes one by one: quantum_fabric.physics.attempts with integer times.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "queue.hpp"

namespace quantum_fabric::engine {

class Attempts {
  public:
    void clear() { runs_.clear(); }

    void begin(Time first, Time last, Time period, const std::array<Time, 2>& born) {
        const std::int64_t before = runs_.empty() ? 0 : runs_.back().before + runs_.back().made(last, 0);
        if (runs_.size() >= 2 * KEPT) runs_.erase(runs_.begin(), runs_.begin() + KEPT);
        runs_.push_back({first, last, period, born, before});
    }

    void stop(Time last) { runs_.back().last = last; }

    // How many times an end has emitted by a time, that moment included.
    std::int64_t made(Time by, int end) const {
        auto place = std::upper_bound(runs_.begin(), runs_.end(), by,
                                      [](Time time, const Run& run) { return time < run.first; }) -
                     runs_.begin() - 1;
        if (place < 0) return runs_.empty() ? 0 : runs_.front().before;
        const Run* run = &runs_[place];
        std::int64_t inside = run->made(by, run->born[end]);
        if (inside == 0 && place > 0) {  // this run has started, but this end has not emitted yet
            run = &runs_[place - 1];
            inside = run->made(by, run->born[end]);
        }
        return run->before + inside;
    }

  private:
    static constexpr std::size_t KEPT = 64;

    struct Run {
        Time first, last, period;
        std::array<Time, 2> born;
        std::int64_t before;

        std::int64_t made(Time by, Time born_at) const {
            const Time reach = std::min(by - born_at, last) - first;
            if (reach < 0) return 0;
            return reach / period + 1;
        }
    };

    std::vector<Run> runs_;
};

}  // namespace quantum_fabric::engine
