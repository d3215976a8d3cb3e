// Metadata and what decides where a pod may run.
#include "preflight/decode.hpp"

namespace preflight {

std::vector<facts::Requirement> decode_requirements(const std::vector<Fields>& items) {
    std::vector<facts::Requirement> requirements;
    for (const auto& item : items) {
        requirements.push_back({item.text("key"), item.text("operator"), item.texts("values")});
    }
    return requirements;
}

facts::Meta decode_meta(const Fields& object) {
    const auto metadata = object.at("metadata");
    facts::Meta meta;
    meta.ns = metadata.text("namespace");
    meta.name = metadata.text("name");
    meta.uid = metadata.text("uid");
    meta.resource_version = metadata.text("resourceVersion");
    meta.labels = metadata.labels("labels");
    meta.annotations = metadata.labels("annotations");
    meta.deleting = metadata.has("deletionTimestamp");
    meta.created = metadata.maybe_time("creationTimestamp");
    for (const auto& owner : metadata.list("ownerReferences")) {
        if (owner.flag("controller")) meta.controller_uid = owner.text("uid");
    }
    return meta;
}

std::vector<facts::NodeTerm> decode_node_terms(const Fields& node_selector) {
    std::vector<facts::NodeTerm> terms;
    for (const auto& term : node_selector.list("nodeSelectorTerms")) {
        terms.push_back({decode_requirements(term.list("matchExpressions")),
                         decode_requirements(term.list("matchFields"))});
    }
    return terms;
}

facts::Placement decode_placement(const Fields& pod_spec) {
    facts::Placement placement;
    placement.node_selector = pod_spec.labels("nodeSelector");
    const auto affinity = pod_spec.at("affinity").at("nodeAffinity");
    constexpr auto required = "requiredDuringSchedulingIgnoredDuringExecution";
    if (affinity.has(required)) placement.required_terms = decode_node_terms(affinity.at(required));
    for (const auto& toleration : pod_spec.list("tolerations")) {
        placement.tolerations.push_back({toleration.text("key"), toleration.text("operator"),
                                         toleration.text("value"), toleration.text("effect")});
    }
    return placement;
}

}  // namespace preflight
