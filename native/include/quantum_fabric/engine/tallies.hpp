// Deliveries of plain requests, matched and judged where they arrive: quantum_fabric.control.delivery, for pairs that nobody looks at
// one by one. The controller hears of the last one, and asks for the others when it needs them.
#pragma once

#include "engine.hpp"

namespace quantum_fabric::engine {

template <class State>
void Engine<State>::tally(std::int32_t installation, std::int32_t label, double floor, std::int64_t pairs, std::int64_t given,
                          Time patience) {
    if (tallies.size() <= std::size_t(installation)) tallies.resize(installations.size());
    Tally& at = tallies[std::size_t(installation)];
    at.open = true;
    at.label = label;
    at.floor = floor;
    at.pairs = pairs;
    at.given = given;
    at.patience = patience;
}

template <class State>
std::vector<Letter> Engine<State>::untally(std::int32_t installation) {
    std::vector<Letter> left;
    if (std::size_t(installation) >= tallies.size()) return left;
    Tally& at = tallies[std::size_t(installation)];
    at.open = false;
    left.swap(at.halves);
    return left;
}

template <class State>
std::vector<Matched> Engine<State>::matched() {
    std::vector<Matched> found;
    if (told == 0) return found;
    if (told == rows.size()) {
        found.swap(rows);
    } else {
        found.assign(rows.begin(), rows.begin() + std::ptrdiff_t(told));
        rows.erase(rows.begin(), rows.begin() + std::ptrdiff_t(told));
    }
    told = 0;
    return found;
}

template <class State>
std::vector<std::pair<std::int32_t, std::int64_t>> Engine<State>::counted() {
    std::vector<std::pair<std::int32_t, std::int64_t>> found;
    for (const std::int32_t each : restless) {
        Tally& at = tallies[std::size_t(each)];
        at.changed = false;
        found.push_back({at.label, at.given});
    }
    restless.clear();
    return found;
}

// One end says that a pair is complete. Returns whether this was the place to say it. No letter comes twice here: the classical plane
// is perfect, and an end has no use for a pair that it has confirmed.
template <class State>
bool Engine<State>::tallied(std::int32_t installation, const Letter& letter) {
    if (std::size_t(installation) >= tallies.size() || !tallies[std::size_t(installation)].open) return false;
    Tally& at = tallies[std::size_t(installation)];
    if (letter.at < now - at.patience) {
        ++counts.stale;
        return true;
    }
    std::size_t place = 0;
    while (place < at.halves.size() && (at.halves[place].mine != letter.mine || at.halves[place].far != letter.far)) ++place;
    if (place == at.halves.size()) {
        at.halves.push_back(letter);
        return true;
    }
    if (at.halves[place].circuit == letter.circuit) {
        at.halves[place] = letter;
        return true;
    }
    const Letter first = at.halves[place];
    at.halves[place] = at.halves.back();
    at.halves.pop_back();
    const Letter& later = first.at > letter.at ? first : letter;
    const double fidelity = (1.0 + later.quality[0] + later.quality[1] + later.quality[2]) / 4.0;
    const bool good = !(fidelity < at.floor);
    if (good && at.given + 1 >= at.pairs) {
        if (listener) listener->last(at.label, first, letter);
        return true;
    }
    if (good) {
        ++at.given;
        if (!at.changed) restless.push_back(installation);
        at.changed = true;
    }
    rows.push_back({at.label, later.frame, good ? at.given : 0, letter.mine, letter.far, later.quality, std::min(first.born, letter.born),
                    later.at, later.own_decay, later.far_decay, later.birth, later.far_birth});
    queue.push(now, ranked(MESSAGE), TOLD, 0);  // the client hears of it at once, but after what is due at this moment already
    return true;
}

// The first pair of those that are on their way to their clients has arrived.
template <class State>
void Engine<State>::tell() {
    if (!aloud) {
        ++told;
        if (pauses && listener) listener->told(rows[told - 1], false);
        return;
    }
    const Matched pair = rows[told];
    rows.erase(rows.begin() + std::ptrdiff_t(told));
    if (listener) listener->told(pair, true);
}

}  // namespace quantum_fabric::engine
