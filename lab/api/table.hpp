// How `kubectl get` is answered: lists, objects and watches as a Table, with the columns that
// kube-apiserver prints. Sources: Kubernetes pkg/printers/internalversion/printers.go, and for
// custom resources apiextensions-apiserver pkg/registry/customresource/tableconvertor.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kubeclient/time.hpp"
#include "lab/api/api_server.hpp"
#include "lab/api/kinds.hpp"

namespace lab {

struct Column {
    std::string name{};
    std::string type = "string";
    std::string format{};
    std::string description{};
    int priority = 0;  // above 0: only with -o wide
};

// The columns of a kind, and the cells of one object under them.
struct TableLayout {
    std::vector<Column> columns{};
    std::function<std::vector<Json>(const Json& object, kubeclient::Instant now)> cells{};
};

TableLayout table_layout(const Kind& kind, const KindVersion& version);
// Of the kinds that are built in; no columns where only name and age are shown.
TableLayout built_in_layout(const ResourceId& resource);

// What an Accept header asks objects to be shown as. The first clause that is known decides.
enum class Shape { object, table, metadata_only, unknown };
Shape shape_asked(std::string_view accept);

// What of each object a row holds (the parameter includeObject).
enum class RowObject { none, metadata, whole };

// A list or an object as a Table (meta.k8s.io/v1) or as PartialObjectMetadata.
Json as_table(const Json& body, const TableLayout& layout, RowObject row_object,
              kubeclient::Instant now);
Json as_metadata(const Json& body);

// A watch whose objects are shown in another shape.
std::unique_ptr<WatchCursor> reshaped(std::unique_ptr<WatchCursor> events,
                                      std::function<Json(const Json& object)> shape);

// "3m20s"; "<unknown>" where `since` is absent, "<invalid>" where it is no time.
std::string age_of(const Json* since, kubeclient::Instant now);

}  // namespace lab
