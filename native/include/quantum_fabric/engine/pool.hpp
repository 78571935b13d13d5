// Records that come and go: numbers for names, and addresses that stay while others are made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace quantum_fabric::engine {

// Bring a record near; it need not be there.
template <class T>
void fetch([[maybe_unused]] const T* record) {
#if defined(__GNUC__)
    for (std::size_t at = 0; at < sizeof(T) && at < 256; at += 64) __builtin_prefetch(reinterpret_cast<const char*>(record) + at);
#endif
}

template <class T>
class Pool {
  public:
    Pool() = default;
    Pool(Pool&&) = default;
    Pool& operator=(Pool&&) = default;
    Pool(const Pool& other) { *this = other; }
    Pool& operator=(const Pool& other) {
        if (this == &other) return *this;
        free_ = other.free_;
        size_ = other.size_;
        const std::size_t needed = (size_ + BLOCK - 1) / BLOCK;
        while (blocks_.size() < needed) blocks_.push_back(std::make_unique<T[]>(BLOCK));
        for (std::size_t place = 0; place < size_; ++place) (*this)[std::int32_t(place)] = other[std::int32_t(place)];
        return *this;
    }

    T& operator[](std::int32_t index) { return blocks_[std::size_t(index) / BLOCK][std::size_t(index) % BLOCK]; }
    const T& operator[](std::int32_t index) const {
        return blocks_[std::size_t(index) / BLOCK][std::size_t(index) % BLOCK];
    }

    // The record is as its last owner left it.
    std::int32_t take() {
        if (!free_.empty()) {
            const std::int32_t index = free_.back();
            free_.pop_back();
            return index;
        }
        if (size_ == blocks_.size() * BLOCK) blocks_.push_back(std::make_unique<T[]>(BLOCK));
        return std::int32_t(size_++);
    }
    void give_back(std::int32_t index) { free_.push_back(index); }
    void clear() {
        free_.clear();
        size_ = 0;
    }
    std::size_t used() const { return size_ - free_.size(); }

  private:
    static constexpr std::size_t BLOCK = 256;
    std::vector<std::unique_ptr<T[]>> blocks_;
    std::vector<std::int32_t> free_;
    std::size_t size_ = 0;
};

}  // namespace quantum_fabric::engine
