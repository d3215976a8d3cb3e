// YAML and JSON text to JSON values, read as kubectl reads them, and JSON values back to YAML.
// kubectl's reading is that of sigs.k8s.io/yaml over go-yaml v2: YAML 1.1 scalars (yes, on, 0o17),
// merge keys, timestamps kept as text. Pure; safe from any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kubeclient/json.hpp"
#include "kubeclient/result.hpp"

namespace kubeclient {

// What a document may cost. Anything above is an error that names file and line.
struct YamlLimits {
    std::size_t bytes = std::size_t{256} << 20U;    // of the whole text
    std::size_t depth = 128;                        // of nesting
    std::size_t nodes = std::size_t{8} << 20U;      // in all documents together
    std::size_t expansion = std::size_t{4} << 20U;  // nodes and bytes copied for anchors, aliases
};

// A key that appears twice in one mapping: refused in files that hold objects, because one of the
// two was written in vain; in a kubeconfig the last one wins, as in kubectl.
enum class DuplicateKeys { refuse, last_wins };

struct YamlDocument {
    std::shared_ptr<const Json> value{};  // never null after parse_yaml
    int line = 1;                         // where the value starts in the text, from 1
};

// All documents of the text; none where it holds only comments. Empty documents are null values.
// Errors read "vm.yaml:12: …", `name` being the file.
Result<std::vector<YamlDocument>> parse_yaml(std::string_view text, std::string_view name,
                                             const YamlLimits& limits = {},
                                             DuplicateKeys duplicates = DuplicateKeys::refuse);

// Block style, members in the object's own order, a line feed at the end. Text that any YAML
// reader could take for something else is quoted. Bytes that are no UTF-8 are replaced.
std::string to_yaml(const Json& json);

}  // namespace kubeclient
