// What really ran and really wrote, and when: the truth that no object of the API tells. Only the
// hardware writes it; tests and drills read it. Not thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lab/hardware/machine.hpp"

namespace lab {

// A QEMU that may write to a disk, from when on and (once it is over) until when.
struct Writing {
    std::string disk{};
    std::string node{};
    std::string vmi{};      // namespace/name
    std::string process{};  // the launcher pod's uid
    Instant from{};
    std::optional<Instant> until{};

    bool operator==(const Writing&) const = default;
};

// The same disk under two QEMUs: what must never be.
struct TwoWriters {
    Writing first{};
    Writing second{};
    Instant from{};
    std::optional<Instant> until{};

    bool operator==(const TwoWriters&) const = default;
};

enum class GuestEvent {
    started,
    paused,
    resumed,
    migrated,  // it runs on `node` from now on
    stopped,   // in order
    lost,      // its memory is gone: power, crash, or split between two nodes
};

struct GuestFact {
    GuestEvent event = GuestEvent::started;
    std::string vmi{};
    std::string node{};
    Instant at{};

    bool operator==(const GuestFact&) const = default;
};

struct Pause {
    Instant from{};
    std::optional<Instant> until{};

    bool operator==(const Pause&) const = default;
};

class Ledger {
public:
    void write_begins(Writing writing);
    void write_ends(const std::string& process, Instant at);
    void note(GuestFact fact) { facts_.push_back(std::move(fact)); }

    const std::vector<Writing>& writings() const { return writings_; }
    const std::vector<GuestFact>& facts() const { return facts_; }

    // Every pair that overlapped in time, in the order in which the overlaps began. A disk that one
    // QEMU gives up at the very instant another takes it has had one writer.
    std::vector<TwoWriters> two_writers() const;
    std::optional<Instant> lost(const std::string& vmi) const;  // when last; nullopt: never
    std::vector<Pause> pauses(const std::string& vmi) const;

private:
    std::vector<Writing> writings_{};
    std::multimap<std::string, std::size_t> open_{};  // by process
    std::vector<GuestFact> facts_{};
};

}  // namespace lab
