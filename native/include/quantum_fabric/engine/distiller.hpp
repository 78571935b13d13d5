// Purification between two nodes: quantum_fabric.control.distil.
#pragma once

#include <algorithm>

#include "engine.hpp"

namespace quantum_fabric::engine {

template <class State>
const PurifyRule* Engine<State>::rule_for(const Circuit& circuit, std::int32_t partner) const {
    for (const PurifyRule& rule : circuit.purify)
        if (rule.partner == partner) return &rule;
    return nullptr;
}

// Start what can be started: asks that came early, then purifications that this node initiates.
template <class State>
void Engine<State>::distil(Circuit& circuit) {
    if (!circuit.asks.empty()) {
        std::vector<std::int32_t> early;
        early.swap(circuit.asks);
        for (const std::int32_t each : early)
            if (!asked(circuit, each)) letters.give_back(each);
    }
    struct Group {
        std::int32_t partner, level;
        std::vector<std::int32_t> members;
    };
    std::vector<Group> groups;  // in the order of their first members
    for (std::int32_t each = circuit.first; each < circuit.last; ++each) {
        const Qubit& qubit = qubits[std::size_t(each)];
        if (qubit.life != Life::LIVE) continue;
        const PurifyRule* rule = rule_for(circuit, qubit.partner);
        if (!rule || !rule->initiator || qubit.rounds >= rule->rounds) continue;
        const std::int32_t level = rule->pumped ? 0 : qubit.rounds;
        auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& known) {
            return known.partner == qubit.partner && known.level == level;
        });
        if (group == groups.end()) group = groups.insert(groups.end(), Group{qubit.partner, level, {}});
        group->members.push_back(each);
    }
    for (Group& group : groups) {
        if (group.members.size() < 2) continue;
        const PurifyRule& rule = *rule_for(circuit, group.partner);
        const auto older = [this](std::int32_t a, std::int32_t b) {
            const Qubit &one = qubits[std::size_t(a)], &two = qubits[std::size_t(b)];
            return one.born != two.born ? one.born < two.born : one.slot < two.slot;
        };
        std::stable_sort(group.members.begin(), group.members.end(), older);
        const auto meet = [&](std::int32_t spent, std::int32_t keep) {
            begin_round(circuit, qubits[std::size_t(keep)], qubits[std::size_t(spent)], Life::ASKING, NONE, rule);
        };
        std::vector<std::int32_t> alike = group.members;
        if (rule.pumped) {  // fresh pairs go to those with most rounds; what is left of them starts anew, two by two
            std::vector<std::int32_t> begun;
            alike.clear();
            for (const std::int32_t each : group.members) (qubits[std::size_t(each)].rounds ? begun : alike).push_back(each);
            std::stable_sort(begun.begin(), begun.end(), [this](std::int32_t a, std::int32_t b) {
                return qubits[std::size_t(a)].rounds > qubits[std::size_t(b)].rounds;
            });
            const std::size_t served = std::min(begun.size(), alike.size());
            for (std::size_t each = 0; each < served; ++each) meet(alike[each], begun[each]);
            alike.erase(alike.begin(), alike.begin() + std::ptrdiff_t(std::min(begun.size(), alike.size())));
        }
        for (std::size_t each = 0; each + 1 < alike.size(); each += 2) meet(alike[each], alike[each + 1]);
    }
}

template <class State>
void Engine<State>::begin_round(Circuit& circuit, Qubit& keep, Qubit& sacrifice, Life life, std::int32_t ask,
                                const PurifyRule& rule) {
    keep.life = sacrifice.life = life;
    keep.spent = std::int32_t(&sacrifice - qubits.data());
    keep.ask = ask;
    keep.rotation = rule.before(keep.rounds);
    keep.kind = rule.kind;
    (void)circuit;
    begin_operation(keep.slot, sacrifice.slot, PURIFY);
}

// This node's gate is done.
template <class State>
void Engine<State>::end_round(Circuit& circuit, Qubit& keep, int bit) {
    Qubit& sacrifice = qubits[std::size_t(keep.spent)];
    const std::int32_t ask = keep.ask;
    keep.spent = keep.ask = NONE;
    if (ask == NONE) {
        asking(circuit, keep, sacrifice, bit);
    } else {
        answering(circuit, keep, sacrifice, ask, bit);
        letters.give_back(ask);
    }
    react(circuit);
}

template <class State>
void Engine<State>::asking(Circuit& circuit, Qubit& keep, Qubit& sacrifice, int bit) {
    if (bit < 0 || keep.broken || sacrifice.broken) {
        const bool keep_whole = !keep.broken, sacrifice_whole = !sacrifice.broken;
        if (keep_whole) say_lost(circuit, keep);
        if (sacrifice_whole) say_lost(circuit, sacrifice);
        free(circuit, sacrifice);
        free(circuit, keep, true);
        return;
    }
    if (beliefs) keep.quality = product(keep.quality, own_ageing(keep));
    keep.born = now;
    const std::int32_t number = write(Mail::ASK);
    Letter& letter = letters[number];
    letter.mine = keep.far;
    letter.was = sacrifice.far;
    letter.partner = circuit.position;
    letter.far = keep.mine;
    letter.bit = std::uint8_t(bit);
    letter.rounds = keep.rounds;
    letter.quality = keep.quality;
    letter.spent = beliefs ? product(sacrifice.quality, own_ageing(sacrifice)) : Correlators{};
    letter.at = now;
    send(circuit, keep.partner, number);
    keep.life = Life::ASKED;
    free(circuit, sacrifice);
}

// The other end has measured its halves: measure ours, or say that we cannot. Returns whether the letter is kept.
template <class State>
bool Engine<State>::asked(Circuit& circuit, std::int32_t number) {
    const Letter& ask = letters[number];
    Qubit *keep = find(circuit, ask.mine), *sacrifice = find(circuit, ask.was);
    const bool keep_lives = keep && keep->life == Life::LIVE, sacrifice_lives = sacrifice && sacrifice->life == Life::LIVE;
    const PurifyRule* rule = rule_for(circuit, ask.partner);
    const auto decline = [&] {
        if (keep_lives) free(circuit, *keep, true);
        if (sacrifice_lives) free(circuit, *sacrifice, true);
        answer(circuit, ask, false, 0, {0.0, 0.0, 0.0});
        return false;
    };
    if (awaits(circuit, ask.mine) || awaits(circuit, ask.was)) {
        circuit.asks.push_back(number);  // a herald is still on its way to us
        return true;
    }
    if (!keep_lives || !sacrifice_lives) return decline();
    if (keep->partner != ask.partner || sacrifice->partner != ask.partner) {
        circuit.asks.push_back(number);  // news of the swap that made the segment is still on its way to us
        return true;
    }
    if (keep->rounds != ask.rounds || sacrifice->rounds != (rule->pumped ? 0 : ask.rounds)) return decline();
    begin_round(circuit, *keep, *sacrifice, Life::ANSWERING, number, *rule);
    return true;
}

template <class State>
void Engine<State>::answer(const Circuit& circuit, const Letter& ask, bool success, int frame, const Correlators& quality) {
    const Name keep = ask.far;
    const std::int32_t to = ask.partner, number = write(Mail::ANSWER);
    Letter& letter = letters[number];
    letter.mine = keep;
    letter.success = success;
    letter.frame = std::uint8_t(frame);
    letter.quality = quality;
    letter.at = now;
    send(circuit, to, number);
}

template <class State>
void Engine<State>::answering(Circuit& circuit, Qubit& keep, Qubit& sacrifice, std::int32_t number, int bit) {
    const Letter& ask = letters[number];
    const PurifyRule& rule = *rule_for(circuit, ask.partner);
    const Rotation rotation = rule.before(keep.rounds);
    const Expected expected = purify_frame(keep.frame, sacrifice.frame, rotation);
    const bool success = bit >= 0 && (ask.bit ^ bit) == expected.flip && !(keep.broken || sacrifice.broken);
    Correlators quality{};
    if (beliefs) {
        const Correlators kept = product(ask.quality, own_ageing(keep)), spent = product(ask.spent, own_ageing(sacrifice));
        quality = engine::purified(kept, spent, rule.kind, rule.noise, circuit.noise, expected.flip, rotation).state;
    }
    answer(circuit, ask, success, expected.frame, quality);
    free(circuit, sacrifice);
    if (success) {
        keep.life = Life::LIVE;
        keep.frame = std::int8_t(expected.frame);
        keep.quality = quality;
        keep.born = now;
        keep.far_born = letters[number].at;
        ++keep.rounds;
    } else {
        free(circuit, keep, true);
    }
}

// The other end has compared the bits.
template <class State>
void Engine<State>::answered(Circuit& circuit, const Letter& letter) {
    Qubit* keep = find(circuit, letter.mine);
    if (!keep || keep->life != Life::ASKED) {
        ++counts.stale;
    } else if (letter.success) {
        keep->life = Life::LIVE;
        keep->frame = std::int8_t(letter.frame);
        keep->quality = letter.quality;
        keep->far_born = letter.at;
        ++keep->rounds;
        const std::int32_t waited = next_early(*keep);  // news that waited for the answer
        if (waited != NONE) {
            follow(*keep, waited);
            letters.give_back(waited);
        }
    } else {
        free(circuit, *keep, true);
    }
    react(circuit);
}

}  // namespace quantum_fabric::engine
