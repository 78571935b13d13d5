// Lanes: attempts that are jumped over, and heralds: quantum_fabric.twin.lanes.
#pragma once

#include "engine.hpp"

namespace quantum_fabric::engine {

inline Time floor_divide(Time a, Time b) { return a / b - ((a % b != 0) && ((a < 0) != (b < 0))); }

template <class State>
std::int32_t Engine<State>::lane_at(std::int32_t link, std::int32_t number) {
    Link& at = links[std::size_t(link)];
    for (const std::int32_t each : at.lanes)
        if (lanes[std::size_t(each)].number == number) return each;
    const auto index = std::int32_t(lanes.size());
    lanes.emplace_back();
    Lane& lane = lanes.back();
    lane.link = link;
    lane.number = number;
    lane.order = ranked(HERALD, (std::uint32_t(link) << 12) + std::uint32_t(number));
    at.lanes.push_back(index);
    for (int end = 0; end < 2; ++end) {
        Node& node = nodes[std::size_t(at.ends[std::size_t(end)])];
        if (node.memory.disturbed) {
            lane.counts = true;
            node.lanes.push_back(2 * index + end);
        }
    }
    return index;
}

template <class State>
void Engine<State>::arm(std::int32_t slot, std::int32_t index, int end, std::int32_t key) {
    Lane& lane = lanes[std::size_t(index)];
    Slot& at = slots[std::size_t(slot)];
    if (at.half != NONE || at.lane != NONE || at.busy) throw std::logic_error("cannot arm a slot that is in use");
    if (lane.arms[std::size_t(end)] != NONE) throw std::logic_error("the lane is armed at this end already");
    lane.arms[std::size_t(end)] = slot;
    lane.armed_at[std::size_t(end)] = now;
    lane.key = key;
    lane.point = keys[std::size_t(key)];
    at.lane = index;
    restart(index);
}

template <class State>
void Engine<State>::disarm(Lane& lane, int end) {
    const std::int32_t slot = lane.arms[std::size_t(end)];
    if (slot == NONE) return;
    lane.arms[std::size_t(end)] = NONE;
    slots[std::size_t(slot)].lane = NONE;
    if (lane.pending && now < lane.start + points[std::size_t(lane.trying)].born[std::size_t(end)]) halt(lane);
}

template <class State>
void Engine<State>::halt(Lane& lane) {
    if (!lane.pending) return;
    lane.pending = false;
    ++lane.generation;
    const Time ahead = lane.start - now;
    if (ahead > 0) {  // the success lay in the future: the last attempt that was made is the one before now
        const Time period = points[std::size_t(lane.trying)].period;
        lane.start -= -floor_divide(-ahead, period) * period;
        if (lane.counts) lane.attempts.stop(lane.start);
    }
}

template <class State>
void Engine<State>::restart(std::int32_t index) {
    Lane& lane = lanes[std::size_t(index)];
    const Link& link = links[std::size_t(lane.link)];
    if (lane.arms[0] == NONE || lane.arms[1] == NONE || !link.up || lane.pending) return;
    const Point& point = points[std::size_t(lane.point)];
    if (point.success <= 0.0 || link.calibrating) return;
    // the first attempt in which both ends emit after they were armed, on the lane's grid, never twice in one slot of it
    Time earliest = std::max(lane.armed_at[0] - point.born[0], lane.armed_at[1] - point.born[1]);
    const Time phase = lane.number == 0 || point.cycle == 0 ? 0 : lane.number * point.cycle % point.period;
    earliest = std::max({earliest, lane.start + point.period, lane.opened});
    const Time number = -floor_divide(phase - earliest, point.period);
    if (!lane.draws.open) lane.draws.begin(prefix + link.name + "/" + std::to_string(lane.number) + "/attempts");
    // a success that lies beyond all times is as good as one that nobody's run comes to
    const std::int64_t failures = std::min(lane.draws.geometric(point.success, point.log_failure) - 1, point.most);
    lane.start = phase + (number + failures) * point.period;
    if (lane.counts) lane.attempts.begin(phase + number * point.period, lane.start, point.period, point.born);
    lane.trying = lane.point;
    lane.pending = true;
    queue.push(lane.start + std::min(point.heard[0], point.heard[1]), lane.order, ATTEMPT, std::uint64_t(index), ++lane.generation);
}

template <class State>
void Engine<State>::succeed(std::int32_t index) {
    lanes[std::size_t(index)].pending = false;
    ++counts.heralds;
    const std::int32_t made = pairs.take();
    Pair<State>& pair = pairs[made];
    pair.serial = ++serial;
    pair.waiting = Waiting{};
    pair.told = NONE;
    pair.basis = 0;
    int label;
    Time first_born[2];
    {
        Lane& lane = lanes[std::size_t(index)];
        const Link& link = links[std::size_t(lane.link)];
        const Point& point = points[std::size_t(lane.trying)];
        int which = 0;
        const double* edges = &cumulative[std::size_t(point.first_outcome)];
        if (point.outcomes > 1) {
            if (!lane.outcomes.open) lane.outcomes.begin(prefix + link.name + "/" + std::to_string(lane.number) + "/outcomes");
            const double u = lane.outcomes.uniform() * edges[point.outcomes - 1];
            while (which < point.outcomes - 1 && !(u < edges[which])) ++which;
        }
        label = labels[std::size_t(point.first_outcome + which)];
        pair.state.prepare(&fresh[std::size_t(point.first_outcome + which) * State::SIZE]);
        pair.frame = std::int8_t(label);
        const Name name = named(index, lane.heralds++);
        for (int end = 0; end < 2; ++end) {
            Half& half = pair.ends[end];
            const std::int32_t slot = lane.arms[std::size_t(end)];
            half.name = name;
            half.node = link.ends[std::size_t(end)];
            half.born = half.since = first_born[end] = lane.start + point.born[std::size_t(end)];
            half.slot = NONE;
            const Node& node = nodes[std::size_t(half.node)];
            half.attempts = node.lanes.empty() ? 0 : attempts_at(node, half.born);
            if (slot == NONE || lane.armed_at[std::size_t(end)] > half.born) continue;  // it let go after it had sent its photon
            half.slot = slot;
            slots[std::size_t(slot)].half = 2 * made + end;
            slots[std::size_t(slot)].lane = NONE;
            lane.arms[std::size_t(end)] = NONE;
        }
    }
    if (worked_out) begin_chain(made, label);
    const bool here = pair.ends[0].slot != NONE, there = pair.ends[1].slot != NONE;
    if (!here) pair.state.lose(0);
    if (!there) pair.state.lose(1);
    const Time start = lanes[std::size_t(index)].start;
    const std::int32_t trying = lanes[std::size_t(index)].trying;
    restart(index);  // both ends may have let go and been armed anew
    if (!here && !there) return settle(made);
    const Point& point = points[std::size_t(trying)];
    const int first = point.heard[0] <= point.heard[1] ? 0 : 1, later = 1 - first;
    const Name name = pair.ends[0].name;
    const std::int32_t first_slot = pair.ends[first].slot, later_slot = pair.ends[later].slot;
    const std::uint32_t order = lanes[std::size_t(index)].order;
    const Time due = start + point.heard[std::size_t(later)];
    const auto tell = [&] {
        const std::int32_t number = write(Mail::TELL);
        Letter& letter = letters[number];
        letter.slot = later_slot;
        letter.mine = name;
        letter.frame = std::uint8_t(label);
        letter.born = first_born[later];
        letter.at = first_born[first];
        queue.push(due, order, LETTER, std::uint64_t(number));
    };
    if (later_slot != NONE && due > now) tell();
    if (first_slot != NONE) heralded(first_slot, name, label, first_born[first], first_born[later]);
    if (later_slot == NONE || due > now) return;
    if (!next_is(order)) return tell();
    ++counts.events, ++counts.letters;  // nothing comes before the other end hears of it: no need to queue for that
    hear(later_slot, name, label, first_born[later], first_born[first]);
}

template <class State>
void Engine<State>::hear(std::int32_t slot, Name name, int label, Time born, Time partner_born) {
    const std::int32_t half = slots[std::size_t(slot)].half;
    if (half == NONE || half_of(half).name != name) return;  // this end has itself discarded the attempt in the meantime
    heralded(slot, name, label, born, partner_born);
}

}  // namespace quantum_fabric::engine
