// Migrations whose deletion has no effect: KubeVirt aborts once memory is copied, and that may
// never begin. Their target pod is deleted then, which ends them; never by force, and never after
// the copying has begun.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "commands/migration_session.hpp"
#include "recovery/course.hpp"

namespace commands {

class HangingCancels {
public:
    // `session` outlives it.
    explicit HangingCancels(MigrationSession& session) : session_(session) {}

    // Of migrations that were deleted: what has hung for ten seconds is helped along, once. The
    // note tells of it.
    void look(const std::vector<const recovery::Course*>& cancelled, MigrationTalk& talk);
    // Done as well where there is nothing to delete, or memory is copied by now.
    kubeclient::Status remove_target(const recovery::CourseOf& of, kubeclient::DryRun dry_run);
    // Why the target pod could not be deleted; nullptr: it was, or that was not tried.
    const kubeclient::Error* trouble(const recovery::CourseOf& of) const;

private:
    struct Hanging {
        recovery::Instant since{};
        bool helped = false;
    };

    MigrationSession& session_;
    std::map<std::string, Hanging> hanging_{};  // by the VMIM's uid
    std::map<std::string, kubeclient::Error> troubles_{};
};

}  // namespace commands
