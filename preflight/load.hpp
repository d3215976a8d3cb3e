// Objects from files: YAML or JSON, one or many documents, lists, folders of them. The counterpart
// of the collector; both end in a snapshot. What the files do not hold is a gap.
#pragma once

#include <string>
#include <string_view>

#include "facts/snapshot.hpp"
#include "kubeclient/result.hpp"
#include "kubeclient/system.hpp"

namespace preflight {

// Reads file by file, so that a large folder is never in memory as a whole.
class Loader {
public:
    // Adds all objects of one file. Errors (protocol) name the file and, where it can be told, the
    // line. `strict`: a document that is no Kubernetes object is an error; else it is passed over,
    // as a folder may hold other files.
    enum class Strict { no, yes };
    kubeclient::Status add(std::string_view name, std::string_view text, Strict strict);

    // The snapshot, with a gap for every kind that was not there. Call once.
    facts::Snapshot finish(std::string source);

private:
    facts::Snapshot snapshot_;
};

// The whole of --from PATH. `standard_input` is the text for the path "-". Errors: not_found,
// config (unreadable), protocol (broken, or too large), not_found also when no VM is in the files.
kubeclient::Result<facts::Snapshot> load_path(const std::string& path,
                                              const std::string& standard_input,
                                              const kubeclient::System& system);

}  // namespace preflight
