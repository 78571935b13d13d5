// Tables by name, as they come from outside: nobody has looked at what is in them yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace quantum_fabric::engine {

struct Integers {
    const std::int64_t* data = nullptr;
    std::size_t rows = 0, columns = 0;
    const std::int64_t* operator[](std::size_t row) const { return data + row * columns; }
};

struct Reals {
    const double* data = nullptr;
    std::size_t rows = 0, columns = 0;
    const double* operator[](std::size_t row) const { return data + row * columns; }
};

// The tables of a plant, or of an installation, by name.
struct Tables {
    std::map<std::string, Integers> integers;
    std::map<std::string, Reals> reals;
    std::map<std::string, std::vector<std::string>> names;

    const Integers& whole(const std::string& name, std::size_t columns) const {
        return checked(integers, name, columns);
    }
    const Reals& real(const std::string& name, std::size_t columns) const { return checked(reals, name, columns); }

  private:
    template <class Table>
    static const Table& checked(const std::map<std::string, Table>& from, const std::string& name, std::size_t columns) {
        const auto found = from.find(name);
        if (found == from.end()) throw std::invalid_argument("the scenario has no table " + name);
        if (found->second.rows && found->second.columns != columns)
            throw std::invalid_argument("table " + name + " has " + std::to_string(found->second.columns) + " columns, expected " +
                                        std::to_string(columns));
        return found->second;
    }
};

}  // namespace quantum_fabric::engine
