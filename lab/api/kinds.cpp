#include "lab/api/kinds.hpp"

#include <algorithm>
#include <utility>

namespace lab {

const KindVersion* Kind::version(std::string_view name) const {
    const auto found = std::find_if(versions.begin(), versions.end(), [&](const auto& version) {
        return version.name == name && version.served;
    });
    return found == versions.end() ? nullptr : &*found;
}

const KindVersion& Kind::storage_version() const {
    return *std::find_if(versions.begin(), versions.end() - 1,
                         [](const auto& version) { return version.storage; });
}

std::string Kind::api_version(const KindVersion& version) const {
    return resource.group.empty() ? version.name : resource.group + "/" + version.name;
}

std::string Kind::qualified() const {
    return resource.group.empty() ? resource.plural : resource.plural + "." + resource.group;
}

Kinds::Kinds() {
    auto kinds = built_in_kinds();
    for (Kind& kind : kinds) add(std::move(kind));
}

const Kind* Kinds::find(const ResourceId& resource) const {
    const auto found = kinds_.find(resource);
    return found == kinds_.end() ? nullptr : &found->second;
}

const Kind* Kinds::of_kind(std::string_view group, std::string_view kind) const {
    const auto found = std::find_if(kinds_.begin(), kinds_.end(), [&](const auto& entry) {
        return entry.first.group == group && entry.second.kind == kind;
    });
    return found == kinds_.end() ? nullptr : &found->second;
}

void Kinds::add(Kind kind) {
    auto resource = kind.resource;
    kinds_.insert_or_assign(std::move(resource), std::move(kind));
}

void Kinds::remove(const ResourceId& resource) {
    kinds_.erase(resource);
}

}  // namespace lab
