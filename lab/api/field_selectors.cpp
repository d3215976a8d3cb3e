#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <sstream>

#include "lab/api/selectors.hpp"

namespace lab {

using kubeclient::find;

namespace {

struct Row {
    std::string_view kind;
    std::string_view fields;  // beside metadata.name and metadata.namespace
};

// Sources: Kubernetes pkg/apis/core/v1/conversion.go, pkg/apis/{batch,apps}/v1/conversion.go.
constexpr Row kSelectable[] = {
    {"Event",
     "involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid "
     "involvedObject.apiVersion involvedObject.resourceVersion involvedObject.fieldPath reason "
     "reportingComponent source type"},
    {"Job", "status.successful"},
    {"Namespace", "status.phase name"},
    {"Node", "spec.unschedulable"},
    {"Pod",
     "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName "
     "spec.hostNetwork status.phase status.podIP status.podIPs status.nominatedNodeName"},
    {"ReplicaSet", "status.replicas"},
    {"Secret", "type"},
    {"Service", "spec.clusterIP spec.type"},
};

bool is_selectable(const Kind& kind, const std::string& field) {
    if (field == "metadata.name") return true;
    if (field == "metadata.namespace") return true;
    for (const Row& row : kSelectable) {
        if (row.kind != kind.kind || kind.origin == Origin::custom) continue;
        std::istringstream words{std::string(row.fields)};
        for (std::string word; words >> word;) {
            if (word == field) return true;
        }
    }
    return false;
}

// The kinds with a table of their own word it otherwise.
Refusal not_selectable(const Kind& kind, const std::string& field) {
    const bool own = std::any_of(std::begin(kSelectable), std::end(kSelectable),
                                 [&](const Row& row) { return row.kind == kind.kind; });
    if (own || kind.origin == Origin::custom) {
        return bad_request("field label not supported: " + field);
    }
    return bad_request("\"" + field +
                       "\" is not a known field selector: only \"metadata.name\", "
                       "\"metadata.namespace\"");
}

std::string value_of(const Json& object, const std::string& field) {
    if (field == "source") return value_of(object, "source.component");
    const Json* place = &object;
    std::istringstream parts(field);
    for (std::string part; place != nullptr && std::getline(parts, part, '.');) {
        place = find(*place, part);
    }
    if (place == nullptr) {
        const bool boolean = field == "spec.unschedulable" || field == "spec.hostNetwork";
        return boolean ? "false" : "";
    }
    return place->is_string() ? place->get<std::string>() : place->dump();
}

// The parts between commas, a backslash taking the next character as it is.
std::vector<std::string> terms_of(std::string_view text) {
    std::vector<std::string> terms(1);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) {
            terms.back() += text[i];
            terms.back() += text[++i];
        } else if (text[i] == ',') {
            terms.emplace_back();
        } else {
            terms.back() += text[i];
        }
    }
    return terms;
}

std::string unescaped(const std::string& text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        result += text[i];
    }
    return result;
}

std::optional<FieldRequirement> requirement_of(const std::string& term) {
    for (const std::string op : {"!=", "==", "="}) {
        const auto place = term.find(op);
        if (place == std::string::npos || place != term.find_first_of("!=")) continue;
        return FieldRequirement{term.substr(0, place), unescaped(term.substr(place + op.size())),
                                op != "!="};
    }
    return std::nullopt;
}

}  // namespace

Outcome<std::vector<FieldRequirement>> parse_field_selector(std::string_view text,
                                                            const Kind& kind) {
    std::vector<FieldRequirement> requirements;
    for (const std::string& term : terms_of(text)) {
        if (term.empty()) continue;
        const auto requirement = requirement_of(term);
        if (!requirement) {
            return bad_request("invalid selector: '" + std::string(text) + "'; can't understand '" +
                               term + "'");
        }
        if (!is_selectable(kind, requirement->field)) {
            return not_selectable(kind, requirement->field);
        }
        requirements.push_back(*requirement);
    }
    return requirements;
}

bool matches(const Selector& selector, const Json& object) {
    const bool fields = std::all_of(
        selector.fields.begin(), selector.fields.end(), [&](const FieldRequirement& requirement) {
            return (value_of(object, requirement.field) == requirement.value) == requirement.equal;
        });
    return fields && matches(selector.labels, object);
}

}  // namespace lab
