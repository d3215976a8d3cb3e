// From a snapshot to a report: joins VMs with their VMIs, recomputes KubeVirt's answer, runs every
// check, and draws the verdict. Pure: the same snapshot gives the same report.
#pragma once

#include <string>
#include <vector>

#include "facts/snapshot.hpp"
#include "preflight/report.hpp"
#include "preflight/selection.hpp"

namespace preflight {

// --ignore: a check by id or slug, for one VM ("ns/name" or "name") or for all.
struct Waiver {
    std::string check{};
    std::string target{};

    bool operator==(const Waiver&) const = default;
};

struct Terms {
    std::vector<Waiver> waivers{};
    bool fail_on_warning = false;

    bool operator==(const Terms&) const = default;
};

// Targets that are not there leave the error `not_found` in the report, beside the items that are.
PreflightReport judge(const facts::Snapshot& snapshot, const Selection& selection,
                      const Terms& terms);

}  // namespace preflight
