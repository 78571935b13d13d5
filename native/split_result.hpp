// What a splitting has found, as columns.
#pragma once

#include "quantum_fabric/engine/splitting.hpp"
#include "tables_argument.hpp"

namespace quantum_fabric {

inline nanobind::dict dict_of(engine::Split&& found) {
    std::vector<std::int64_t> repetitions, levels, times;
    std::vector<double> weights, fidelities;
    for (const engine::Leaf& each : found.leaves) {
        repetitions.push_back(each.repetition);
        levels.push_back(each.level);
        times.push_back(each.time);
        weights.push_back(each.weight);
        fidelities.push_back(each.fidelity);
    }
    nanobind::dict all;
    all["repetitions"] = column(std::move(repetitions));
    all["levels"] = column(std::move(levels));
    all["times"] = column(std::move(times));
    all["weights"] = column(std::move(weights));
    all["fidelities"] = column(std::move(fidelities));
    all["lost"] = column(std::move(found.lost));
    all["events"] = found.events;
    all["runs"] = found.runs;
    return all;
}

}  // namespace quantum_fabric
